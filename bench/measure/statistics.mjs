// @ts-check

/** @param {readonly number[]} values @param {number} part 0 to 1 */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (low === undefined || high === undefined) throw new Error("There is no quantile of nothing");
  return low + (high - low) * (place - Math.floor(place));
}

/** @param {readonly number[]} values */
export function median(values) {
  return quantile(values, 0.5);
}

/** @typedef {ReturnType<typeof spread>} Spread */

/**
 * The middle half beside the median, because one slice scatters by a fifth.
 * @param {readonly number[]} values
 */
export function spread(values) {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}
