// @ts-check
// What a build was made from and what came of it, so that whoever uses it can tell whether it is of the sources beside it: times of
// change say little after a checkout, a copy or a mutation.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const RECORD = join(root, "node_modules/.cache/express-second-factor/build.json");

/** What the build is made from. */
const SOURCES = [
  "lib",
  "package.json",
  "scripts/build.mjs",
  "scripts/build-record.mjs",
  "scripts/declarations.mjs",
  "scripts/embed-assets.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "tsconfig.browser.json",
];

/** @param {string} path @returns {Promise<string[]>} */
async function filesBelow(path) {
  const found = await stat(join(root, path)).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const names = await readdir(join(root, path));
  const below = await Promise.all(names.sort().map((name) => filesBelow(`${path}/${name}`)));
  return below.flat();
}

/** The names and contents of files and folders, in short. @param {readonly string[]} paths */
async function digestOf(paths) {
  const hash = createHash("sha256");
  for (const file of (await Promise.all(paths.map(filesBelow))).flat()) {
    const content = await readFile(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** What a build would be made from now. */
export function sourcesNow() {
  return digestOf(SOURCES);
}

/** Written when a build is done. @param {string} sources What it was made from. */
export async function recordBuild(sources) {
  await mkdir(dirname(RECORD), { recursive: true });
  await writeFile(RECORD, JSON.stringify({ sources, dist: await digestOf(["dist"]) }));
}

/** Whether dist/ is what the last build left, and that of the sources as they are. */
export async function isBuildFresh() {
  /** @type {unknown} */
  const record = JSON.parse(await readFile(RECORD, "utf8").catch(() => "{}"));
  const [sources, dist] = await Promise.all([sourcesNow(), digestOf(["dist"])]);
  return JSON.stringify(record) === JSON.stringify({ sources, dist });
}
