// @ts-check
// What does it cost that somebody listens? A wrong code of a new user each, with nobody listening and with each of those who may.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as api from "@opentelemetry/api";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import { memoryStore, secondFactor } from "express-second-factor";
import { auditFile } from "express-second-factor/audit";
import { instrument } from "express-second-factor/opentelemetry";
import { partOf } from "../measure/effort.mjs";
import { ORIGIN } from "../measure/load.mjs";
import { shuffled, spread } from "../measure/statistics.mjs";
import { plain, ratioText } from "../report/tables.mjs";

const KEY = "bench:leHs6K4GaV18MVEnkrJqkbBBM5sBR4pskm+isNZUD4w=";
const SLICE = 1_000;
const NOBODY = "nobody";

/** @typedef {import("express-second-factor").SecondFactor} SecondFactor */
/** @typedef {import("../measure/statistics.mjs").Spread} Spread */
/** @typedef {Record<string, Spread>} ListenersResult microseconds an attempt, by who listens */

/** Who listens; each answers what ends it. @param {string} folder @returns {Record<string, (mfa: SecondFactor) => () => Promise<void>>} */
function listeners(folder) {
  const [meters, tracers] = [new MeterProvider(), new BasicTracerProvider()];
  const sdk = {
    metrics: { getMeter: (/** @type {string} */ name) => meters.getMeter(name) },
    trace: { getTracer: (/** @type {string} */ name) => tracers.getTracer(name) },
    SpanStatusCode: api.SpanStatusCode,
  };
  return {
    [NOBODY]: () => async () => undefined,
    "a listener that does nothing": (mfa) => {
      mfa.events.on("audit", () => undefined);
      return async () => undefined;
    },
    "`instrument`, and no SDK": (mfa) => {
      const stop = instrument(mfa, { api });
      return async () => stop();
    },
    "`instrument` with the SDK": (mfa) => {
      const stop = instrument(mfa, { api: sdk });
      return async () => stop();
    },
    "`auditFile`": (mfa) => {
      const audit = auditFile(join(folder, `${Math.random()}.jsonl`), { key: KEY });
      mfa.events.on("audit", audit);
      return () => audit.close();
    },
  };
}

/** Microseconds an attempt, with what it takes until all of it is written. @param {(mfa: SecondFactor) => () => Promise<void>} listen */
async function slice(listen) {
  const mfa = secondFactor({ issuer: "Bench", origin: ORIGIN, keys: KEY, store: memoryStore({ production: true }) });
  const stop = listen(mfa);
  const begin = performance.now();
  for (let user = 0; user < SLICE; user += 1) await mfa.accounts.verify(`u${user}`, { method: "totp", code: "000000" });
  await stop();
  return ((performance.now() - begin) * 1_000) / SLICE;
}

/** @param {import("../run.mjs").Services} services @returns {Promise<ListenersResult>} */
export async function measureListeners({ effort }) {
  const folder = await mkdtemp(join(tmpdir(), "bench-audit-"));
  try {
    const all = Object.entries(listeners(folder));
    /** @type {Record<string, number[]>} */
    const taken = Object.fromEntries(all.map(([name]) => [name, []]));
    const rounds = partOf(effort, 10) + effort.sets * effort.rounds;
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, listen] of shuffled(all)) taken[name]?.push(await slice(listen));
    }
    // The first rounds warm up.
    const counted = (/** @type {number[]} */ times) => spread(times.slice(partOf(effort, 10)));
    return Object.fromEntries(Object.entries(taken).map(([name, times]) => [name, counted(times)]));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {ListenersResult} result @returns {import("../report/tables.mjs").Table[]} */
export function listenersTables(result) {
  const base = result[NOBODY]?.median ?? 0;
  return [
    {
      title: "Who listens: one wrong code of a user's",
      head: ["listens", "µs", "more than nobody, µs"],
      rows: Object.entries(result).map(([name, found]) => [name, ratioText(found), plain(found.median - base)]),
      notes: [
        "In one process, accounts in memory. `auditFile` includes what its writing takes of that process, to the last record.",
      ],
    },
  ];
}
