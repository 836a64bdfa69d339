import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Router } from "express";
import ts from "typescript";
import {
  backupCodes,
  emailCode,
  english,
  type Method,
  passkeys,
  push,
  smsCode,
  secondFactor,
  totp,
  type SecondFactorOptions,
} from "express-second-factor";
import { runCommand } from "../../lib/cli/commands.js";
import { root, subpaths, unaliased } from "./public-names.js";

/** Every method that comes with the package, with everything on that adds a route. */
export const METHODS: readonly Method[] = [
  totp(),
  backupCodes(),
  passkeys({ offer: true }),
  emailCode({ send: async () => undefined }),
  smsCode({ send: async () => undefined, countries: ["DE"] }),
  push({ channels: [] }),
];

/** What a type has: the names of its members, or the texts it is one of. */
export interface ReferenceType {
  readonly name: string;
  readonly members: readonly string[];
}

const sources = readdirSync(join(root, "lib"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => {
    const text = readFileSync(join(root, "lib", file), "utf8");
    return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false);
  });

function compiled(): ts.Program {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return ts.createProgram([...subpaths().values()], { ...options, types: ["node"] });
}

/** What the subpaths export: types with something to list in them, and values. */
export function exported(): { readonly types: readonly ReferenceType[]; readonly values: readonly string[] } {
  const program = compiled();
  const checker = program.getTypeChecker();
  const symbols = [...subpaths().values()].flatMap((file) =>
    checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!),
  );
  const types = new Map<string, ReferenceType>();
  const values = new Set<string>();
  for (const symbol of symbols) {
    const target = unaliased(symbol, checker);
    const { name } = symbol;
    const isTypeOnly = symbol.declarations?.some(ts.isTypeOnlyExportDeclaration) === true;
    if (target.flags & ts.SymbolFlags.Value && !isTypeOnly) values.add(name);
    if (!(target.flags & ts.SymbolFlags.Type)) continue;
    const members = membersOf(checker.getDeclaredTypeOfSymbol(target), checker);
    if (members.length > 0) types.set(name, { name, members });
  }
  return { types: [...types.values()], values: [...values] };
}

function membersOf(type: ts.Type, checker: ts.TypeChecker): string[] {
  const parts = type.isUnion() ? type.types : [type];
  const names = parts.flatMap((part) =>
    part.isStringLiteral()
      ? [part.value]
      : checker
          .getPropertiesOfType(part)
          .filter(isOwn)
          .map((each) => each.name),
  );
  return [...new Set(names)];
}

/** Declared in `lib/`, and for others to see. */
function isOwn({ declarations = [] }: ts.Symbol): boolean {
  const [declaration] = declarations;
  if (!declaration?.getSourceFile().fileName.startsWith(`${root}lib/`)) return false;
  return (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.NonPublicAccessibilityModifier) === 0;
}

/** What the package adds to the types of others: of Passport, and of Express' requests. */
export function augmentations(): ReferenceType[] {
  const found: ReferenceType[] = [];
  for (const source of sources) {
    const visit = (node: ts.Node, isAugmented: boolean): void => {
      const isInside =
        isAugmented || (ts.isModuleDeclaration(node) && (node.name.text === "passport" || node.name.text === "global"));
      if (isInside && ts.isInterfaceDeclaration(node)) {
        const members = node.members.map(({ name }) => (name as ts.Identifier).text);
        found.push({ name: node.name.text, members });
      }
      ts.forEachChild(node, (child) => visit(child, isInside));
    };
    visit(source, false);
  }
  return found;
}

/** Texts of the code that are a name of this shape. */
export function textsLike(shape: RegExp): string[] {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && shape.test(node.text)) found.add(node.text);
    ts.forEachChild(node, visit);
  };
  for (const source of sources) visit(source);
  return [...found];
}

/** Every route that is put below `path`, and the documents beside it: `POST /totp`. */
export function routes(options: SecondFactorOptions): string[] {
  const found: string[] = [];
  const prototype = Router.prototype as Record<
    "get" | "post",
    (this: unknown, path: string, ...rest: unknown[]) => unknown
  >;
  const before = { get: prototype.get, post: prototype.post };
  for (const verb of ["get", "post"] as const) {
    prototype[verb] = function record(path, ...rest) {
      found.push(`${verb.toUpperCase()} ${path}`);
      return before[verb].call(this, path, ...rest);
    };
  }
  try {
    secondFactor({ ...options, methods: METHODS });
  } finally {
    Object.assign(prototype, before);
  }
  const documents = METHODS.flatMap(({ wellKnown = {} }) => Object.keys(wellKnown));
  return [...found, ...documents.map((path) => `GET ${path}`)];
}

/** Every word of the pages: `settings.factors.title`. */
export function messageKeys(): string[] {
  const methods = Object.fromEntries(METHODS.map(({ page, type }) => [type, page.words]));
  return flattened({ ...english, methods });
}

function flattened(tree: object, path: readonly string[] = []): string[] {
  return Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
    typeof value === "object" && value !== null ? flattened(value, [...path, key]) : [[...path, key].join(".")],
  );
}

export function cssVariables(): string[] {
  return [...new Set(styleSheet().match(/--sf-[a-z-]+(?=:)/g))];
}

export function styleSheet(): string {
  return readFileSync(join(root, "lib/pages/assets/style.css"), "utf8");
}

/** The commands that the program knows, as it tells whoever asks. */
export async function commands(): Promise<string[]> {
  const told: string[] = [];
  const { stdout, stderr } = process;
  const before = { stdout: stdout.write, stderr: stderr.write };
  const listen = (text: string | Uint8Array): boolean => told.push(String(text)) > 0;
  Object.assign(stdout, { write: listen });
  Object.assign(stderr, { write: listen });
  try {
    await runCommand(["--help"]);
  } finally {
    Object.assign(stdout, { write: before.stdout });
    Object.assign(stderr, { write: before.stderr });
  }
  return [...told.join("").matchAll(/express-second-factor ([a-z]+(?:-[a-z]+)*)/g)].map(([, name]) => name ?? "");
}

/** Every member that a route reads of a body: what is given to `reader(v.object({ … }))`. */
export function bodyMembers(): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    const isReader = ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === "reader";
    const [schema] = isReader ? node.arguments : [];
    const [members] = schema !== undefined && ts.isCallExpression(schema) ? schema.arguments : [];
    if (members !== undefined && ts.isObjectLiteralExpression(members)) {
      for (const { name } of members.properties) if (name !== undefined && ts.isIdentifier(name)) found.add(name.text);
    }
    ts.forEachChild(node, visit);
  };
  for (const source of sources) visit(source);
  return found;
}
