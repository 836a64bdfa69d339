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

/** @param {readonly number[]} values */
export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The mean of the lowest fifth, of one at least: what something costs when nothing else wants the machine. @param {readonly number[]} costs */
export function quietFifth(costs) {
  const sorted = [...costs].sort((a, b) => a - b);
  return mean(sorted.slice(0, Math.max(1, Math.round(sorted.length / 5))));
}

/** @typedef {ReturnType<typeof spread>} Spread */

/**
 * The middle half beside the median, because one slice scatters by a fifth.
 * @param {readonly number[]} values
 */
export function spread(values) {
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75) };
}

/** The same in another order, each order as likely as another. @template T @param {readonly T[]} values */
export function shuffled(values) {
  const order = values.map((value) => ({ value, place: Math.random() }));
  return order.sort((a, b) => a.place - b.place).map(({ value }) => value);
}
