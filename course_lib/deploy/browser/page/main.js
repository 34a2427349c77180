// The page: fetch what is compared, compare it, show it.

import { argmax, classify, disagreement, measure, probabilities } from "./compare.js";
import { Pad, SIDE, paint } from "./picture.js";
import { Model, startRuntime } from "./runtime.js";
import { count, percent, points, ratio, time } from "./words.js";

const LETTERS = ["A", "B"];
const FIRST = 12; // pictures in the gallery, until all are asked for
const $ = (id) => document.getElementById(id);

/** An element with attributes and children; text becomes text, whatever characters a file's name has. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

const letter = (m) => element("span", { class: `letter ${LETTERS[m].toLowerCase()}` }, LETTERS[m]);

async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`the server does not answer for ${address} (${response.status})`);
  return response;
}

async function load() {
  const [comparison, pixels, runtime] = await Promise.all([
    fetched("comparison.json").then((response) => response.json()),
    fetched("images").then((response) => response.arrayBuffer()),
    startRuntime(),
  ]);
  const { files, labels } = comparison;
  const images = labels.map((_, i) => new Uint8Array(pixels, i * SIDE * SIDE, SIDE * SIDE));
  const models = [];
  for (const [m, file] of files.entries()) {
    const content = new Uint8Array(await (await fetched(`file/${m}`)).arrayBuffer());
    try {
      models.push(await Model.load(runtime, file, content));
      models[m].outputs(images[0]);
    } catch (error) {
      throw new Error(`${file.name} cannot be run in a browser: ${error.message}`);
    }
  }
  return { ...comparison, images, models };
}

// Size, time, accuracy

function showFigures({ files, labels }, classes, times) {
  const right = classes.map((each) => labels.filter((label, i) => each[i] === label).length / labels.length);
  const head = $("figures").querySelector("thead tr");
  head.append(...files.map((_, m) => element("th", { scope: "col" }, letter(m))));
  if (files.length === 2) head.append(element("th", { scope: "col" }, "B against A"));
  $("runs").textContent = times[0].runs;
  const row = (title, values, shown, compared) => {
    const cells = values.map((value) => element("td", {}, shown(value)));
    if (files.length === 2) cells.push(element("td", { class: "compared" }, compared?.(...values) ?? ""));
    return element("tr", {}, element("th", { scope: "row" }, title), ...cells);
  };
  const smaller = (a, b) => ratio(a, b, "smaller", "larger");
  const faster = (a, b) => ratio(a, b, "faster", "slower", 0.05);
  $("figures").querySelector("tbody").append(
    row("Bytes", files.map((file) => file.bytes), count, smaller),
    row("Bytes after gzip", files.map((file) => file.gzip), count, smaller),
    row("Numbers in and out", files.map((file) => file.input.format), String),
    row("Time, median", times.map((each) => each.median), time, faster),
    row("Time, 90th percentile", times.map((each) => each.p90), time, faster),
    row(`Right of ${count(labels.length)} test images`, right, (share) => percent(share, 1), points),
  );
  $("figures").hidden = false;
}

// Agreement

function showAgreement(subject, classes, choose) {
  const { labels } = subject;
  const { changed, onlyA, onlyB, neither } = disagreement(classes, labels);
  $("share").replaceChildren(
    element("strong", {}, percent(1 - changed.length / labels.length, 1)),
    ` of ${count(labels.length)} test images get the same class from both files.`,
  );
  $("tally").textContent = changed.length
    ? `${count(changed.length)} get different ones. Only A is right: ${onlyA}. Only B: ${onlyB}. Neither: ${neither}.`
    : "None gets a different one.";
  const add = (images) => $("gallery").append(...images.map((i) => card(subject, i, choose)));
  add(changed.slice(0, FIRST));
  $("all").hidden = changed.length <= FIRST;
  $("all").textContent = `Show all ${count(changed.length)}`;
  $("all").addEventListener("click", () => {
    add(changed.slice(FIRST));
    $("all").hidden = true;
    $("gallery").children[FIRST].firstChild.focus();
  });
  $("agreement").hidden = false;
}

function card({ models, images, labels, classes }, i, choose) {
  const canvas = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
  paint(canvas, images[i]);
  const said = models.map((model, m) => {
    const shares = probabilities(model.outputs(images[i]));
    const best = argmax(shares);
    const mark = best === labels[i] ? " ✓" : "";
    const share = element("span", { class: "share" }, percent(shares[best]));
    return element("span", { class: "said" }, letter(m), ` ${classes[best]}${mark} `, share);
  });
  const button = element("button", { type: "button" }, canvas, element("b", {}, classes[labels[i]]), ...said);
  button.dataset.image = i;
  button.addEventListener("click", () => choose(i));
  return element("li", {}, button);
}

// One picture

function bench({ models, images, labels, classes }) {
  const head = $("answers").querySelector("thead tr");
  head.append(...models.map((_, m) => element("th", { scope: "col" }, letter(m))));
  const cells = classes.map((name) => {
    const row = models.map(() => element("td"));
    $("answers").querySelector("tbody").append(element("tr", {}, element("th", { scope: "row" }, name), ...row));
    return row;
  });

  const answer = (pixels) => {
    const verdicts = models.map((model, m) => {
      const shares = probabilities(model.outputs(pixels));
      const best = argmax(shares);
      cells.forEach((row, c) => {
        row[m].textContent = percent(shares[c]);
        row[m].style.setProperty("--share", shares[c]);
        row[m].className = `${LETTERS[m].toLowerCase()}${c === best ? " best" : ""}`;
      });
      return [letter(m), ` ${classes[best]} `];
    });
    $("verdict").replaceChildren(...verdicts.flat());
  };

  let current = 0;
  const pad = new Pad($("pad"), (pixels) => {
    $("picture").textContent = "Your drawing";
    answer(pixels);
  });
  const show = (i) => {
    current = (i + images.length) % images.length;
    pad.show(images[current]);
    $("picture").textContent = `Test image ${current}: ${classes[labels[current]]}`;
    answer(images[current]);
  };
  $("previous").addEventListener("click", () => show(current - 1));
  $("next").addEventListener("click", () => show(current + 1));
  $("clear").addEventListener("click", () => pad.clear());
  show(0);
  $("one").hidden = false;
  return (i) => {
    show(i);
    $("pad").focus();
  };
}

try {
  const subject = await load();
  const named = (file, m) => element("li", {}, letter(m), " ", element("bdi", {}, file.name));
  $("files").append(...subject.files.map(named));
  const all = count(subject.images.length);
  const say = (done) => ($("status").textContent = `Classified ${count(done)} of ${all} images…`);
  const classes = await classify(subject.models, subject.images, say);
  $("status").textContent = "Measuring time…";
  showFigures(subject, classes, await measure(subject.models, subject.images));
  const choose = bench(subject);
  if (subject.models.length === 2) showAgreement(subject, classes, choose);
  $("status").textContent = "";
} catch (error) {
  $("status").className = "error";
  $("status").textContent = `Nothing can be compared: ${error.message}`;
  throw error;
} finally {
  document.querySelector("main").removeAttribute("aria-busy");
}
