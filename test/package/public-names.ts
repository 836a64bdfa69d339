import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** What an application hands over for the library to call. It calls none of their functions itself. */
const CALLED_BY_THE_LIBRARY = ["Store", "Method", "MethodPage", "Route", "MailTransport", "PushChannel", "PushStore"];

/** Something an application can use: exported by a subpath, or a member of what an exported function answers. */
export interface PublicName {
  /** `redisStore`, or `SecondFactor.require`. */
  readonly name: string;
  readonly symbol: ts.Symbol;
  readonly isMember: boolean;
}

/** The package's subpaths as they are imported, and the file in `lib/` where each begins. */
export function subpaths(): ReadonlyMap<string, string> {
  const { name, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    exports: Record<string, { import: string }>;
  };
  const entries = Object.entries(exports).filter(([path]) => path !== "./package.json");
  return new Map(
    entries.map(([path, conditions]) => [
      path.replace(".", name),
      conditions.import.replace("./dist/esm", `${root}lib`).replace(/\.js$/, ".ts"),
    ]),
  );
}

export function publicNames(program: ts.Program): PublicName[] {
  const checker = program.getTypeChecker();
  const found = new Map<ts.Symbol, PublicName>();
  const addMembers = (type: ts.Type): void => {
    if (isCalledByTheLibrary(type, checker)) return;
    for (const symbol of type.getProperties().filter(isOurs)) {
      const member = checker.getTypeOfSymbol(symbol);
      if (found.has(symbol) || !(isCallable(member) || hasMethods(member, checker))) continue;
      found.set(symbol, { name: `${type.symbol.name}.${symbol.name}`, symbol, isMember: true });
      if (!isCallable(member)) addMembers(member);
    }
  };
  for (const symbol of [...subpaths().values()].flatMap((file) => valuesExportedBy(file, program))) {
    found.set(symbol, { name: symbol.name, symbol, isMember: false });
    for (const signature of checker.getTypeOfSymbol(symbol).getCallSignatures()) addMembers(signature.getReturnType());
  }
  return [...found.values()];
}

function valuesExportedBy(file: string, program: ts.Program): ts.Symbol[] {
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)!;
  return checker
    .getExportsOfModule(module)
    .filter(({ declarations = [] }) => !declarations.some(ts.isTypeOnlyExportDeclaration))
    .map((symbol) => unaliased(symbol, checker))
    .filter(({ flags }) => flags & ts.SymbolFlags.Value);
}

export function unaliased(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** Declared in `lib/`, and for others to use. */
function isOurs(symbol: ts.Symbol): boolean {
  const [declaration] = symbol.declarations ?? [];
  if (!declaration?.getSourceFile().fileName.startsWith(`${root}lib/`)) return false;
  return (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.NonPublicAccessibilityModifier) === 0;
}

function isCalledByTheLibrary(type: ts.Type, checker: ts.TypeChecker): boolean {
  const symbol = type.getSymbol();
  if (symbol === undefined || CALLED_BY_THE_LIBRARY.includes(symbol.name)) return symbol !== undefined;
  const bases = checker.getDeclaredTypeOfSymbol(symbol).getBaseTypes() ?? [];
  return bases.some((base) => isCalledByTheLibrary(base, checker));
}

function isCallable(type: ts.Type): boolean {
  return type.getCallSignatures().length > 0;
}

function hasMethods(type: ts.Type, checker: ts.TypeChecker): boolean {
  if (!(type.flags & ts.TypeFlags.Object) || checker.isArrayType(type)) return false;
  return type.getProperties().some((symbol) => isCallable(checker.getTypeOfSymbol(symbol)));
}
