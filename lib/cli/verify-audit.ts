import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { AuditChain, AuditVerdict } from "../audit/verdict.js";
import { verifyAudit } from "../audit/verify-audit.js";
import { reasonIn } from "../core/reasons.js";
import { Misunderstood } from "./misunderstood.js";

/** Where the key is, unless a file is named that holds it. */
const VARIABLE = "SECOND_FACTOR_AUDIT_KEY";

export const AUDIT_PURPOSE = "see whether audit files are complete";
export const AUDIT_USAGE = [
  `verify-audit: the key is in ${VARIABLE}, or in a file: --key <file>.`,
  "--anchor <text>, or <file> with one in each line: how far chains have come; may be given several times.",
].join("\n");

const ANCHOR = /^[\w-]{22}\.\d+\.[\w-]{43}$/;
/** A list of processes shows what a program was called with. */
const KEY_ITSELF = /^[\w-]{1,32}:[\w+/-]{42,}={0,2}/;

interface Asked {
  readonly files: readonly string[];
  readonly key: string | undefined;
  readonly anchors: readonly string[];
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { key: { type: "string" }, anchor: { type: "string", multiple: true } },
    });
  } catch (error) {
    throw new Misunderstood(reasonIn(error));
  }
}

function asked(args: readonly string[]): Asked {
  const { positionals, values } = parsed(args);
  if (positionals.length === 0) throw new Misunderstood("Name the files that auditFile wrote");
  return { files: positionals, key: values.key, anchors: values.anchor ?? [] };
}

/** @throws Misunderstood where there is none */
async function textOf(file: string, otherwise: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) throw new Misunderstood(otherwise);
  return text;
}

async function keyFrom(file: string | undefined): Promise<string> {
  if (file !== undefined && KEY_ITSELF.test(file)) {
    throw new Misunderstood(
      `--key takes a file that holds the key, or set ${VARIABLE}: here, others on this machine can read it`,
    );
  }
  const key =
    file === undefined
      ? process.env[VARIABLE]
      : await textOf(file, `--key: ${JSON.stringify(file)} cannot be read: name a file that holds the key`);
  if (key === undefined || key.trim() === "")
    throw new Misunderstood(`Set ${VARIABLE} to the key of the files, or name a file: --key`);
  return key.trim();
}

async function anchorsFrom(given: readonly string[]): Promise<readonly string[]> {
  const linesOf = async (file: string): Promise<string[]> => {
    const text = await textOf(file, `--anchor: ${JSON.stringify(file)} is neither an anchor nor a file with some`);
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    // Whoever names a file relies on what is in it.
    if (lines.length === 0) throw new Misunderstood(`--anchor: ${JSON.stringify(file)} has no anchor in it`);
    return lines;
  };
  const read = async (each: string): Promise<string[]> => (ANCHOR.test(each) ? [each] : linesOf(each));
  return (await Promise.all(given.map(read))).flat();
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function chainLine({ anchor, file, from, isClosed, lost, records, until }: AuditChain): string {
  const end = isClosed ? "closed" : "not closed: it is still being written, or its process was stopped";
  const gone = lost === 0 ? "" : `; ${counted(lost, "event")} lost, for want of room`;
  return `  ${file}: ${counted(records, "record")}, ${from} to ${until}, ${end}${gone}\n    anchor ${anchor}`;
}

function report({ chains, isComplete, notes, problems }: AuditVerdict, anchors: number): readonly string[] {
  const [first, ...more] = problems;
  const records = chains.reduce((sum, chain) => sum + chain.records, 0);
  const bound = anchors === 0 ? "; without --anchor, the end of a file may be missing" : "";
  return [
    ...(first === undefined ? [] : [`${first.file}:${first.line}: ${first.damage}: ${first.text}`]),
    ...more.map(({ damage, file, line, text }) => `then ${file}:${line}: ${damage}: ${text}`),
    ...notes.map(({ file, line, text }) => `note ${file}:${line}: ${text}`),
    `${isComplete ? "Complete" : "NOT complete"}: ${counted(records, "record")} of ${counted(chains.length, "chain")} are as they were written${bound}`,
    ...chains.map(chainLine),
  ];
}

/** Answers the exit code: 0 where nothing was done to the files, 1 where something was. @throws Misunderstood */
export async function verifyAuditFiles(...args: readonly string[]): Promise<number> {
  const { files, ...given } = asked(args);
  const [key, anchors] = await Promise.all([keyFrom(given.key), anchorsFrom(given.anchors)]);
  const verdict = await verifyAudit(files, { key, anchors });
  process.stdout.write(`${report(verdict, anchors.length).join("\n")}\n`);
  return verdict.isComplete ? 0 : 1;
}
