// A .tflite file in LiteRT's WebAssembly runtime, which the script litert_wasm_compat_internal.js brings as
// ModuleFactory. We call the runtime itself: the wrapper of its package takes no int8 tensors.

const ARRAYS = { float32: Float32Array, int8: Int8Array, uint8: Uint8Array };

export async function startRuntime() {
  const wasm = await globalThis.ModuleFactory();
  return { wasm, environment: wasm.LiteRtEnvironment.create(null) }; // null: no graphics processor
}

/** One file, compiled for one thread; fed one image at a time. */
export class Model {
  static async load({ wasm, environment }, about, content) {
    const start = wasm._malloc(content.length); // the model reads its weights from there as long as it lives
    wasm.HEAPU8.set(content, start);
    const processor = { accelerator: "wasm", cpuOptions: { numThreads: 1 } };
    const options = { environment, ...processor, gpuOptions: {}, webNNOptions: {} };
    const file = wasm.loadModel(environment, start, content.length);
    return new Model(wasm, environment, about, file, await wasm.compileModel(environment, file, options));
  }

  constructor(wasm, environment, about, file, compiled) {
    Object.assign(this, { wasm, about, file, compiled });
    this.levels = ARRAYS[about.input.format].from(about.input.levels);
    const shape = new wasm.VectorInt32();
    about.input.shape.forEach((size) => shape.push_back(size));
    const type = wasm.LiteRtRankedTensorType.create(
      file.getInputTensorType(0, 0).elementType(),
      wasm.LiteRtLayout.create(shape),
    );
    const memory = wasm.LiteRtTensorBufferType.HOST_MEMORY;
    this.input = wasm.LiteRtTensorBuffer.createManaged(environment, memory, type, type.bytes());
  }

  /** Copy an image, a byte a pixel, into the input. */
  feed(pixels) {
    const stored = this.levels.constructor.from(pixels, (pixel) => this.levels[pixel]);
    const at = this.input.lock(this.wasm.LiteRtTensorBufferLockMode.WRITE);
    this.wasm.HEAPU8.set(new Uint8Array(stored.buffer), at);
    this.input.unlock();
  }

  /** The outputs for an image, as real numbers. */
  outputs(pixels) {
    this.feed(pixels);
    const [output] = this.compiled.run(0, [this.input]);
    const { format, scale, zero_point } = this.about.output;
    const at = output.lock(this.wasm.LiteRtTensorBufferLockMode.READ);
    const bytes = this.wasm.HEAPU8.slice(at, at + output.packedSize());
    output.unlock();
    output.delete();
    return Float32Array.from(new ARRAYS[format](bytes.buffer), (stored) => scale * (stored - zero_point));
  }

  /** Milliseconds a run takes, on average over some runs with the image fed last. */
  time(runs) {
    const begin = performance.now();
    for (let run = 0; run < runs; run++) this.compiled.run(0, [this.input]).forEach((output) => output.delete());
    return (performance.now() - begin) / runs;
  }
}
