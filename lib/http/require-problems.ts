import { inspect } from "node:util";
import type { MethodType } from "../core/nouns.js";
import { milliseconds, notADuration } from "../policy/durations.js";
import { acceptableMethods, type MethodFacts } from "../policy/requirement.js";
import { nearest, unknownNames } from "../core/option-names.js";
import { isOwnPlace } from "./places.js";

// Everything here arrives from JavaScript too, so nothing is believed because its type says so.

type Given = Readonly<Record<string, unknown>>;
type Known = ReadonlyMap<MethodType, MethodFacts>;

const KNOWN = ["maxAge", "aal", "methods", "phishingResistant", "bind", "returnTo"];
/** Levels there are; which of them a method reaches is the method's. */
const LEVELS: readonly unknown[] = [undefined, 1, 2, 3];
const WHERE = "mfa.require: ";

function said(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : inspect(value, { depth: 0, breakLength: Infinity });
}

function methodProblem(type: unknown, known: Known): string | undefined {
  if (typeof type !== "string") return `${WHERE}methods: ${said(type)} is not the name of a method`;
  if (known.get(type)?.stepsUp === false)
    return `${WHERE}methods: a proof by "${type}" shows too little to open a route; leave it out`;
  if (known.has(type)) return undefined;
  const meant = nearest(type, [...known.keys()]);
  const mend = meant === undefined ? "" : `; did you mean "${meant}"?`;
  return `${WHERE}the method "${type}" is not among the configured methods${mend}`;
}

function methodsProblems({ methods }: Given, known: Known): string[] {
  if (methods === undefined) return [];
  if (!Array.isArray(methods)) return [`${WHERE}methods: ${said(methods)} is not a list such as ["totp"]`];
  return methods.map((type) => methodProblem(type, known)).filter((problem) => problem !== undefined);
}

function memberProblems({ aal, bind, maxAge, phishingResistant }: Given): string[] {
  const problems: string[] = [];
  if (maxAge !== undefined && milliseconds(maxAge) === undefined)
    problems.push(`${WHERE}maxAge ${notADuration(said(maxAge), '"5m"')}`);
  if (!LEVELS.includes(aal)) problems.push(`${WHERE}aal ${said(aal)} is no level; write 2, or leave it out`);
  if (phishingResistant !== undefined && typeof phishingResistant !== "boolean")
    problems.push(`${WHERE}phishingResistant: ${said(phishingResistant)} is neither true nor false`);
  if (bind !== undefined && typeof bind !== "function")
    problems.push(`${WHERE}bind: ${said(bind)} is not a function such as (req) => \`Pay \${req.body.amount}\``);
  return problems;
}

function returnProblems({ returnTo }: Given): string[] {
  if (returnTo === undefined || typeof returnTo === "function" || isOwnPlace(returnTo)) return [];
  return [`${WHERE}returnTo: ${said(returnTo)} is neither a path such as "/transfer" nor a function that answers one`];
}

/** Every problem of the options of one `mfa.require`, each with its mend; empty where there is none. */
export function requireProblems(given: unknown, known: Known): string[] {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return [`${WHERE}${said(given)} is not an object of options such as { maxAge: "5m" }`];
  // Express hands whatever stands in a route's place its request.
  if ("rawHeaders" in given)
    return ["mfa.require makes a middleware and is none: write mfa.require() or mfa.require({ ... })"];
  const options = given as Given;
  const problems = [
    ...unknownNames(options, KNOWN, WHERE),
    ...memberProblems(options),
    ...returnProblems(options),
    ...methodsProblems(options, known),
  ];
  if (problems.length > 0) return problems;
  const isPossible = acceptableMethods(options, known.values()).length > 0;
  return isPossible ? [] : [`${WHERE}no configured method can satisfy this; nobody could ever pass`];
}
