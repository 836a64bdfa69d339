import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { AuditChain, AuditVerdict } from "../audit/verdict.js";
import { verifyAudit } from "../audit/verify-audit.js";

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

function asked(args: readonly string[]): Asked {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { key: { type: "string" }, anchor: { type: "string", multiple: true } },
  });
  if (positionals.length === 0) throw new Error("Name the files that auditFile wrote");
  return { files: positionals, key: values.key, anchors: values.anchor ?? [] };
}

async function keyFrom(file: string | undefined): Promise<string> {
  if (file !== undefined && KEY_ITSELF.test(file)) {
    throw new Error(
      `--key takes a file that holds the key, or set ${VARIABLE}: here, others on this machine can read it`,
    );
  }
  const key = file === undefined ? process.env[VARIABLE] : await readFile(file, "utf8");
  if (key === undefined || key.trim() === "")
    throw new Error(`Set ${VARIABLE} to the key of the files, or name a file: --key`);
  return key.trim();
}

async function anchorsFrom(given: readonly string[]): Promise<readonly string[]> {
  const read = async (each: string): Promise<string[]> => {
    if (ANCHOR.test(each)) return [each];
    const lines = (await readFile(each, "utf8")).split("\n").filter((line) => line.trim() !== "");
    // Whoever names a file relies on what is in it.
    if (lines.length === 0) throw new Error(`${each} has no anchor in it`);
    return lines;
  };
  return (await Promise.all(given.map(read))).flat();
}

function chainLine({ anchor, file, from, isClosed, lost, records, until }: AuditChain): string {
  const end = isClosed ? "closed" : "not closed: it is still being written, or its process was stopped";
  const gone = lost === 0 ? "" : `; ${lost} events lost, for want of room`;
  return `  ${file}: ${records} records, ${from} to ${until}, ${end}${gone}\n    anchor ${anchor}`;
}

function report({ chains, isComplete, notes, problems }: AuditVerdict, anchors: number): readonly string[] {
  const [first, ...more] = problems;
  const records = chains.reduce((sum, chain) => sum + chain.records, 0);
  const bound = anchors === 0 ? "; without --anchor, the end of a file may be missing" : "";
  return [
    ...(first === undefined ? [] : [`${first.file}:${first.line}: ${first.damage}: ${first.text}`]),
    ...more.map(({ damage, file, line, text }) => `then ${file}:${line}: ${damage}: ${text}`),
    ...notes.map(({ file, line, text }) => `note ${file}:${line}: ${text}`),
    `${isComplete ? "Complete" : "NOT complete"}: ${records} records of ${chains.length} chains are as they were written${bound}`,
    ...chains.map(chainLine),
  ];
}

/** Answers the exit code: 0 where nothing was done to the files, 1 where something was. */
export async function verifyAuditFiles(...args: readonly string[]): Promise<number> {
  const { files, ...given } = asked(args);
  const [key, anchors] = await Promise.all([keyFrom(given.key), anchorsFrom(given.anchors)]);
  const verdict = await verifyAudit(files, { key, anchors });
  process.stdout.write(`${report(verdict, anchors.length).join("\n")}\n`);
  return verdict.isComplete ? 0 : 1;
}
