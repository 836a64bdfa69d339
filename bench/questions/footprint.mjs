// @ts-check
// What does the package cost before anything happens: to import, and on the disk?
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { compare, costOf, ratioOf, scatterOf, twinOf } from "../measure/contest.mjs";
import { serverPrefix } from "../measure/cores.mjs";
import { atMost, atMostOf, plain, ratioText, whole } from "../report/tables.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const [EXPRESS, OWN] = ["express", "express-second-factor"];
/** Of Express's own time, beyond Express. */
const MOST_TIME = 1;
/** What was installed when Redis had no limiter of its own; no change may leave it behind by more than a tenth. */
const KNOWN = { packages: 55, megabytes: 12.9 };
const MOST_GROWTH = 1.1;
/** Came later, and is left aside. */
const ASIDE = "node_modules/rate-limit-redis";

/** @typedef {import("../measure/contest.mjs").Contest} Contest */
/** @typedef {import("../measure/server-process.mjs").Cost} Cost */
/** @typedef {{ packages: number, bytes: number }} Size */
/** @typedef {{ imports: Contest, express: Size, both: Size, aside: Size }} FootprintResult */

/** Imports a package in a process that has done nothing else. @param {string} folder @param {string} name @returns {Promise<Cost>} */
async function importTime(folder, name) {
  const program = `const [start, begin] = [process.cpuUsage(), performance.now()]; await import(${JSON.stringify(name)});
    const { user, system } = process.cpuUsage(start);
    console.log(JSON.stringify({ seconds: (performance.now() - begin) / 1e3, processorSeconds: (user + system) / 1e6 }));`;
  const [command, ...args] = [...serverPrefix, process.execPath, "--input-type=module", "--eval", program];
  const { stdout } = await run(command ?? process.execPath, args, { cwd: folder });
  return { requests: 1, ...JSON.parse(stdout) };
}

/** @param {string} folder @param {import("../measure/effort.mjs").Effort} effort */
async function compareImports(folder, { rounds, sets }) {
  const slice = (/** @type {string} */ name) => async () => ({ import: await importTime(folder, name) });
  const contenders = {
    [EXPRESS]: slice(EXPRESS),
    [twinOf(EXPRESS)]: slice(EXPRESS),
    [OWN]: slice(OWN),
    [`${OWN}/redis`]: slice(`${OWN}/redis`),
  };
  const start = async () => ({ contenders, leave: async () => undefined });
  const { import: imports } = await compare({ base: EXPRESS, start, sets, rounds });
  return /** @type {Contest} */ (imports);
}

/** Packages of a lock file below this folder, and the bytes of their files. @param {string} folder @param {string} [below] */
async function sizeOf(folder, below = "node_modules") {
  const lock = JSON.parse(await readFile(join(folder, "node_modules/.package-lock.json"), "utf8"));
  const packages = Object.keys(lock.packages).filter((path) => path.startsWith(below));
  if (packages.length === 0) return { packages: 0, bytes: 0 };
  const entries = await readdir(join(folder, below), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== ".package-lock.json");
  const sizes = await Promise.all(files.map(async ({ path, name }) => (await stat(join(path, name))).size));
  return { packages: packages.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** @param {string} folder @param {readonly string[]} packages */
async function install(folder, packages) {
  await run("npm", ["install", "--prefix", folder, "--prefer-offline", "--no-audit", "--no-fund", ...packages]);
}

/** @param {import("../run.mjs").Services} services @returns {Promise<FootprintResult>} */
export async function measureFootprint({ effort }) {
  const folder = await mkdtemp(join(tmpdir(), "footprint-"));
  try {
    const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
    });
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    await install(folder, ["express@5"]);
    const express = await sizeOf(folder);
    await install(folder, [join(folder, JSON.parse(stdout)[0].filename)]);
    const both = await sizeOf(folder);
    const aside = await sizeOf(folder, ASIDE);
    return { imports: await compareImports(folder, effort), express, both, aside };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {FootprintResult} result */
function added({ express, both }) {
  return { packages: both.packages - express.packages, megabytes: (both.bytes - express.bytes) / 1e6 };
}

/** @param {Contest} imports @param {string} name */
function importRow(imports, name) {
  const took = whole(costOf(imports, name) / 1e3);
  if (name === EXPRESS) return [name, took, "1", "1"];
  const isTwin = name === twinOf(EXPRESS);
  const ratio = isTwin ? scatterOf(imports) : ratioOf(imports, EXPRESS, name);
  return [isTwin ? "the same once more" : name, took, ratioText(ratio), plain(ratio.quiet)];
}

/** @param {FootprintResult} result @returns {import("../report/tables.mjs").Table[]} */
export function footprintTables(result) {
  const { packages, megabytes } = added(result);
  const { aside, express, imports } = result;
  return [
    {
      title: "Importing, in fresh processes",
      head: ["package", "ms of processor time", "of Express", "quiet fifth"],
      rows: Object.keys(imports.rows).map((name) => importRow(imports, name)),
      notes: [
        "Importing the package imports Express, too. Passkeys load their own part later, beside the first requests.",
      ],
    },
    {
      title: "Installed from the packed tarball",
      head: ["what", "packages", "MB"],
      rows: [
        [EXPRESS, String(express.packages), (express.bytes / 1e6).toFixed(1)],
        [`added by ${OWN}`, String(packages), megabytes.toFixed(1)],
        ["of it rate-limit-redis", String(aside.packages), (aside.bytes / 1e6).toFixed(1)],
      ],
    },
  ];
}

/** @param {FootprintResult} result */
export function footprintTargets(result) {
  const { aside, imports } = result;
  const { packages, megabytes } = added(result);
  const { median, low, high, quiet } = ratioOf(imports, EXPRESS, OWN);
  const beyond = { median: median - 1, low: low - 1, high: high - 1, quiet: quiet - 1 };
  return [
    atMostOf("importing, beyond Express, of importing Express", beyond, scatterOf(imports), MOST_TIME),
    atMost("packages beyond Express", packages - aside.packages, Math.floor(KNOWN.packages * MOST_GROWTH)),
    atMost("MB beyond Express", megabytes - aside.bytes / 1e6, KNOWN.megabytes * MOST_GROWTH),
  ];
}
