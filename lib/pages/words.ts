import { nearest } from "../core/option-names.js";

/** A text, or a function that answers one. */
export type Word = string | ((...values: never[]) => string);

/** Words in groups. Undefined is one left out: without `exactOptionalPropertyTypes` that is what an optional group may be. */
export type WordTree = Word | undefined | { readonly [name: string]: WordTree };

/** Some of the words, in their places. */
export type Overrides<Words> = Words extends Word ? Words : { readonly [Name in keyof Words]?: Overrides<Words[Name]> };

type Tree = Readonly<Record<string, unknown>>;

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null;
}

function own(tree: Tree, key: string): unknown {
  return Object.hasOwn(tree, key) ? tree[key] : undefined;
}

/** The words with the overrides in their places. Names that are no word, and what is no such word, are left out. */
export function mergeWords(base: object, overrides: unknown): object {
  const merged = Object.entries(base).map(([key, present]: [string, unknown]) => {
    const wanted = isTree(overrides) ? own(overrides, key) : undefined;
    if (isTree(present)) return [key, isTree(wanted) ? mergeWords(present, wanted) : present];
    // A text where a function is called, or the reverse, would fail the page that says it.
    return [key, typeof wanted === typeof present ? wanted : present];
  });
  return Object.fromEntries(merged) as object;
}

/**
 * What is wrong with overrides that did not pass a type checker: names that are no message, text where a function is
 * needed and the reverse. A sentence each; empty where they fit.
 */
export function messageProblems(base: object, overrides: object, path = "messages"): string[] {
  return Object.entries(overrides).flatMap(([key, wanted]: [string, unknown]) => {
    const name = `${path}.${key}`;
    const present = own(base as Tree, key);
    if (present === undefined) return [`${name} is not a message${hint(key, Object.keys(base))}`];
    if (wanted === undefined) return [];
    if (isTree(present) && isTree(wanted)) return messageProblems(present, wanted, name);
    return typeof wanted === typeof present && wanted !== null ? [] : [`${name} must be ${kindOf(present)}`];
  });
}

function hint(key: string, names: readonly string[]): string {
  const meant = nearest(key, names);
  return meant === undefined ? `; there are ${names.join(", ")}` : `; did you mean "${meant}"?`;
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return "text";
  return typeof value === "function" ? "a function that answers text" : "an object of messages";
}
