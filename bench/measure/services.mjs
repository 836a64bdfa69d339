// @ts-check
// The database servers: those of the tests, which find and install the programs. They start on the core of the load.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Imports a module that is written in TypeScript. @param {string} path from the root of the repository */
async function importTypeScript(path) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [path],
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    write: false,
  });
  // Inside the repository, so that the packages it imports are found.
  const folder = await mkdtemp(join(root, "node_modules/.bench-"));
  const file = join(folder, "module.mjs");
  try {
    await writeFile(file, outputFiles[0]?.contents ?? "");
    return await import(pathToFileURL(file).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @type {() => Promise<import("../../test/support/redis.js").RedisServer>} */
export async function startRedis() {
  const { startRedis: start } = await importTypeScript("test/support/redis.ts");
  return start();
}

/** @type {() => Promise<import("../../test/support/postgres.js").PostgresServer>} */
export async function startPostgres() {
  const { startPostgres: start } = await importTypeScript("test/support/postgres.ts");
  return start();
}
