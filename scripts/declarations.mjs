// @ts-check
// The types of the package: compiled from lib/, and of what comes out, the files that an entry point leads to.
import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));
// The part for browsers is compiled apart, because only it may know the DOM.
const PROJECTS = ["tsconfig.build.json", "tsconfig.browser.json"];
const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)\.js"/g;

/** @param {string} project @param {string} folder */
async function compile(project, folder) {
  try {
    await run("node_modules/.bin/tsc", ["--project", project, "--outDir", folder], { cwd: root });
  } catch (error) {
    const { stdout, stderr } = /** @type {{ stdout?: string; stderr?: string }} */ (error);
    throw new Error(`${project} does not compile\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

/** Everything these files import, however far down. @param {string} folder @param {readonly string[]} entries */
async function reachable(folder, entries) {
  const found = new Set(entries);
  // A set hands out what is added while it is walked.
  for (const file of found) {
    const text = await readFile(join(folder, file), "utf8");
    for (const [, path = ""] of text.matchAll(RELATIVE)) found.add(`${posix.join(dirname(file), path)}.d.ts`);
  }
  return found;
}

/** @param {string} folder @param {readonly string[]} entries the entry points' own, below the folder */
export async function emitDeclarations(folder, entries) {
  await Promise.all(PROJECTS.map((project) => compile(project, folder)));
  const wanted = await reachable(folder, entries);
  const emitted = (await readdir(folder, { recursive: true })).map((file) => file.replaceAll("\\", "/"));
  const unwanted = emitted.filter((file) => file.endsWith(".d.ts") && !wanted.has(file));
  await Promise.all(unwanted.map((file) => rm(join(folder, file))));
}
