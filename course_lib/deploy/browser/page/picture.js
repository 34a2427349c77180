// 28 × 28 pixels, a byte each, 0 is paper: shown as the lessons show them, dark on light, and drawn upon.

export const SIDE = 28;
const INK = [0x1b, 0x1f, 0x24];
const BRUSH = 1.2; // radius in pixels

/** Show pixels on a canvas of 28 × 28; `mark` is the index of a pixel to point at. */
export function paint(canvas, pixels, mark = -1) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  pixels.forEach((pixel, i) => {
    const colour = INK.map((ink) => 255 - ((255 - ink) * pixel) / 255);
    image.data.set(i === mark ? [0xd5, 0x5e, 0x00, 255] : [...colour, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

/** A canvas to draw on with a pointer or with keys; `onDraw(pixels)` is called whenever the pixels were changed. */
export class Pad {
  #canvas;
  #onDraw;
  #brush = { x: SIDE / 2, y: SIDE / 2 };
  #byKeys = false;

  constructor(canvas, onDraw) {
    this.#canvas = canvas;
    this.#onDraw = onDraw;
    this.pixels = new Uint8Array(SIDE * SIDE);
    canvas.addEventListener("pointerdown", (event) => this.#press(event));
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#point(false));
  }

  show(pixels) {
    this.pixels = pixels.slice();
    this.#repaint();
  }

  clear() {
    this.show(new Uint8Array(SIDE * SIDE));
    this.#onDraw(this.pixels);
  }

  #repaint() {
    const mark = this.#byKeys ? SIDE * Math.floor(this.#brush.y) + Math.floor(this.#brush.x) : -1;
    paint(this.#canvas, this.pixels, mark);
  }

  #point(byKeys) {
    this.#byKeys = byKeys;
    this.#repaint();
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE };
  }

  #press(event) {
    if (event.button !== 0) return;
    this.#byKeys = false;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#brush = this.#place(event);
    this.#stroke(this.#brush);
  }

  #drag(event) {
    if (event.buttons & 1) this.#stroke(this.#place(event));
  }

  #key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step && ![" ", "Delete"].includes(event.key)) return;
    event.preventDefault(); // the page would scroll
    this.#byKeys = true;
    if (event.key === "Delete") return this.clear();
    const inside = (place) => Math.min(SIDE - 0.5, Math.max(0.5, Math.floor(place) + 0.5));
    const [dx, dy] = step ?? [0, 0];
    const to = { x: inside(this.#brush.x + dx), y: inside(this.#brush.y + dy) };
    if (event.key === " " || event.shiftKey) return this.#stroke(to);
    this.#brush = to;
    this.#repaint();
  }

  /** Ink along the line from the brush to a place, dark in its middle and softer at its edge. */
  #stroke(to) {
    const from = this.#brush;
    const steps = Math.ceil(2 * Math.hypot(to.x - from.x, to.y - from.y)) || 1;
    for (let step = 0; step <= steps; step++) {
      this.#dab(from.x + ((to.x - from.x) * step) / steps, from.y + ((to.y - from.y) * step) / steps);
    }
    this.#brush = to;
    this.#repaint();
    this.#onDraw(this.pixels);
  }

  #dab(x, y) {
    this.pixels.forEach((pixel, i) => {
      const distance = Math.hypot((i % SIDE) + 0.5 - x, Math.floor(i / SIDE) + 0.5 - y);
      const ink = 255 * Math.min(1, Math.max(0, BRUSH + 0.5 - distance));
      this.pixels[i] = Math.max(pixel, ink);
    });
  }
}
