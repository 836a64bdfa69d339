// @ts-check
// What does the package cost before anything happens: to import, and on the disk?
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { serverPrefix } from "../measure/cores.mjs";
import { spread } from "../measure/statistics.mjs";
import { atMost } from "../report/tables.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const PROCESSES = 11;
const [MOST_PACKAGES, MOST_MEGABYTES] = [60, 15];
const IMPORTS = {
  express: "express",
  "express-second-factor": "express-second-factor",
  "express-second-factor/redis": "express-second-factor/redis",
};

/** @typedef {import("../measure/statistics.mjs").Spread} Spread */
/** @typedef {{ packages: number, bytes: number }} Size */
/** @typedef {{ imports: Record<string, Spread>, ratio: Spread, express: Size, both: Size }} FootprintResult */

/** Processor milliseconds to import a package, in a process that has done nothing else. @param {string} folder @param {string} name */
async function importTime(folder, name) {
  const program = `const start = process.cpuUsage(); await import(${JSON.stringify(name)});
    const { user, system } = process.cpuUsage(start); console.log((user + system) / 1000);`;
  const [command, ...args] = [...serverPrefix, process.execPath, "--input-type=module", "--eval", program];
  const { stdout } = await run(command ?? process.execPath, args, { cwd: folder });
  return Number(stdout);
}

/** Each in turn, so that a machine that grows slower does so for all. @param {string} folder */
async function importTimes(folder) {
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(Object.keys(IMPORTS).map((name) => [name, []]));
  for (let round = 0; round < PROCESSES; round += 1) {
    for (const [name, found] of Object.entries(times)) found.push(await importTime(folder, name));
  }
  return times;
}

/** Packages below this folder, and the bytes of their files. @param {string} folder @returns {Promise<Size>} */
async function sizeOf(folder) {
  const lock = JSON.parse(await readFile(join(folder, "node_modules/.package-lock.json"), "utf8"));
  const entries = await readdir(join(folder, "node_modules"), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name !== ".package-lock.json");
  const sizes = await Promise.all(files.map(async ({ path, name }) => (await stat(join(path, name))).size));
  return { packages: Object.keys(lock.packages).length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

/** @param {string} folder @param {readonly string[]} packages */
async function install(folder, packages) {
  await run("npm", ["install", "--prefix", folder, "--prefer-offline", "--no-audit", "--no-fund", ...packages]);
}

/** @returns {Promise<FootprintResult>} */
export async function measureFootprint() {
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
    const times = await importTimes(folder);
    const [product = [], alone = []] = [times["express-second-factor"], times["express"]];
    return {
      imports: Object.fromEntries(Object.entries(times).map(([name, found]) => [name, spread(found)])),
      ratio: spread(product.map((time, round) => time / (alone[round] ?? NaN))),
      express,
      both,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @param {FootprintResult} result */
function added({ express, both }) {
  return { packages: both.packages - express.packages, megabytes: (both.bytes - express.bytes) / 1e6 };
}

/** @param {FootprintResult} result @returns {import("../report/tables.mjs").Table[]} */
export function footprintTables(result) {
  const { packages, megabytes } = added(result);
  const { express } = result;
  return [
    {
      title: "Importing, in fresh processes",
      head: ["package", "ms of processor time"],
      rows: Object.entries(result.imports).map(([name, { median, low, high }]) => {
        return [name, `${median.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`];
      }),
      notes: [
        "Importing the package imports Express, too. Passkeys load their own part later, beside the first requests.",
      ],
    },
    {
      title: "Installed from the packed tarball",
      head: ["what", "packages", "MB"],
      rows: [
        ["express", String(express.packages), (express.bytes / 1e6).toFixed(1)],
        ["added by express-second-factor", String(packages), megabytes.toFixed(1)],
      ],
    },
  ];
}

/** @param {FootprintResult} result */
export function footprintTargets(result) {
  const { packages, megabytes } = added(result);
  const beyond = result.ratio.median - 1;
  return [
    atMost("importing, beyond Express, of importing Express", beyond, 1),
    atMost("packages beyond Express", packages, MOST_PACKAGES),
    atMost("MB beyond Express", megabytes, MOST_MEGABYTES),
  ];
}
