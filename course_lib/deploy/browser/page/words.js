// Numbers as people read them.

export const count = (number) => number.toLocaleString("en");
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

export function time(milliseconds) {
  const [number, unit] = milliseconds < 1 ? [1000 * milliseconds, "µs"] : [milliseconds, "ms"];
  return `${number.toPrecision(number < 100 ? 2 : 3)} ${unit}`;
}

/** How many times less b is than a; what differs by no more than `noise` is no difference. */
export function ratio(a, b, less, more, noise = 0) {
  const times = Math.max(a, b) / Math.min(a, b);
  if (times <= 1 + noise) return "no difference";
  return `${times.toPrecision(times < 10 ? 2 : 3)}× ${b < a ? less : more}`;
}

export function points(a, b) {
  const difference = 100 * (b - a);
  if (difference === 0) return "no difference";
  return `${Math.abs(difference).toFixed(1)} points ${difference > 0 ? "higher" : "lower"}`;
}
