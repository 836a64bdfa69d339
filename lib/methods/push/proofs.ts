import type { Factor } from "../../core/account.js";
import type { PresentContext, ProofContext, Verdict } from "../../engine/method.js";
import type { PushState } from "./state.js";

/** What a body presents: the question whose answer it wants to use. */
export interface PresentedPush {
  readonly requestId: string;
}

/** Undefined where the body names none. */
export function presentedApproval(
  { requestId }: Readonly<Record<string, unknown>>,
  _context: PresentContext,
): PresentedPush | undefined {
  return typeof requestId === "string" ? { requestId } : undefined;
}

/** The device that approved what was asked, where it has; undefined otherwise. */
export async function approvedBy(
  _presented: PresentedPush,
  _factors: readonly Factor<PushState>[],
  _context: ProofContext,
): Promise<Verdict<PushState>> {
  return undefined;
}
