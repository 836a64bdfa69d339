import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import ts from "typescript";
import { backupCodes, emailCode, passkeys, push, smsCode, totp } from "express-second-factor";
import { entryPoints } from "./entry-points.js";
import { specifiersOf } from "./specifiers.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The table of contents and the composition root stand above all folders. */
const TOP = ["index.ts", "second-factor.ts"];

/** What a folder may import. `types` may be imported with `import type` only; `packages` are restricted where they are named. */
interface Layer {
  readonly values: readonly string[];
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
}

/** Every folder, from the bottom up. */
const LAYERS: Readonly<Record<string, Layer>> = {
  core: { values: [], packages: ["fastest-levenshtein"] },
  crypto: { values: ["core"] },
  policy: { values: ["core"], packages: ["node:net", "ms"] },
  events: { values: ["core"] },
  stores: { values: ["core", "crypto"] },
  engine: { values: ["core", "crypto", "policy", "events", "stores"] },
  pages: { values: ["core"], types: ["engine"] },
  http: { values: ["core", "crypto", "policy", "events", "engine", "pages"], types: ["stores"] },
  methods: { values: ["core", "crypto", "policy", "engine", "pages", "http"] },
  options: { values: ["core", "crypto", "policy", "events", "stores", "http", "pages"], types: ["engine"] },
  redis: { values: ["stores"] },
  sql: { values: ["stores"] },
  senders: { values: ["core"] },
  mail: { values: ["core", "crypto", "policy", "pages", "senders"], types: ["events", "engine"] },
  twilio: { values: ["core", "senders"] },
  sns: { values: ["core", "senders"] },
  channels: { values: ["core", "crypto"] },
  "web-push": { values: ["core", "channels"] },
  firebase: { values: ["core", "channels"] },
  onesignal: { values: ["core", "channels"] },
  audit: { values: ["core", "crypto", "policy"], types: ["events", "stores"] },
  opentelemetry: { values: ["core", "events"] },
  cli: { values: ["core", "crypto", "audit"], types: ["engine"] },
  testing: { values: ["core", "crypto", "stores"], types: ["events", "senders"] },
  browser: { values: ["core"] },
};

/** What serves every method, those of others too. */
const GENERAL = ["core", "crypto", "policy", "events", "stores", "engine", "pages", "http", "options"];
const send = async (): Promise<void> => undefined;
const CODES = [emailCode({ send }), smsCode({ send, countries: ["DE"] })];
const METHODS = [totp(), passkeys(), backupCodes(), ...CODES, push({ channels: [] })].map(({ type }) => type);

/** A method's name that is not its own word: the noun the rules about backup codes need, and a public function's name. */
const NAMED_BELOW = [
  'lib/core/nouns.ts says "backup-code"',
  'lib/engine/account-imports.ts says "totp"',
  'lib/engine/account-imports.ts says "email-code"',
  'lib/engine/account-imports.ts says "sms-code"',
];

interface Import {
  /** The importing file, from lib/, e.g. `engine/challenges.ts`. */
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

  test("core needs no package but for how near two names are, and policy none but for durations and networks", () => {
    expect(imports.filter(reachesOut).map(sentence)).toEqual([]);
  });

  test("only the composition root and the table of contents know a method", () => {
    const knowing = imports.filter(({ file, target }) => target && isMethods(target) && !isMethods(file));
    expect(knowing.filter(({ file }) => !TOP.includes(file)).map(sentence)).toEqual([]);
  });

  test("no method knows another one", () => {
    const between = imports.filter(({ file, target }) => target && isMethods(target) && isMethods(file));
    expect(between.filter(({ file, target }) => dirname(file) !== dirname(target!)).map(sentence)).toEqual([]);
    expect(files.filter((file) => isMethods(file) && file.split("/").length !== 3)).toEqual([]);
  });

  test("what knows no method names none either", () => {
    const named = files
      .filter((file) => GENERAL.includes(folderOf(file)))
      .flatMap((file) => methodsIn(file).map((type) => `lib/${file} says "${type}"`));
    expect(named).toEqual(NAMED_BELOW);
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

/** The methods that are named by a text of their own in the code, comments aside. */
function methodsIn(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && METHODS.includes(node.text)) found.push(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(join(root, "lib", file), "utf8"), ts.ScriptTarget.Latest));
  return found;
}

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

function reachesOut({ file, specifier, target }: Import): boolean {
  const allowed = LAYERS[folderOf(file)]?.packages;
  return !target && allowed !== undefined && !allowed.includes(specifier);
}

function isMethods(file: string): boolean {
  return folderOf(file) === "methods";
}

function folderOf(file: string): string {
  return file.split("/")[0]!;
}

function sentence({ file, specifier }: Import): string {
  return `lib/${file} imports "${specifier}"`;
}
