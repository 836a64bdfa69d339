// @ts-check
// How long a run takes its time: whole for figures, short to see that everything still runs.

/**
 * @typedef {object} Effort
 * @property {number} sets of fresh processes for each question
 * @property {number} rounds in each set
 * @property {number} part of the usual warm-up and of large populations
 */

/** @type {{ whole: Effort, quick: Effort }} */
export const EFFORT = {
  whole: { sets: 3, rounds: 8, part: 1 },
  quick: { sets: 1, rounds: 2, part: 0.1 },
};

/** So many of a usual number, one at least. @param {Effort} effort @param {number} usual */
export function partOf({ part }, usual) {
  return Math.max(1, Math.round(usual * part));
}
