import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { root } from "./public-names.js";

/** A piece of code that somebody will paste. */
export interface Example {
  /** Where it stands: `SecondFactor.require`, or `README.md: Step-up`; a second one there ends with `(2)`. */
  readonly title: string;
  /** The name whose docstring it stands in. */
  readonly of: string | undefined;
  readonly file: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

interface Block {
  readonly code: string;
  /** Lines of the text before the code. */
  readonly before: number;
}

const FENCED = /^([ ]*)```[jt]s\n([^]*?)^\1```$/gm;

export function documentedExamples(): Example[] {
  const sources = filesBelow("lib", ".ts").flatMap(inDocstrings);
  const papers = ["README.md", ...filesBelow("docs", ".md")].flatMap(inMarkdown);
  const seen = new Map<string, number>();
  return [...sources, ...papers].map((example) => {
    const times = (seen.get(example.title) ?? 0) + 1;
    seen.set(example.title, times);
    return times === 1 ? example : { ...example, title: `${example.title} (${times})` };
  });
}

function filesBelow(folder: string, ending: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
}

function blocksIn(text: string): Block[] {
  return [...text.matchAll(FENCED)].map(({ 1: indent = "", 2: code = "", index }) => ({
    code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    before: text.slice(0, index).split("\n").length,
  }));
}

function inMarkdown(file: string): Example[] {
  const text = readFileSync(join(root, file), "utf8");
  const lines = text.split("\n");
  return blocksIn(text).map(({ code, before }) => {
    const heading = lines.slice(0, before).findLast((line) => /^#+ /.test(line)) ?? "";
    return { title: `${file}: ${heading.replace(/^#+ /, "")}`, of: undefined, file, line: before + 1, code };
  });
}

function inDocstrings(file: string): Example[] {
  const text = readFileSync(join(root, file), "utf8");
  if (!text.includes("@example")) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Example[] = [];
  const visit = (node: ts.Node): void => {
    const title = nameOf(node);
    for (const tag of title === undefined ? [] : ts.getJSDocTags(node)) {
      if (tag.tagName.text !== "example") continue;
      const start = source.getLineAndCharacterOfPosition(tag.getStart()).line + 2;
      for (const { code, before } of blocksIn(ts.getTextOfJSDocComment(tag.comment) ?? "")) {
        found.push({ title: title!, of: title, file, line: start + before, code });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `redisStore`, or `Accounts.reset`; undefined where nothing is declared. */
function nameOf(node: ts.Node): string | undefined {
  if (ts.isMethodDeclaration(node) || ts.isMethodSignature(node) || ts.isPropertySignature(node)) {
    return `${nameOf(node.parent) ?? ""}.${node.name.getText()}`;
  }
  const isNamed = ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
  if (isNamed) return node.name?.text;
  return ts.isVariableStatement(node) ? node.declarationList.declarations[0]?.name.getText() : undefined;
}
