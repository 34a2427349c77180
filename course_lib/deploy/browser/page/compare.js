// What is counted and measured: no word of this knows the page.

export const argmax = (numbers) => numbers.indexOf(Math.max(...numbers));

/** Outputs as probabilities: as they are if they are that already, else their softmax. */
export function probabilities(outputs) {
  const sum = outputs.reduce((a, b) => a + b);
  if (Math.min(...outputs) >= 0 && Math.abs(sum - 1) < 0.1) return outputs;
  const largest = Math.max(...outputs);
  const exponents = outputs.map((output) => Math.exp(output - largest));
  const all = exponents.reduce((a, b) => a + b);
  return exponents.map((exponent) => exponent / all);
}

const breathe = () => new Promise((resolve) => setTimeout(resolve)); // lets the page be drawn and clicked

/** The class of every image from every model: an array a model. */
export async function classify(models, images, onProgress) {
  const classes = models.map(() => new Uint8Array(images.length));
  for (const [i, image] of images.entries()) {
    models.forEach((model, m) => (classes[m][i] = argmax(model.outputs(image))));
    if (i % 50 === 49) {
      onProgress(i + 1);
      await breathe();
    }
  }
  return classes;
}

/**
 * Median and 90th percentile of the milliseconds a run takes, for every model.
 *
 * A round is 20 runs, because a browser's clock ticks too slowly for one. The models take turns, round by round, so
 * that all are measured under the same conditions. After 100 rounds, or 10 that took two seconds, it ends.
 */
export async function measure(models, images, { runs = 20, rounds = 100, least = 10, limit = 2000 } = {}) {
  const times = models.map(() => []);
  const begin = performance.now();
  models.forEach((model) => model.time(runs)); // warm up
  for (let round = 0; round < rounds && (round < least || performance.now() - begin < limit); round++) {
    models.forEach((model, m) => {
      model.feed(images[round % images.length]);
      times[m].push(model.time(runs));
    });
    await breathe();
  }
  return times.map((each) => ({ median: quantile(each, 0.5), p90: quantile(each, 0.9), rounds: each.length, runs }));
}

export function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (place % 1) * (above - below);
}

/** Which images the two models class differently, and who is right about those. */
export function disagreement([a, b], labels) {
  const changed = labels.map((_, i) => i).filter((i) => a[i] !== b[i]);
  const count = (right) => changed.filter(right).length;
  return {
    changed,
    onlyA: count((i) => a[i] === labels[i]),
    onlyB: count((i) => b[i] === labels[i]),
    neither: count((i) => a[i] !== labels[i] && b[i] !== labels[i]),
  };
}
