// One build and one source: no test sees a package that is older than its sources, nor one process two copies of it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "@jest/globals";
import { isBuildFresh, sourcesNow } from "../../scripts/build-record.mjs";
import { built } from "../support/built.js";

const folder = fileURLToPath(new URL("..", import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("package/consumers"))
  .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));

test("what is built is of the sources as they are", async () => {
  expect(await isBuildFresh()).toBe(true);
  expect(built("esm/index.js")).toMatch(/dist\/esm\/index\.js$/);
  expect(await sourcesNow()).toBe(await sourcesNow());
});

test("every test that uses the build asks whether it is", () => {
  const named = files.filter(({ text }) => /["'`/]dist\//.test(text)).map(({ file }) => file);
  // They name places of the package, in words or from its manifest, and read no file there.
  const inWords = [
    "package/entry-points.ts",
    "package/one-build.test.ts",
    "package/packed.test.ts",
    "package/public-names.ts",
  ];
  expect(named.filter((file) => !inWords.includes(file) && file !== "support/built.ts")).toEqual([]);
});

test("no test loads the build into the process that has the sources", () => {
  const loading = files.filter(({ text }) => /\bimport\(\s*built\(|require\(\s*built\(/.test(text));
  expect(loading.map(({ file }) => file).filter((file) => file !== "package/one-build.test.ts")).toEqual([]);
});
