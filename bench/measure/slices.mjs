// @ts-check
// Two things are compared by measuring them in turn, in short slices, on the same core: a machine that grows slower does so
// for both. Each slice of a candidate stands between two slices of the base; what counts is the median of the ratios.
import { spread } from "./statistics.mjs";

/** @typedef {import("./server-process.mjs").Cost} Cost */
/** @typedef {import("./statistics.mjs").Spread} Spread */
/** @typedef {() => Promise<Record<string, Cost>>} Slice measures once: a cost for each thing it did */

/**
 * @typedef {object} Compared
 * @property {Spread} rate requests a second of the server's processor time: what its core serves when nothing else wants it
 * @property {Spread} wallRate requests a second by the clock on the wall
 * @property {Spread} busy the server's share of its core while it was measured; well below 1, the load was the bottleneck
 * @property {Spread} ratio of the rates, to the base in the same round
 * @property {number[]} ratios one a round, so that candidates can be set against each other
 */

/** @param {Cost} cost */
function rateOf({ requests, processorSeconds }) {
  return requests / processorSeconds;
}

/** @param {readonly Cost[]} costs */
function described(costs) {
  return {
    rate: spread(costs.map(rateOf)),
    wallRate: spread(costs.map(({ requests, seconds }) => requests / seconds)),
    busy: spread(costs.map(({ processorSeconds, seconds }) => processorSeconds / seconds)),
  };
}

/**
 * @param {{ base: Slice, candidates: Record<string, Slice>, rounds: number }} plan
 * @returns {Promise<Record<string, Record<string, Compared>>>} by what was measured, then by candidate; `base` is one of them
 */
export async function compare({ base, candidates, rounds }) {
  let before = await base();
  /** @type {Record<string, Record<string, { costs: Cost[], ratios: number[] }>>} */
  const found = {};
  /** @param {string} what @param {string} name @param {Cost} cost @param {number} ratio */
  const note = (what, name, cost, ratio) => {
    const row = ((found[what] ??= {})[name] ??= { costs: [], ratios: [] });
    row.costs.push(cost);
    row.ratios.push(ratio);
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, slice] of Object.entries(candidates)) {
      const measured = await slice();
      const after = await base();
      for (const [what, cost] of Object.entries(measured)) {
        const [one, other] = [before[what], after[what]];
        if (one === undefined || other === undefined) throw new Error(`The base has no slice of ${what}`);
        note(what, "base", other, 1);
        note(what, name, cost, (2 * rateOf(cost)) / (rateOf(one) + rateOf(other)));
      }
      before = after;
    }
  }
  return Object.fromEntries(Object.entries(found).map(([what, rows]) => [what, summarized(rows)]));
}

/** @param {Record<string, { costs: Cost[], ratios: number[] }>} rows @returns {Record<string, Compared>} */
function summarized(rows) {
  return Object.fromEntries(
    Object.entries(rows).map(([name, { costs, ratios }]) => [
      name,
      { ...described(costs), ratio: spread(ratios), ratios },
    ]),
  );
}

/** One candidate against another of the same rounds. @param {Compared | undefined} one @param {Compared | undefined} other */
export function against(one, other) {
  if (one === undefined || other === undefined) throw new Error("Only what was measured can be compared");
  return spread(one.ratios.map((ratio, round) => ratio / (other.ratios[round] ?? NaN)));
}
