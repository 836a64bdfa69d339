// @ts-check
// Every question, in the order they are asked.
import { flatnessTables, flatnessTargets, measureFlatness } from "./flatness.mjs";
import { footprintTables, footprintTargets, measureFootprint } from "./footprint.mjs";
import { gateTables, gateTargets, measureGate } from "./gate.mjs";
import { largeTables, largeTargets, measureLarge } from "./large.mjs";
import { listenersTables, measureListeners } from "./listeners.mjs";
import { loginsTables, loginsTargets, measureLogins } from "./logins.mjs";
import { measureMemory, memoryTables, memoryTargets } from "./memory.mjs";
import { measureProtections, protectionsTables } from "./protections.mjs";
import { measureRoundTrips, roundTripsTables, roundTripsTargets } from "./round-trips.mjs";

/** @typedef {import("../run.mjs").Services} Services */
/** @typedef {import("../report/tables.mjs").Table} Table */
/** @typedef {import("../report/tables.mjs").Target} Target */
/** @typedef {{ result: unknown, tables: readonly Table[], targets: readonly Target[] }} Answered */

/** @type {Record<string, string>} */
export const STACK_NAMES = {
  floor: "bare floor by hand, without Passport",
  "floor-with-passport": "bare floor behind Passport, new session id",
  "floor-promises": "floor with the same promises",
  product: "express-second-factor",
  "passport-totp": "Passport + passport-totp",
  "passport-totp-limited": "the same behind express-rate-limit",
  "better-auth": "better-auth with twoFactor",
};

/**
 * @template Result
 * @param {string} asks
 * @param {(services: Services) => Promise<Result>} measure
 * @param {(result: Result, stackNames: Record<string, string>) => readonly Table[]} tables
 * @param {(result: Result) => readonly Target[]} [targets]
 */
function question(asks, measure, tables, targets = () => []) {
  return {
    asks,
    /** @param {Services} services @returns {Promise<Answered>} */
    async answer(services) {
      const result = await measure(services);
      return { result, tables: tables(result, STACK_NAMES), targets: targets(result) };
    },
  };
}

export const QUESTIONS = {
  gate: question("What does the line cost every request?", measureGate, gateTables, gateTargets),
  logins: question("What do a code and a login cost?", measureLogins, loginsTables, loginsTargets),
  large: question("What does a code of a large account cost?", measureLarge, largeTables, largeTargets),
  listeners: question("What does it cost that somebody listens?", measureListeners, listenersTables),
  protections: question("What is let through?", measureProtections, protectionsTables),
  "round-trips": question("How often is Redis asked?", measureRoundTrips, roundTripsTables, roundTripsTargets),
  memory: question("What do logins and accounts weigh?", measureMemory, memoryTables, memoryTargets),
  footprint: question(
    "What does it cost to import and to install?",
    measureFootprint,
    footprintTables,
    footprintTargets,
  ),
  flatness: question("Does it cost more where there is more?", measureFlatness, flatnessTables, flatnessTargets),
};
