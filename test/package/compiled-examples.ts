import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { Example } from "./documented-examples.js";
import { root, subpaths, unaliased } from "./public-names.js";

const APPLICATION = fileURLToPath(new URL("application.ts", import.meta.url));

/** What the users of examples have, which a JavaScript application never has to say. */
const USERS = APPLICATION.replace(/application\.ts$/, "example-users.ts");
const USER_TYPE = "declare global { namespace Express { interface User { id: string; username: string } } } export {};";

/** The one name of the library that an example may use without importing it: every application has it. */
const IMPORTED = "secondFactor";

const NAMES = { Names: membersOf("Names"), PageNames: membersOf("PageNames") };

export interface Source {
  /** One line of declarations, then the example. */
  readonly text: string;
  /** The application's names that the example uses. */
  readonly given: readonly string[];
  /** The values that the example makes. */
  readonly made: readonly string[];
  readonly isForBrowser: boolean;
}

/** An example as a module of its own. */
export function sourceOf({ code }: Pick<Example, "code">): Source {
  // `{ ..., policy }`: a spread of nothing stands for all that is not the point.
  const whole = code.replaceAll(/\.\.\.(?=\s*[,}])/g, "...options");
  const { imported, made } = declaredIn(whole);
  const isForBrowser = code.includes("express-second-factor/browser");
  const type = isForBrowser ? "PageNames" : "Names";
  const isUsed = (name: string): boolean =>
    new RegExp(`\\b${name}\\b`).test(whole) && ![...imported, ...made].includes(name);
  const given = NAMES[type].filter(isUsed);
  const preamble = [
    ...(isUsed(IMPORTED) ? [`import { ${IMPORTED} } from "express-second-factor";`] : []),
    ...given.map((name) => `declare const ${name}: import("./${basename(APPLICATION, ".ts")}.js").${type}["${name}"];`),
    // A module, whatever the example is.
    "export {};",
  ];
  return { text: `${preamble.join(" ")}\n${whole}`, given, made, isForBrowser };
}

function declaredIn(code: string): { readonly imported: string[]; readonly made: string[] } {
  const { statements } = ts.createSourceFile("example.ts", code, ts.ScriptTarget.Latest);
  const imported = statements.filter(ts.isImportDeclaration).flatMap(({ importClause }) => {
    const { name, namedBindings } = importClause ?? {};
    const named = namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements : [];
    return [name, ...named.map((each) => each.name)].flatMap((each) => each?.text ?? []);
  });
  const variables = statements.filter(ts.isVariableStatement);
  const made = variables.flatMap(({ declarationList }) =>
    declarationList.declarations.flatMap(({ name }) => namesIn(name)),
  );
  return { imported, made };
}

function namesIn(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? namesIn(element.name) : []));
}

/** A program of the library and the examples, under the compiler options of the library itself. */
export class CompiledExamples {
  readonly program: ts.Program;
  private readonly places: ReadonlyMap<Example, string>;

  constructor(examples: readonly Example[]) {
    const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile) as { config: object };
    const paths = Object.fromEntries([...subpaths()].map(([path, file]) => [path, [file]]));
    const options: ts.CompilerOptions = {
      ...ts.parseJsonConfigFileContent(config, ts.sys, root).options,
      paths,
      // An example ends where something was made.
      noUnusedLocals: false,
      noUnusedParameters: false,
    };
    this.places = new Map(
      examples.map((example, index) => [example, APPLICATION.replace(/application\.ts$/, `example-${index}.ts`)]),
    );
    const texts = new Map([...this.places].map(([example, place]) => [place, sourceOf(example).text]));
    texts.set(USERS, USER_TYPE);
    const host = ts.createCompilerHost(options);
    const { fileExists, readFile } = host;
    host.fileExists = (file) => texts.has(file) || fileExists(file);
    host.readFile = (file) => texts.get(file) ?? readFile(file);
    this.program = ts.createProgram([...subpaths().values(), ...texts.keys()], options, host);
  }

  /** What the compiler says of an example, each with where it stands. */
  problems(example: Example): string[] {
    const file = this.fileOf(example);
    const found = [...this.program.getSyntacticDiagnostics(file), ...this.program.getSemanticDiagnostics(file)];
    return found.map(({ start = 0, messageText }) => {
      const { line } = file.getLineAndCharacterOfPosition(start);
      return `${example.file}:${example.line + line - 1} ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
    });
  }

  /** Everything an example names. */
  uses(example: Example): ReadonlySet<ts.Symbol> {
    const checker = this.program.getTypeChecker();
    const found = new Set<ts.Symbol>();
    const visit = (node: ts.Node): void => {
      const symbol = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined;
      // An import alone shows nothing.
      if (symbol !== undefined && !ts.isImportDeclaration(node)) found.add(unaliased(symbol, checker));
      if (!ts.isImportDeclaration(node)) ts.forEachChild(node, visit);
    };
    visit(this.fileOf(example));
    return found;
  }

  private fileOf(example: Example): ts.SourceFile {
    return this.program.getSourceFile(this.places.get(example)!)!;
  }
}

function membersOf(type: string): string[] {
  const source = ts.createSourceFile(APPLICATION, readFileSync(APPLICATION, "utf8"), ts.ScriptTarget.Latest, true);
  const found = source.statements.find((each) => ts.isInterfaceDeclaration(each) && each.name.text === type);
  if (found === undefined || !ts.isInterfaceDeclaration(found))
    throw new Error(`There is no ${type} in ${APPLICATION}`);
  return found.members.map((member) => member.name?.getText() ?? "");
}
