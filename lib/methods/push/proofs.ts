import type { Factor } from "../../core/account.js";
import { type ApprovalState, stateOfRequest } from "../../core/approvals.js";
import type { FactorId } from "../../core/nouns.js";
import type { PresentContext, ProofContext, Verdict } from "../../engine/method.js";
import { digestOfId, namedRequest } from "./request-ids.js";
import { requestIn, unasked } from "./requests.js";
import { amrOf, type PushState } from "./state.js";
import { reachOf, resealedReach } from "./subscriptions.js";

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

/** Sealed anew where the key has changed. One that has left the ring keeps nobody out: the device proves itself without. */
async function renewed(state: PushState, context: ProofContext): Promise<PushState> {
  return (await reachOf(state, context)) === undefined ? state : resealedReach(state, context);
}

/** What became of it, and by which device; undefined where this login did not ask it. */
async function ownRequest(
  { requestId }: PresentedPush,
  { account, keys, loginId, now, userId }: ProofContext,
): Promise<{ readonly state: ApprovalState; readonly factorId?: FactorId } | undefined> {
  const named = await namedRequest(keys, requestId);
  if (loginId === undefined || named?.userId !== userId || named.askedBy !== loginId) return undefined;
  const found = requestIn(account, digestOfId(requestId));
  // By whom the account says it was asked, whatever the id does.
  if (found?.request.askedBy !== loginId) return { state: "expired" };
  return { state: stateOfRequest(found.request, now), factorId: found.device.id };
}

/**
 * The device that approved what this login asked: used up by that. What else became of its own request is told, and nothing is counted;
 * a request of anybody else's is a wrong proof.
 */
export async function approvedBy(
  presented: PresentedPush,
  factors: readonly Factor<PushState>[],
  context: ProofContext,
): Promise<Verdict<PushState>> {
  const asked = await ownRequest(presented, context);
  if (asked === undefined) return undefined;
  if (asked.state !== "approved") return { waiting: { state: asked.state } };
  const factor = factors.find(({ id }) => id === asked.factorId);
  if (factor === undefined) return { waiting: { state: "expired" } };
  return {
    factor: { ...factor, state: await renewed(factor.state, context) },
    account: unasked(context.account, digestOfId(presented.requestId)),
    amr: amrOf(factor.state),
  };
}
