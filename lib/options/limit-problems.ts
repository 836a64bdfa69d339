import { ALL_CODES, type LimitKind } from "../core/nouns.js";
import { RECOVERY_LIMIT } from "../core/recovery.js";
import type { Method } from "../http/method.js";
import { unknownNames } from "../core/option-names.js";
import { durationProblem, isRecord, wholeProblem } from "./checks.js";

/** Limits that no method brings. */
export const SHARED_KINDS: readonly LimitKind[] = [ALL_CODES, RECOVERY_LIMIT, "address"];

/** Both are needed where the limit is given at all: half a limit would be somebody else's half. */
function requiredProblems(where: string, { limit, window }: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(window === undefined ? [`${where}.window: required, for example "15m"`] : []),
    ...(limit === undefined ? [`${where}.limit: required, a whole number from 1`] : []),
  ];
}

function limitProblems(kind: string, limit: unknown): string[] {
  const where = `limits.${kind}`;
  if (!isRecord(limit)) return [`${where}: write { limit: 5, window: "15m" }`];
  const isAddress = kind === "address";
  return [
    ...unknownNames(limit, isAddress ? ["limit", "window", "store"] : ["limit", "window"], `${where}.`),
    ...(isAddress ? [] : requiredProblems(where, limit)),
    ...durationProblem(`${where}.window`, limit.window),
    ...wholeProblem(`${where}.limit`, limit.limit),
  ];
}

function kindsOf({ limitDefaults = {} }: Method): string[] {
  return Object.keys(limitDefaults);
}

/** Limits nobody knows; where a built-in method that is not configured would bring it, that is what is wrong. */
function unknownLimits(
  limits: Readonly<Record<string, unknown>>,
  names: readonly string[],
  builtIn: () => readonly Method[],
): string[] {
  return Object.entries(limits)
    .filter(([kind]) => !names.includes(kind))
    .flatMap(([kind, limit]) => {
      const owner = builtIn().find((method) => kindsOf(method).includes(kind));
      if (owner === undefined) return unknownNames({ [kind]: limit }, names, "limits.");
      return [`limits.${kind}: comes with the method "${owner.type}", which is not among the methods`];
    });
}

export function limitsProblems(
  limits: unknown,
  methods: readonly Method[],
  builtIn: () => readonly Method[],
): string[] {
  if (limits === undefined) return [];
  if (!isRecord(limits)) return ['limits: write { totp: { limit: 5, window: "15m" } }'];
  const names = [...SHARED_KINDS, ...methods.flatMap(kindsOf)];
  const known = Object.entries(limits).filter(([kind, limit]) => names.includes(kind) && limit !== undefined);
  return [...unknownLimits(limits, names, builtIn), ...known.flatMap(([kind, limit]) => limitProblems(kind, limit))];
}

/** `brought`: what came with the application's `store`. */
export function addressStoreProblems(limits: unknown, brought: unknown): string[] {
  const given = isRecord(limits) && isRecord(limits.address) ? limits.address.store : undefined;
  const used = given ?? brought;
  if (used === undefined) return [];
  const isStore = isRecord(used) && ["get", "increment"].every((verb) => typeof used[verb] === "function");
  return isStore ? [] : ["limits.address.store: a store of express-rate-limit that has get() and increment()"];
}
