import { readdirSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { entryPoints } from "./entry-points.js";
import { specifiersOf } from "./specifiers.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The table of contents and the composition root stand above all folders. */
const TOP = ["index.ts", "second-factor.ts"];

/** Folder to the folders it may import; `types` may be imported with `import type` only. */
const LAYERS: Record<string, { values: string[]; types?: string[] }> = {
  core: { values: [] },
  crypto: { values: ["core"] },
  stores: { values: ["core", "crypto"] },
  redis: { values: ["stores"] },
  sql: { values: ["stores"] },
  events: { values: ["core"] },
  limits: { values: ["core", "stores"] },
  devices: { values: ["core", "crypto", "stores"] },
  policy: { values: ["core"] },
  methods: { values: ["core", "crypto", "stores"] },
  engine: { values: ["core", "crypto", "stores", "methods", "limits", "devices", "policy", "events"] },
  pages: { values: ["core"], types: ["engine"] },
  options: {
    values: ["core", "crypto", "stores", "methods", "pages", "policy"],
    types: ["engine", "events", "limits"],
  },
  http: { values: ["core", "crypto", "engine", "pages", "methods", "policy", "events", "options"] },
  passport: { values: ["core", "engine", "http", "options", "policy"] },
  cli: { values: ["crypto"], types: ["engine"] },
  testing: { values: ["core", "stores", "crypto"] },
  browser: { values: [], types: ["core"] },
};

interface Import {
  /** The importing file, from lib/, e.g. `engine/challenge.ts`. */
  file: string;
  specifier: string;
  /** The imported file from lib/, for relative imports. */
  target: string | undefined;
  typeOnly: boolean;
}

const files = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
  .map((file) => file.split("\\").join("/"))
  .filter((file) => file.endsWith(".ts"))
  .sort();
const imports = files.flatMap(importsOf);

describe("the layers of lib/", () => {
  test("every folder has its place in the order", () => {
    const folders = new Set(files.filter((file) => file.includes("/")).map(folderOf));
    expect([...folders].filter((folder) => !(folder in LAYERS))).toEqual([]);
    expect(files.filter((file) => !file.includes("/") && !TOP.includes(file))).toEqual([]);
  });

  test("a folder imports only what lies below it", () => {
    expect(imports.filter(climbs).map(sentence)).toEqual([]);
  });

  test("core stands alone: no package either", () => {
    expect(imports.filter(({ file, target }) => folderOf(file) === "core" && !target).map(sentence)).toEqual([]);
  });

  test("only crypto/ touches node:crypto", () => {
    const touching = imports.filter(({ specifier }) => /^(node:)?crypto$/.test(specifier));
    expect(touching.filter(({ file }) => folderOf(file) !== "crypto").map(sentence)).toEqual([]);
  });

  test("no file imports an index.ts from inside", () => {
    expect(imports.filter(({ target }) => target && basename(target) === "index.ts").map(sentence)).toEqual([]);
  });

  test("an index.ts stands only where a subpath of the package begins", () => {
    const entries = entryPoints().map((file) => file.replace(/\.js$/, ".ts"));
    expect(files.filter((file) => basename(file) === "index.ts" && !entries.includes(file))).toEqual([]);
  });

  test("no folder or file is called utils, helpers or common", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});

function importsOf(file: string): Import[] {
  return specifiersOf(join(root, "lib", file)).map(({ text, typeOnly }) => ({
    file,
    specifier: text,
    target: targetOf(file, text),
    typeOnly,
  }));
}

function targetOf(file: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(dirname(file), specifier).replace(/\.js$/, ".ts") : undefined;
}

function climbs({ file, target, typeOnly }: Import): boolean {
  if (!target || TOP.includes(file) || folderOf(file) === folderOf(target)) return false;
  const { values, types = [] } = LAYERS[folderOf(file)] ?? { values: [] };
  return !(typeOnly ? [...values, ...types] : values).includes(folderOf(target));
}

function folderOf(file: string): string {
  return file.split("/")[0]!;
}

function sentence({ file, specifier }: Import): string {
  return `lib/${file} imports "${specifier}"`;
}
