// @ts-check
// Things are compared by measuring them in turn, in short slices, on the same core: a machine that grows slower does so for
// all. Every round each contender has one slice, in random order. The base runs twice, in two processes: what lies between the
// two is what the measurement itself scatters. Each set of rounds has processes of its own, because some are born slower.
import { mean, quantile, quietFifth, shuffled, spread } from "./statistics.mjs";

/** @typedef {import("./server-process.mjs").Cost} Cost */
/** @typedef {import("./statistics.mjs").Spread} Spread */
/** @typedef {() => Promise<Record<string, Cost>>} Slice measures once: a cost for each thing it did */
/** @typedef {{ contenders: Record<string, Slice>, leave: () => Promise<void> }} Field one set of fresh processes, warmed up */

/**
 * @typedef {object} Row of one contender; null where it took no part
 * @property {(number | null)[]} processor microseconds a request of the server's processor, one a round
 * @property {(number | null)[]} clock microseconds a request by the clock on the wall, one a round
 * @property {(number | null)[]} p99 milliseconds until the slowest hundredth is answered, one a set
 */

/** @typedef {{ base: string, rows: Record<string, Row> }} Contest */
/** @typedef {{ set: number, costs: Record<string, Record<string, Cost>> }} Round */
/** @typedef {Spread & { quiet: number }} Ratio by round, and of the quiet fifths; above 1, the first one is faster */

/** The second contender that is the base. @param {string} base */
export function twinOf(base) {
  return `${base}, once more`;
}

/**
 * @param {object} plan
 * @param {string} plan.base among the contenders, and its twin with it
 * @param {(set: number) => Promise<Field>} plan.start
 * @param {number} plan.sets
 * @param {number} plan.rounds in each set
 * @returns {Promise<Record<string, Contest>>} by what was measured
 */
export async function compare({ base, start, sets, rounds }) {
  /** @type {Round[]} */
  const measured = [];
  for (let set = 0; set < sets; set += 1) {
    const { contenders, leave } = await start(set);
    try {
      for (let round = 0; round < rounds; round += 1) measured.push({ set, costs: await measureRound(contenders) });
    } finally {
      await leave();
    }
  }
  const kinds = new Set(measured.flatMap(({ costs }) => Object.values(costs).flatMap((cost) => Object.keys(cost))));
  return Object.fromEntries([...kinds].map((kind) => [kind, { base, rows: rowsOf(measured, kind) }]));
}

/** @param {Record<string, Slice>} contenders */
async function measureRound(contenders) {
  /** @type {Round["costs"]} */
  const costs = Object.fromEntries(Object.keys(contenders).map((name) => [name, {}]));
  for (const [name, slice] of shuffled(Object.entries(contenders))) costs[name] = await slice();
  return costs;
}

/** @param {readonly Round[]} measured @param {string} kind */
function rowsOf(measured, kind) {
  const names = [...new Set(measured.flatMap(({ costs }) => Object.keys(costs)))];
  return Object.fromEntries(names.map((name) => [name, rowOf(measured, kind, name)]));
}

/** @param {readonly Round[]} measured @param {string} kind @param {string} name @returns {Row} */
function rowOf(measured, kind, name) {
  const costs = measured.map((round) => round.costs[name]?.[kind]);
  const sets = [...new Set(measured.map(({ set }) => set))];
  /** @param {(cost: Cost) => number} seconds */
  const micros = (seconds) => costs.map((cost) => (cost === undefined ? null : (seconds(cost) * 1e6) / cost.requests));
  return {
    processor: micros((cost) => cost.processorSeconds),
    clock: micros((cost) => cost.seconds),
    p99: sets.map((set) => {
      const waited = costs.flatMap((cost, index) => (measured[index]?.set === set ? (cost?.waited ?? []) : []));
      return waited.length === 0 ? null : quantile(waited, 0.99);
    }),
  };
}

/** @param {readonly (number | null)[]} values */
function present(values) {
  return values.filter((value) => value !== null);
}

/** The rows of a name: of the base those of both that are it. @param {Contest} contest @param {string} name */
function rowsNamed({ base, rows }, name) {
  const names = name === base ? [base, twinOf(base)] : [name];
  return names.map((each) => {
    const row = rows[each];
    if (row === undefined) throw new Error(`Only what was measured can be compared, and ${each} was not`);
    return row;
  });
}

/** Round by round, the mean of the rows. @param {readonly Row[]} rows @param {keyof Row} measure */
function byRound(rows, measure) {
  return (rows[0]?.[measure] ?? []).map((_value, round) => {
    const values = rows.map((row) => row[measure][round] ?? null);
    return values.includes(null) ? null : mean(present(values));
  });
}

/** @param {readonly Row[]} ones @param {readonly Row[]} others @param {keyof Row} measure @returns {Ratio} */
function ratioOfRows(ones, others, measure) {
  const [own, its] = [byRound(ones, measure), byRound(others, measure)];
  const ratios = own.map((cost, round) => {
    const other = its[round] ?? null;
    return cost === null || other === null ? null : other / cost;
  });
  const quiet = (/** @type {readonly Row[]} */ rows) => mean(rows.map((row) => quietFifth(present(row[measure]))));
  return { ...spread(present(ratios)), quiet: quiet(others) / quiet(ones) };
}

/**
 * How many requests the one answers in what the other takes for one.
 * @param {Contest} contest @param {string} one @param {string} [other] @param {keyof Row} [measure]
 */
export function ratioOf(contest, one, other = contest.base, measure = "processor") {
  return ratioOfRows(rowsNamed(contest, one), rowsNamed(contest, other), measure);
}

/** The base beside itself. @param {Contest} contest @param {keyof Row} [measure] */
export function scatterOf({ base, rows }, measure = "processor") {
  const [first, again] = [rows[base], rows[twinOf(base)]];
  if (first === undefined || again === undefined) throw new Error("The base has to run twice");
  return ratioOfRows([again], [first], measure);
}

/** What it takes: the median over the rounds or sets. @param {Contest} contest @param {string} name @param {keyof Row} [measure] */
export function costOf({ rows }, name, measure = "processor") {
  return spread(present(rows[name]?.[measure] ?? [])).median;
}
