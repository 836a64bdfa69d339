import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Manifest {
  readonly exports: object;
  readonly bin: Readonly<Record<string, string>>;
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
}

/** The files where the package's subpaths begin, as they are called in either format, such as `redis/index.js`. */
export function entryPoints(): string[] {
  const targets = JSON.stringify(manifest().exports).match(/\.\/dist\/esm\/[^"]+\.js/g) ?? [];
  return targets.map((target) => relative("dist/esm", target));
}

/** The files that are run from the command line, from dist/. */
export function programs(): string[] {
  return Object.values(manifest().bin).map((target) => relative("dist", target));
}
