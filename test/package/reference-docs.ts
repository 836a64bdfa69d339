import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./public-names.js";

export interface Row {
  /** Text of the cells, as it is written. */
  readonly cells: readonly string[];
  /** Every piece of code in the first one. */
  readonly code: readonly string[];
}

/** What stands between two headings. */
export interface Section {
  readonly file: string;
  readonly title: string;
  /** Types that the heading names: what the table lists is theirs. */
  readonly types: readonly string[];
  readonly rows: readonly Row[];
  readonly text: string;
}

const folder = join(root, "docs");

export const papers: readonly { readonly file: string; readonly text: string }[] = readdirSync(folder)
  .filter((file) => file.endsWith(".md"))
  .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }));

export const sections: readonly Section[] = papers.flatMap(({ file, text }) =>
  text.split(/^(?=#+ )/m).map((part) => sectionOf(file, part)),
);

function sectionOf(file: string, text: string): Section {
  const [title = ""] = text.split("\n");
  const types = codeIn(title).filter((code) => /^[A-Z]\w+$/.test(code));
  return { file, title: title.replace(/^#+ /, ""), types, rows: rowsIn(text), text };
}

/** Rows of the tables, without their heads. */
function rowsIn(text: string): Row[] {
  const lines = text.split("\n");
  const tables = lines.filter((line, index) => line.startsWith("|") && !isHead(lines, index));
  return tables.filter((line) => !/^\|[ |:-]+\|$/.test(line)).map(rowOf);
}

function isHead(lines: readonly string[], index: number): boolean {
  return /^\|[ |:-]+\|$/.test(lines[index + 1] ?? "");
}

function rowOf(line: string): Row {
  const cells = line
    .slice(1, line.lastIndexOf("|"))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
  return { cells, code: codeIn(cells[0] ?? "") };
}

export function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code ?? "");
}

/** `status(userId)` is `status`. */
export function nameIn(code: string): string {
  return /^[\w.-]+/.exec(code)?.[0] ?? code;
}

/** The section whose heading begins so. */
export function sectionTitled(title: string): Section {
  const found = sections.find((section) => section.title.startsWith(title));
  if (found === undefined) throw new Error(`Nothing in docs/ has a section "${title}"`);
  return found;
}
