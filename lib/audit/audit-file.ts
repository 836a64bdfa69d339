import { ConfigurationError } from "../core/errors.js";
import { reasonIn } from "../core/reasons.js";
import { chainKeys, subjectKeys } from "../crypto/audit-digests.js";
import type { AuditEvent } from "../events/audit.js";
import { milliseconds } from "../policy/durations.js";
import { ChainWriter, type WriterSettings } from "./chain-writer.js";
import { auditFileProblems, type AuditFileOptions, type AuditSubjects } from "./options.js";
import { Subjects, type WrittenEvent } from "./subjects.js";

/** A listener for `audit` events that writes them down. */
export interface AuditFile {
  (event: AuditEvent): void;
  /** Resolves once all that was heard is on the disk. Rejects where it cannot be written now; it goes on waiting, and is tried again. */
  flush(): Promise<void>;
  /** As `flush`, and ends the chain: for the end of the process. What is heard afterwards is lost, and `onError` told. */
  close(): Promise<void>;
  /** How the file calls a user, to find them in it; undefined where it does not, or has forgotten. Their id, where there are no `subjects`. */
  nameOf(userId: string): Promise<string | undefined>;
  /**
   * Forgets how the file calls a user. `mfa.accounts.erase` does so by itself where the user had an account; one who never had has a name
   * all the same, for what was tried with their id. What still waits about them has a new one.
   */
  forget(userId: string): Promise<void>;
}

const DEFAULTS = { anchorEvery: 1_000, anchorAfter: "10m", mostWaiting: 10_000, clock: Date.now } as const;
/** A longer one would go off at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

function warn(error: unknown): void {
  process.emitWarning(`The audit file cannot be written: ${reasonIn(error)}`, { code: "SECOND_FACTOR_AUDIT" });
}

/** Calls what is not waited for: neither a throw nor a rejection goes further than `fail`. */
function calling<T>(call: (value: T) => unknown, fail: (error: unknown) => void): (value: T) => void {
  return (value) => {
    Promise.resolve(value).then(call).catch(fail);
  };
}

/** Longer texts are cut, in characters: that bounds what waits for the disk, and a line that the verifier has to read. */
const MOST_OF_TEXT = 8_192;

/** What an event says, at this moment and in plain values. */
function written(event: AuditEvent): WrittenEvent {
  const plain = Object.entries(event).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  return Object.fromEntries(
    plain.map(([name, value]) => [name, typeof value === "string" ? value.slice(0, MOST_OF_TEXT) : value]),
  );
}

/** What the problems of the options have ruled out. */
function missing(): never {
  throw new ConfigurationError(["auditFile: key is missing"]);
}

function subjectsOf(key: string, { hide = [], store }: AuditSubjects): Subjects {
  return new Subjects(store, subjectKeys(key), hide);
}

/** What is given as undefined is not given. */
function present(options: AuditFileOptions): AuditFileOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

function settingsOf(options: AuditFileOptions): Omit<WriterSettings, "path" | "subjects"> {
  const { anchorAfter, onAnchor = () => undefined, onError = warn, ...given } = { ...DEFAULTS, ...present(options) };
  const onFailure = calling(onError, warn);
  const [[keyId, key] = missing()] = chainKeys(given.key ?? "");
  const { anchorEvery, clock, mostWaiting } = given;
  const longest = Math.min(milliseconds(anchorAfter) ?? 0, LONGEST_TIMER);
  const told = { onAnchor: calling(onAnchor, onFailure), onFailure };
  return { key, keyId, anchorEvery, anchorAfter: longest, mostWaiting, clock, ...told };
}

/**
 * Writes what happens into a file, so that whoever has the key can tell later whether something of it was taken out, moved, changed
 * or put in: `verifyAudit`, or `npx express-second-factor verify-audit`. Each process writes a chain of its own, and any number of
 * them one file. No request waits for it: events wait for the disk, `mostWaiting` at most.
 *
 * It does NOT encrypt, does NOT rotate or remove files (it goes on in a new one where the file was moved or emptied), and does NOT
 * keep the end of a file from being cut off: that is found by an anchor kept elsewhere. What waits when a process is killed is lost.
 *
 * @throws ConfigurationError with every problem of the options
 *
 * @example
 * ```ts
 * import { auditFile } from "express-second-factor/audit";
 *
 * const { AUDIT_FILE = "audit.jsonl", SECOND_FACTOR_AUDIT_KEY: key } = process.env;
 * const audit = auditFile(AUDIT_FILE, { key, onAnchor: (anchor) => log.info({ anchor }) });
 * mfa.events.on("audit", audit);
 * process.once("SIGTERM", () => void audit.close().finally(() => process.exit()));
 *
 * await audit.flush(); // at start: rejects where the file cannot be written
 * const name = await audit.nameOf(userId);
 * await audit.forget("never-signed-up");
 * ```
 */
export function auditFile(path: string, options: AuditFileOptions): AuditFile {
  const problems = auditFileProblems(path, options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const names = options.subjects && subjectsOf(options.key ?? "", options.subjects);
  const writer = new ChainWriter({ path, subjects: names, ...settingsOf(options) });
  return Object.assign((event: AuditEvent): void => writer.add(written(event)), {
    flush: () => writer.flush(),
    close: () => writer.close(),
    forget: async (userId: string) => names?.forget(userId),
    nameOf: async (userId: string) => (names === undefined ? userId : names.nameOf(userId)),
  });
}
