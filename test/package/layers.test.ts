import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import ts from "typescript";

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
    const entries = entryFiles();
    expect(files.filter((file) => basename(file) === "index.ts" && !entries.includes(file))).toEqual([]);
  });

  test("no folder or file is called utils, helpers or common", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common)(\/|\.ts$)/.test(file))).toEqual([]);
  });
});

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, "lib", file), "utf8"), ts.ScriptTarget.Latest);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    found.push({ file, specifier: specifier.text, target: targetOf(file, specifier.text), typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isCallExpression(node) && loads(node)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function loads({ expression }: ts.CallExpression): boolean {
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === "require")
  );
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

/** The files the package's exports point at, from lib/. */
function entryFiles(): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { exports: object };
  const targets = JSON.stringify(exports).match(/\.\/dist\/esm\/[^"]+\.js/g) ?? [];
  return targets.map((target) => relative("dist/esm", target).replace(/\.js$/, ".ts"));
}
