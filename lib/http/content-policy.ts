import type { Request, Response } from "express";
import { ConfigurationError } from "../core/errors.js";
import { nearest } from "../core/option-names.js";

/** `"'self' https://cdn.example"`, a list of such, or none. */
type Sources = string | readonly string[];

/** What is known only at a request: a nonce. */
type SourcesOf = (req: Request, res: Response) => Sources;

/**
 * Directives by name, as `"font-src"` or `fontSrc`. A list's members may be functions too. `true` is for directives without a value,
 * `false` leaves one out.
 */
export type ContentSecurityPolicy = Readonly<
  Record<string, boolean | Sources | SourcesOf | readonly (string | SourcesOf)[] | undefined>
>;

/**
 * For pages: nothing from elsewhere, nothing inline, no frames. No `form-action`: browsers hold it against every redirection that
 * follows a form too, and after a code the way may lead to an OAuth client, from "sign in again" to an identity provider.
 */
const OWN: Readonly<Record<string, readonly string[]>> = {
  "default-src": ["'none'"],
  "style-src": ["'self'"],
  "script-src": ["'self'"],
  "img-src": ["'self'"],
  "connect-src": ["'self'"],
  "base-uri": ["'none'"],
  "frame-ancestors": ["'none'"],
};

const WORKERS: typeof OWN = { "worker-src": ["'self'"] };

/** These take the place of one of ours where they are given, and the pages need what that allows. */
const IN_PLACE_OF: Readonly<Record<string, string>> = {
  "style-src-elem": "style-src",
  "script-src-elem": "script-src",
};

const SOURCE_LISTS = [
  ...Object.keys(OWN),
  ...Object.keys(IN_PLACE_OF),
  ..."script-src-attr style-src-attr font-src media-src object-src frame-src child-src worker-src".split(" "),
  ..."manifest-src fenced-frame-src form-action".split(" "),
];
const VALUELESS = ["upgrade-insecure-requests", "sandbox"];
const NAMES = [...SOURCE_LISTS, ...VALUELESS, "report-uri", "report-to", "require-trusted-types-for", "trusted-types"];

const WHERE = "pages.contentSecurityPolicy";
const KEYWORD = /^(self|none|unsafe-\w+|wasm-unsafe-eval|strict-dynamic|report-sample|nonce-.*|sha(256|384|512)-.*)$/i;

/** As policies write it; `fontSrc` is how other code for Express does. */
function nameOf(given: string): string {
  return given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function wordProblem(name: string, word: string): string | undefined {
  const said = JSON.stringify(word);
  // What ends a directive, or a header, would be a policy of its own.
  if (!/^[\x21-\x7e]+$/.test(word) || /[;,]/.test(word)) return `${said} is no source`;
  if (SOURCE_LISTS.includes(name) && KEYWORD.test(word)) return `${said} needs single quotes: "'${word}'"`;
  if (name.startsWith("script-src") && word === "'strict-dynamic'")
    return `${said} would keep the script of the pages themselves out`;
  return undefined;
}

function listProblems(name: string, words: readonly string[]): string[] {
  const problems = words.map((word) => wordProblem(name, word)).filter((problem) => problem !== undefined);
  if (words.length === 0 && !VALUELESS.includes(name)) problems.push(`write "'none'" where nothing is allowed`);
  if (words.length > 1 && words.includes("'none'")) problems.push(`'none' stands alone`);
  return problems;
}

/** What is wrong with a directive as far as it is known at start. */
function valueProblems(name: string, value: unknown): string[] {
  if (value === undefined || value === false || typeof value === "function") return [];
  if (value === true) return VALUELESS.includes(name) ? [] : [`true is for ${VALUELESS.join(" and ")}`];
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  const texts = parts.filter((part) => typeof part === "string");
  if (parts.some((part) => typeof part !== "string" && typeof part !== "function"))
    return [`a text, a list of texts, or a function of the request`];
  if (texts.some((text) => /'nonce-/i.test(text)))
    return ["a nonce is another for every answer: write (req, res) => `'nonce-${res.locals.nonce}'`"];
  return texts.length < parts.length
    ? texts.flatMap(wordsOf).flatMap((word) => wordProblem(name, word) ?? [])
    : listProblems(name, texts.flatMap(wordsOf));
}

/** Every problem of the option, each with its mend. */
export function contentPolicyProblems(given: unknown): string[] {
  if (given === undefined) return [];
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return [`${WHERE}: an object of directives, for example { "font-src": ["'self'"] }`];
  const names = Object.keys(given).map(nameOf);
  return Object.entries(given).flatMap(([written, value]) => {
    const name = nameOf(written);
    if (names.indexOf(name) !== names.lastIndexOf(name)) return [`${WHERE}: "${name}" is there twice`];
    if (NAMES.includes(name)) return valueProblems(name, value).map((problem) => `${WHERE}["${written}"]: ${problem}`);
    const meant = nearest(name, NAMES);
    return [
      `${WHERE}["${written}"]: there is no such directive${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
    ];
  });
}

function isFixed(value: unknown): boolean {
  return typeof value !== "function" && !(Array.isArray(value) && value.some((part) => typeof part === "function"));
}

/** The words of a directive at a request. @throws ConfigurationError for what a function answers that is none */
function wordsAt(name: string, value: unknown, req: Request, res: Response): string[] {
  const given: unknown = typeof value === "function" ? (value as SourcesOf)(req, res) : value;
  const parts: unknown[] = Array.isArray(given) ? given : given === true ? [] : [given];
  const texts: unknown[] = parts.flatMap((part) => (typeof part === "function" ? (part as SourcesOf)(req, res) : part));
  if (!texts.every((text) => typeof text === "string"))
    throw new ConfigurationError([`${WHERE}["${name}"]: a function answered what is no text`]);
  const words = texts.flatMap(wordsOf);
  const problems = isFixed(value) ? [] : listProblems(name, words);
  if (problems.length > 0) throw new ConfigurationError(problems.map((problem) => `${WHERE}["${name}"]: ${problem}`));
  return words;
}

/** Ours and the application's; `'none'` is for where there is nothing else. */
function merged(own: typeof OWN, name: string, given: readonly string[]): readonly string[] {
  if (given.length === 1 && given[0] === "'none'") return given;
  const ours = own[IN_PLACE_OF[name] ?? name] ?? [];
  return [...new Set([...ours, ...given])].filter((word) => word !== "'none'");
}

/**
 * The policy of a page, directive by directive: ours, with what the application adds to it. `runsWorkers`: a method has a script that
 * its pages run as a worker; older browsers let none run because scripts may.
 */
export function contentPolicy(
  given: ContentSecurityPolicy = {},
  runsWorkers = false,
): (req: Request, res: Response) => string {
  const own = runsWorkers ? { ...OWN, ...WORKERS } : OWN;
  const added = Object.entries(given).filter(([, value]) => value !== undefined);
  const names = added.map(([name]) => nameOf(name));
  const kept = Object.entries(own).filter(([name]) => !names.includes(name));
  const policyAt = (req: Request, res: Response): string =>
    [
      ...kept,
      ...added.flatMap(([written, value]) => {
        const name = nameOf(written);
        return value === false ? [] : [[name, merged(own, name, wordsAt(name, value, req, res))] as const];
      }),
    ]
      .map(([name, words]) => [name, ...words].join(" "))
      .join("; ");
  if (!added.every(([, value]) => isFixed(value))) return policyAt;
  const policy = policyAt(undefined as never, undefined as never);
  return () => policy;
}
