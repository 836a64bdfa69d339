import { DAY } from "../core/nouns.js";
import { unknownNames } from "../core/option-names.js";
import type { EvidenceKind, EvidenceWaits } from "../core/recovery.js";
import type { Method } from "../http/method.js";
import { milliseconds } from "../policy/durations.js";
import { durationProblem, functionProblem, isRecord } from "./checks.js";

/** No wait at all: somebody else has to have the last word then. */
function isNoWait(wait: unknown): boolean {
  return typeof wait === "string" && /^0+ ?(ms|s|m|h|d|w)$/.test(wait);
}

function waitProblems({ approve, wait }: Readonly<Record<string, unknown>>): string[] {
  if (!isNoWait(wait)) return durationProblem("recovery.wait", wait);
  return approve === undefined ? ['recovery.wait: "0s" needs recovery.approve, which then has the last word'] : [];
}

/** What counts, by the option that says so. */
const EVIDENCE = {
  trustedBrowser: "trusted-browser",
  oldBackupCode: "old-backup-code",
  secondChannel: "second-channel",
} as const satisfies Readonly<Record<string, EvidenceKind>>;

type EvidenceOption = keyof typeof EVIDENCE;

const NAMES = Object.keys(EVIDENCE) as readonly EvidenceOption[];

/** What has to be among the methods for it to be shown at all. */
const NEEDS: Partial<Record<EvidenceOption, readonly [has: (method: Method) => boolean, mend: string]>> = {
  oldBackupCode: [
    (method) => method.mint !== undefined,
    "needs backupCodes() among the methods, whose codes it is about",
  ],
  secondChannel: [
    (method) => method.destination !== undefined,
    "needs emailCode() or smsCode() among the methods, whose codes go there",
  ],
};

function lengthProblem(name: string, value: unknown, wait: unknown): string[] {
  const [length, longest] = [milliseconds(value), waitOf(wait) ?? DAY];
  if (length === undefined || length <= longest) return [];
  return [`${name}: must not be longer than recovery.wait, which it is to shorten`];
}

function evidenceProblems({ evidence, wait }: Readonly<Record<string, unknown>>, methods: readonly Method[]): string[] {
  if (evidence === undefined) return [];
  if (!isRecord(evidence)) return ['recovery.evidence: write { trustedBrowser: "4h" }'];
  const shown = NAMES.filter((each) => evidence[each] !== undefined);
  return [
    ...unknownNames(evidence, NAMES, "recovery.evidence."),
    ...shown.flatMap((each) => {
      const name = `recovery.evidence.${each}`;
      const [has, mend] = NEEDS[each] ?? [];
      const isNeeded = has !== undefined && !methods.some(has);
      return [
        ...durationProblem(name, evidence[each]),
        ...lengthProblem(name, evidence[each], wait),
        ...(isNeeded ? [`${name}: ${mend}`] : []),
      ];
    }),
  ];
}

/** What is wrong with the `recovery` option, each with its mend. */
export function recoveryProblems(recovery: unknown, notify: unknown, methods: readonly Method[]): string[] {
  if (recovery === undefined || recovery === false) return [];
  if (!isRecord(recovery)) return ['recovery: write { wait: "24h" }, or false for none'];
  return [
    ...unknownNames(recovery, ["wait", "approve", "evidence"], "recovery."),
    ...waitProblems(recovery),
    ...functionProblem("recovery.approve", recovery.approve),
    ...evidenceProblems(recovery, methods),
    ...(notify === undefined ? ["recovery: needs the notify option, which mails its links"] : []),
  ];
}

/** Milliseconds of a wait that was checked. */
export function waitOf(wait: unknown): number | undefined {
  return isNoWait(wait) ? 0 : milliseconds(wait);
}

/** Of evidence that was checked. */
export function evidenceWaits(evidence: Partial<Record<EvidenceOption, unknown>>): EvidenceWaits {
  const entries = NAMES.map((each) => [EVIDENCE[each], milliseconds(evidence[each])] as const);
  return Object.fromEntries(entries.filter(([, length]) => length !== undefined));
}
