import { optionsProblems } from "../core/option-names.js";
import type { Clock } from "../core/nouns.js";
import { keyRingProblems, MEND } from "../crypto/key-ring.js";
import { type Duration, milliseconds } from "../policy/durations.js";
import type { Store } from "../stores/contract.js";
import type { HiddenMember } from "./subjects.js";

/** Users under names of their own in the file, each of which can be forgotten. */
export interface AuditSubjects {
  /**
   * Where a random secret is kept for each user: that of `secondFactor`, or any other. What is there under `audit-subject:` is read
   * for every event.
   */
  readonly store: Store;
  /** What else of an event is written as a digest under its user's secret, and can be compared no longer once that is gone. Default: none. */
  readonly hide?: readonly HiddenMember[];
}

export interface AuditFileOptions {
  /**
   * `id:base64`, as `npx express-second-factor new-key` prints it, and none of the application's `keys`: whoever verifies has it, and
   * whoever has it can forge. Several by commas: the first writes, the others are for `subjects` from before.
   */
  readonly key: string | undefined;
  /** An anchor after so many records, at the latest. Default: 1000. */
  readonly anchorEvery?: number;
  /** An anchor so long after a record, at the latest. Default: `"10m"`. */
  readonly anchorAfter?: Duration;
  /**
   * Is given each anchor, once what it is about has reached the disk: a line of text to keep where the file cannot be changed from.
   * It is not waited for. Default: they stand in the file alone.
   */
  readonly onAnchor?: (anchor: string) => unknown;
  /**
   * Is told that nothing can be written, once until it works again, and that `onAnchor` failed. Default: a warning of the process,
   * `SECOND_FACTOR_AUDIT`.
   */
  readonly onError?: (error: unknown) => unknown;
  /** So many events wait for the disk at most; what comes then is counted in a record `audit-lost`. Default: 10000. */
  readonly mostWaiting?: number;
  /** Writes names in the place of the ids of users. Default: the ids. */
  readonly subjects?: AuditSubjects;
  /** For the times of records; those of events are their own. Default: `Date.now`. */
  readonly clock?: Clock;
}

const OPTIONS = [
  "key",
  "anchorEvery",
  "anchorAfter",
  "onAnchor",
  "onError",
  "mostWaiting",
  "subjects",
  "clock",
] satisfies (keyof AuditFileOptions)[];
const HIDDEN: readonly unknown[] = ["ip", "userAgent", "requestId"] satisfies HiddenMember[];
const WHERE = "auditFile: ";

/** What is wrong with a key, in the words of the option that it is given as. */
export function auditKeyProblems(key: unknown, where: string): string[] {
  if (typeof key !== "string" || key === "") return [`${where}key is missing. ${MEND}`];
  return keyRingProblems(key).map((problem) => problem.replace(/^keys: /, `${where}key: `));
}

function isCount(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) > 0);
}

function functionProblems(options: Readonly<Record<string, unknown>>): string[] {
  const names = ["onAnchor", "onError", "clock"].filter(
    (name) => !["undefined", "function"].includes(typeof options[name]),
  );
  return names.map((name) => `${WHERE}${name} must be a function`);
}

function subjectsProblems(given: unknown): string[] {
  if (given === undefined) return [];
  const { hide = [], store } = Object(given) as { readonly hide?: unknown; readonly store?: Partial<Store> };
  const isStore = (["read", "write", "remove"] as const).every((name) => typeof store?.[name] === "function");
  const isKnown = Array.isArray(hide) && hide.every((member) => HIDDEN.includes(member));
  return [
    ...optionsProblems(given, ["store", "hide"], `${WHERE}subjects: `),
    ...(isStore ? [] : [`${WHERE}subjects: store must be a store, such as the one secondFactor has`]),
    ...(isKnown ? [] : [`${WHERE}subjects: hide is a list of any of ${HIDDEN.join(", ")}`]),
  ];
}

/** Every problem of what `auditFile` was called with, each with its mend. */
export function auditFileProblems(path: unknown, given: unknown): string[] {
  const options = Object(given) as Readonly<Record<string, unknown>>;
  const { anchorAfter, anchorEvery, key, mostWaiting, subjects } = options;
  const isTime = anchorAfter === undefined || milliseconds(anchorAfter) !== undefined;
  return [
    ...(typeof path === "string" && path !== "" ? [] : [`${WHERE}the first argument is the path of the file`]),
    ...optionsProblems(options, OPTIONS, WHERE),
    ...auditKeyProblems(key, WHERE),
    ...(isCount(anchorEvery) ? [] : [`${WHERE}anchorEvery must be a whole number of records, 1 or more`]),
    ...(isTime ? [] : [`${WHERE}anchorAfter must be a length of time such as "10m"`]),
    ...(isCount(mostWaiting) ? [] : [`${WHERE}mostWaiting must be a whole number of events, 1 or more`]),
    ...functionProblems(options),
    ...subjectsProblems(subjects),
  ];
}
