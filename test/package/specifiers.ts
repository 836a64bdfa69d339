import { readFileSync } from "node:fs";
import ts from "typescript";

/** What one file imports from another, in whichever way. */
export interface Specifier {
  readonly text: string;
  readonly typeOnly: boolean;
  /** Loaded when the program comes there and not with the file: by `import()`, or by `require` inside a function. */
  readonly isLazy: boolean;
}

/** Every import of a file, TypeScript or JavaScript, in either module format. */
export function specifiersOf(file: string): Specifier[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  const found: Specifier[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, isLazy = false): void => {
    if (specifier && ts.isStringLiteralLike(specifier)) found.push({ text: specifier.text, typeOnly, isLazy });
  };
  const visit = (node: ts.Node, isInFunction: boolean): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    else if (ts.isCallExpression(node) && loads(node)) add(node.arguments[0], false, isInFunction || isImport(node));
    ts.forEachChild(node, (child) => visit(child, isInFunction || ts.isFunctionLike(node)));
  };
  visit(source, false);
  return found;
}

function loads(call: ts.CallExpression): boolean {
  return isImport(call) || (ts.isIdentifier(call.expression) && call.expression.text === "require");
}

function isImport({ expression }: ts.CallExpression): boolean {
  return expression.kind === ts.SyntaxKind.ImportKeyword;
}
