import { unknownNames } from "../core/option-names.js";
import { milliseconds } from "../policy/durations.js";
import { durationProblem, functionProblem, isRecord } from "./checks.js";

/** No wait at all: somebody else has to have the last word then. */
export function isNoWait(wait: unknown): boolean {
  return typeof wait === "string" && /^0+ ?(ms|s|m|h|d|w)$/.test(wait);
}

function waitProblems({ approve, wait }: Readonly<Record<string, unknown>>): string[] {
  if (!isNoWait(wait)) return durationProblem("recovery.wait", wait);
  return approve === undefined ? ['recovery.wait: "0s" needs recovery.approve, which then has the last word'] : [];
}

function evidenceProblems(evidence: unknown): string[] {
  if (evidence === undefined) return [];
  if (!isRecord(evidence)) return ['recovery.evidence: write { trustedBrowser: "4h" }'];
  return [
    ...unknownNames(evidence, ["trustedBrowser"], "recovery.evidence."),
    ...durationProblem("recovery.evidence.trustedBrowser", evidence.trustedBrowser),
  ];
}

/** What is wrong with the `recovery` option, each with its mend. */
export function recoveryProblems(recovery: unknown, notify: unknown): string[] {
  if (recovery === undefined || recovery === false) return [];
  if (!isRecord(recovery)) return ['recovery: write { wait: "24h" }, or false for none'];
  return [
    ...unknownNames(recovery, ["wait", "approve", "evidence"], "recovery."),
    ...waitProblems(recovery),
    ...functionProblem("recovery.approve", recovery.approve),
    ...evidenceProblems(recovery.evidence),
    ...(notify === undefined ? ["recovery: needs the notify option, which mails its links"] : []),
  ];
}

/** Milliseconds of a wait that was checked. */
export function waitOf(wait: unknown): number | undefined {
  return isNoWait(wait) ? 0 : milliseconds(wait);
}
