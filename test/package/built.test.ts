import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { built } from "../support/built.js";
import { entryPoints, programs } from "./entry-points.js";
import { root } from "./public-names.js";
import { specifiersOf } from "./specifiers.js";

const FORMATS = ["esm", "cjs"] as const;
/** Loaded when it is first needed: it alone costs more than the rest together. */
const LAZY = ["@simplewebauthn/server", "@simplewebauthn/server/helpers"];
/** Kilobytes of code that a process reads at import, without source maps. */
const BUDGET: Readonly<Record<string, number>> = {
  index: 955,
  browser: 29,
  audit: 49,
  opentelemetry: 15,
  redis: 30,
  sql: 20,
  testing: 30,
  mail: 45,
  twilio: 15,
  sns: 15,
  "web-push": 24,
  firebase: 21,
  onesignal: 15,
};

const dist = built();
const files = filesBelow(dist);
const bundles = FORMATS.flatMap((format) => entryPoints().map((entry) => ({ format, file: `${format}/${entry}` })));
const scripts = [...bundles.map(({ file }) => file), ...programs()];

interface SourceMap {
  readonly sources: readonly string[];
}

describe("the build", () => {
  test("has one file of code for each entry point and format, and each program, and no more", () => {
    expect(files.filter((file) => file.endsWith(".js"))).toEqual([...scripts].sort());
  });

  test("holds nothing that no entry point leads to", () => {
    const beside = scripts.map((file) => `${file}.map`);
    const wanted = [...scripts, ...beside, ...declarations(), "cjs/package.json"];
    expect(files).toEqual(wanted.sort());
  });

  test.each(scripts)("%s is made of files of lib/ alone, as its source map says", (file) => {
    const text = readFileSync(join(dist, file), "utf8");
    const mapName = /\/\/# sourceMappingURL=(.+)\n$/.exec(text)?.[1] ?? "";
    const { sources } = JSON.parse(readFileSync(join(dist, dirname(file), mapName), "utf8")) as SourceMap;
    const found = sources.map((source) => relative(root, join(dist, dirname(file), source)));
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((source) => !source.startsWith("lib/") || !existsSync(join(root, source)))).toEqual([]);
  });

  test("every package that lib/ imports is imported by the bundles, and is a dependency", () => {
    const inLib = filesBelow(join(root, "lib")).filter((file) => file.endsWith(".ts"));
    const wanted = packagesOf(inLib.map((file) => join(root, "lib", file)));
    const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      dependencies: object;
      peerDependencies: object;
    };
    expect(wanted.filter((name) => !(name in { ...dependencies, ...peerDependencies }))).toEqual([]);
    for (const format of FORMATS) {
      const ofFormat = scripts.filter((file) => file.startsWith(format)).map((file) => join(dist, file));
      expect([format, packagesOf(ofFormat)]).toEqual([format, wanted]);
    }
  });

  test.each(bundles)("$file imports packages alone, and in its own format", ({ format, file }) => {
    const path = join(dist, file);
    expect(specifiersOf(path).filter(({ text }) => text.startsWith("."))).toEqual([]);
    // Test runners that load CommonJS cannot import().
    const words = format === "esm" ? /\brequire\("[^']/ : /^(?:import|export)\b|\bimport\(/m;
    expect(words.exec(readFileSync(path, "utf8"))?.[0]).toBeUndefined();
  });

  test.each(FORMATS)("what passkeys need is still loaded when they are used: %s", (format) => {
    const found = specifiersOf(join(dist, format, "index.js")).filter(({ text }) => LAZY.includes(text));
    expect(found).toEqual(LAZY.map((text) => ({ text, typeOnly: false, isLazy: true })));
  });

  test("CommonJS says that it is", () => {
    expect(JSON.parse(readFileSync(join(dist, "cjs/package.json"), "utf8"))).toEqual({ type: "commonjs" });
  });

  test.each(programs())("%s can be run as a program", (file) => {
    accessSync(join(dist, file), constants.X_OK);
    expect(readFileSync(join(dist, file), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test.each(Object.entries(BUDGET))("%s stays within its %i kB", (entry, budget) => {
    const file = entry === "index" ? "index.js" : `${entry}/index.js`;
    for (const format of FORMATS) expect(statSync(join(dist, format, file)).size).toBeLessThan(budget * 1000);
  });
});

function filesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => name.split("\\").join("/"))
    .sort();
}

/** The types of the entry points, and what they import. */
function declarations(): string[] {
  const found = new Set(bundles.map(({ file }) => file.replace(/\.js$/, ".d.ts")));
  // A set hands out what is added while it is walked.
  for (const file of found) {
    for (const { text } of specifiersOf(join(dist, file))) {
      if (text.startsWith(".")) found.add(posix.join(dirname(file), text.replace(/\.js$/, ".d.ts")));
    }
  }
  expect([...found].filter((file) => !existsSync(join(dist, file)))).toEqual([]);
  return [...found];
}

/** Packages that these files load, without their subpaths and what Node brings. */
function packagesOf(paths: readonly string[]): string[] {
  const loaded = paths.flatMap(specifiersOf).filter(({ text, typeOnly }) => !typeOnly && !/^(\.|node:)/.test(text));
  const names = loaded.map(({ text }) => /^(?:@[^/]+\/)?[^/]+/.exec(text)?.[0] ?? text);
  return [...new Set(names)].sort();
}
