import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearest } from "../core/option-names.js";
import { reasonIn } from "../core/reasons.js";
import { randomBase64 } from "../crypto/random.js";
import { Misunderstood } from "./misunderstood.js";
import { AUDIT_PURPOSE, AUDIT_USAGE, verifyAuditFiles } from "./verify-audit.js";
import type { RotateKeysOptions, RotationReport } from "../engine/key-rotation.js";

/** What the commands need of `secondFactor(...)`. */
interface SecondFactorLike {
  ready(): Promise<void>;
  rotateKeys(options?: RotateKeysOptions): Promise<RotationReport>;
}

interface Command {
  /** What follows the name. */
  readonly argument: string;
  readonly purpose: string;
  /** How many arguments it takes at most. Default: 1. */
  readonly most?: number;
  /** Answers the exit code. */
  run(...args: readonly string[]): Promise<number>;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function isSecondFactor(value: unknown): value is SecondFactorLike {
  return typeof value === "function" && "rotateKeys" in value && "ready" in value;
}

/** The middleware a module of the application exports as `mfa` or by default, in either module format. */
async function loadFrom(module: string | undefined): Promise<SecondFactorLike> {
  if (module === undefined) throw new Misunderstood("Name the module that exports what secondFactor() answered");
  const loaded = (await import(pathToFileURL(resolve(module)).href)) as { mfa?: unknown; default?: unknown };
  const exported = loaded.default as { mfa?: unknown } | undefined;
  const found = [loaded.mfa, exported?.mfa, exported].find(isSecondFactor);
  if (found === undefined)
    throw new Error(`${module} exports nothing that secondFactor() answered, as mfa or by default`);
  return found;
}

function progress({ accounts, rotated }: RotationReport): string {
  return `${accounts} accounts looked at, ${rotated} sealed anew`;
}

/** What keeps an old key in the ring, a line each. */
function remains({ left, unreadable }: RotationReport): readonly string[] {
  const lines = Object.entries(left).map(([id, accounts]) => `${accounts} accounts still need the key "${id}"`);
  return unreadable === 0 ? lines : [...lines, `${unreadable} accounts cannot be read`];
}

async function rotateKeys(module?: string): Promise<number> {
  const mfa = await loadFrom(module);
  const report = await mfa.rotateKeys({ onProgress: (sofar) => say(progress(sofar)) });
  const lines = remains(report);
  say(lines.length === 0 ? `Done: ${progress(report)}. Only the newest key is needed now.` : lines.join("\n"));
  return lines.length === 0 ? 0 : 1;
}

async function check(module?: string): Promise<number> {
  await (await loadFrom(module)).ready();
  say("The store answers, and the keys open what is in it.");
  return 0;
}

async function newKey(id?: string): Promise<number> {
  say(`${id ?? new Date().toISOString().slice(0, 7)}:${randomBase64(32)}`);
  return 0;
}

/** Of the package this file is in, wherever it was installed, in either module format. */
async function version(): Promise<number> {
  const { version: own } = (await packageJson()) as { version: string };
  say(own);
  return 0;
}

async function packageJson(): Promise<unknown> {
  return JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8"));
}

async function help(): Promise<number> {
  say(usage());
  return 0;
}

/** A chain that is longer leads round in a circle. */
const LONGEST_CHAIN = 8;

const COMMANDS: Readonly<Record<string, Command>> = {
  "new-key": { argument: "[id]", purpose: "print a new key for the keys option", run: newKey },
  check: { argument: "<module>", purpose: "see whether store and keys are what the application needs", run: check },
  "rotate-keys": { argument: "<module>", purpose: "seal everything with the newest key", run: rotateKeys },
  "verify-audit": { argument: "<file>...", purpose: AUDIT_PURPOSE, most: Infinity, run: verifyAuditFiles },
  "--help": { argument: "", purpose: "print this", most: 0, run: help },
  "--version": { argument: "", purpose: "print the version of the package", most: 0, run: version },
};

function usage(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { argument, purpose }]) => `  express-second-factor ${`${name} ${argument}`.padEnd(24)} ${purpose}`,
  );
  const module = "<module> exports what secondFactor() answered, as mfa or by default.";
  return ["Usage:", ...lines, module, AUDIT_USAGE].join("\n");
}

/** Why, and why that, down to the first reason; each once, for a message often repeats the one below it. */
function reasons(error: unknown): string {
  const lines = new Set<string>();
  let why = error;
  for (let depth = 1; depth < LONGEST_CHAIN && why instanceof Error && why.cause !== undefined; depth += 1) {
    const below = reasonIn(why.cause);
    lines.add(reasonIn(why).replace(`: ${below}`, () => ""));
    why = why.cause;
  }
  lines.add(reasonIn(why));
  return [...lines].join("\n  because: ");
}

/** What else people write for one. */
const SHORT: Readonly<Record<string, string>> = Object.assign(Object.create(null) as object, {
  "-h": "--help",
  help: "--help",
  "-v": "--version",
  "-V": "--version",
  version: "--version",
});

/** What is wrong with what was typed, and what was meant; nothing where nothing was. */
function complaint(name: string, command: Command | undefined): string {
  if (name === "") return "";
  if (command !== undefined) return `${name}: too many arguments\n`;
  const meant = nearest(name, Object.keys(COMMANDS));
  return `${JSON.stringify(name)} is no command${meant === undefined ? "" : `; did you mean "${meant}"?`}\n`;
}

/** What was asked for, and with what. `--help` anywhere asks for help alone. */
function asked([name = "", ...args]: readonly string[]): { readonly name: string; readonly args: readonly string[] } {
  const isHelp = args.some((arg) => SHORT[arg] === "--help" || arg === "--help");
  return isHelp ? { name: "--help", args: [] } : { name: SHORT[name] ?? name, args };
}

function notUnderstood(said: string): number {
  process.stderr.write(`${said}${usage()}\n`);
  return 2;
}

/** Runs one command; answers the exit code: 0 done, 1 not done, 2 not understood. */
export async function runCommand(typed: readonly string[]): Promise<number> {
  const { args, name } = asked(typed);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined || args.length > (command.most ?? 1)) return notUnderstood(complaint(name, command));
  try {
    return await command.run(...args);
  } catch (error) {
    if (error instanceof Misunderstood) return notUnderstood(`${error.message}\n`);
    process.stderr.write(`${reasons(error)}\n`);
    return 1;
  }
}
