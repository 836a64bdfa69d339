// @ts-check
// A contest as rows of a table: the base, the base once more, and the others beside the mean of both.
import { costOf, ratioOf, scatterOf, twinOf } from "../measure/contest.mjs";
import { plain, ratioText, whole } from "./tables.mjs";

/** @typedef {import("../measure/contest.mjs").Contest} Contest */
/** @typedef {import("../measure/contest.mjs").Row} Row */

/** The columns of `contestRows` beside the name. */
export const CONTEST_HEAD = ["µs a request", "of the first", "quiet fifth", "by the clock"];

/** @param {Contest} contest @param {string} name @param {keyof Row} [measure] */
function ratio(contest, name, measure) {
  return name === twinOf(contest.base) ? scatterOf(contest, measure) : ratioOf(contest, name, contest.base, measure);
}

/** @param {Contest} contest @param {Record<string, string>} names */
function named({ base, rows }, names) {
  return Object.keys(rows).map((name) => {
    return { name, text: name === twinOf(base) ? "the same once more" : (names[name] ?? name), isBase: name === base };
  });
}

/** @param {Contest} contest @param {Record<string, string>} names */
export function contestRows(contest, names) {
  return named(contest, names).map(({ name, text, isBase }) => {
    const micros = whole(costOf(contest, name));
    if (isBase) return [text, micros, "1", "1", "1"];
    const processor = ratio(contest, name);
    return [text, micros, ratioText(processor), plain(processor.quiet), ratioText(ratio(contest, name, "clock"))];
  });
}

/** @param {Contest} contest @param {Record<string, string>} names */
export function latencyRows(contest, names) {
  return named(contest, names).map(({ name, text, isBase }) => {
    const waited = plain(costOf(contest, name, "p99"));
    // Of waiting, less is better: the other way round.
    const { median } = ratio(contest, name, "p99");
    return [text, waited, isBase ? "1" : plain(1 / median)];
  });
}
