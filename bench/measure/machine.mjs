// @ts-check
// What the figures were taken on: without it they mean nothing.
import { readFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { isPinned } from "./cores.mjs";

/** @param {string} path from this folder */
async function versionIn(path) {
  const { version } = JSON.parse(await readFile(new URL(path, import.meta.url), "utf8"));
  return String(version);
}

const PACKAGES = [
  "express",
  "express-session",
  "passport",
  "express-rate-limit",
  "connect-redis",
  "rate-limit-redis",
  "redis",
  "pg",
];
const PEERS = ["passport-totp", "better-auth"];

/** @returns {Promise<string>} */
async function system() {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /PRETTY_NAME="(.*)"/.exec(text)?.[1] ?? `${type()} ${release()}`;
}

/** @param {{ redis: string, postgres: string }} servers their versions */
export async function describeMachine({ redis, postgres }) {
  /** @type {Record<string, string>} */
  const packages = { "express-second-factor": await versionIn("../../package.json") };
  for (const name of PACKAGES) packages[name] = await versionIn(`../../node_modules/${name}/package.json`);
  // Installed for the questions that are about them.
  for (const name of PEERS) {
    packages[name] = await versionIn(`../peers/node_modules/${name}/package.json`).catch(() => "(not installed)");
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: await system(),
    node: process.version,
    redis,
    postgres,
    isPinned,
    loadBefore: loadavg()[0] ?? 0,
    packages,
  };
}

/** @param {Awaited<ReturnType<typeof describeMachine>>} machine */
export function machineText({ packages, ...machine }) {
  const cores = machine.isPinned
    ? "the server on a core of its own, load and databases on another"
    : "no process was bound to a core";
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  const hardware = `${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}`;
  const programs = `Node ${machine.node}, Redis ${machine.redis}, PostgreSQL ${machine.postgres}`;
  return [
    `${machine.date}: ${hardware}, ${programs}; ${cores}; load average before ${machine.loadBefore.toFixed(1)}.`,
    `${versions.join(", ")}.`,
  ].join("\n\n");
}
