import { DAY } from "../core/nouns.js";
import { unknownNames } from "../core/option-names.js";
import type { EvidenceKind, EvidenceWaits } from "../core/recovery.js";
import type { Method } from "../http/method.js";
import { milliseconds } from "../policy/durations.js";
import { durationProblem, functionProblem, isRecord } from "./checks.js";
import type { RecoveryEvidence } from "./options.js";

/** No wait at all: somebody else has to have the last word then. */
function isNoWait(wait: unknown): boolean {
  return typeof wait === "string" && /^0+ ?(ms|s|m|h|d|w)$/.test(wait);
}

function waitProblems({ approve, wait }: Readonly<Record<string, unknown>>): string[] {
  if (!isNoWait(wait)) return durationProblem("recovery.wait", wait);
  return approve === undefined ? ['recovery.wait: "0s" needs recovery.approve, which then has the last word'] : [];
}

interface Row {
  readonly kind: EvidenceKind;
  /** What has to be among the methods for it to be shown at all. */
  readonly needs?: { readonly isIt: (method: Method) => boolean; readonly mend: string };
}

/** What counts, by the option that says so. */
const EVIDENCE: Readonly<Record<keyof RecoveryEvidence, Row>> = {
  trustedBrowser: { kind: "trusted-browser" },
  oldBackupCode: {
    kind: "old-backup-code",
    needs: {
      isIt: (method) => method.mint !== undefined,
      mend: "needs backupCodes() among the methods, whose codes it is about",
    },
  },
  secondChannel: {
    kind: "second-channel",
    needs: {
      isIt: (method) => method.destination !== undefined,
      mend: "needs emailCode() or smsCode() among the methods, whose codes go there",
    },
  },
};

const NAMES = Object.keys(EVIDENCE) as readonly (keyof RecoveryEvidence)[];

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
      const { needs } = EVIDENCE[each];
      return [
        ...durationProblem(name, evidence[each]),
        ...lengthProblem(name, evidence[each], wait),
        ...(needs === undefined || methods.some(needs.isIt) ? [] : [`${name}: ${needs.mend}`]),
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
export function evidenceWaits(evidence: RecoveryEvidence): EvidenceWaits {
  const entries = NAMES.map((each) => [EVIDENCE[each].kind, milliseconds(evidence[each])] as const);
  return Object.fromEntries(entries.filter(([, length]) => length !== undefined));
}
