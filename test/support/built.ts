import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");
/** What the build is made from. */
const SOURCES = [
  "lib",
  "package.json",
  "scripts/build.mjs",
  "scripts/declarations.mjs",
  "scripts/embed-assets.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "tsconfig.browser.json",
];

/**
 * Where a file or folder of the built package is. Beside a build that is older than its sources a test would pass or fail for
 * the wrong reason, and a build made by the test would pull it away from others: so there is one, and it is fresh.
 */
export function built(path = ""): string {
  const sources = SOURCES.flatMap((source) => changesBelow(join(root, source)));
  const files = changesBelow(dist);
  if (files.length === 0 || Math.min(...files) < Math.max(...sources)) {
    throw new Error("dist/ is missing or older than what it is made from: run `npm run build`");
  }
  return join(dist, path);
}

/** When each was last changed; of a folder itself too, because that is what a removed file leaves behind. */
function changesBelow(path: string): number[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  const below = found.isDirectory() ? readdirSync(path, { recursive: true, encoding: "utf8" }) : [];
  return [found.mtimeMs, ...below.map((name) => statSync(join(path, name)).mtimeMs)];
}
