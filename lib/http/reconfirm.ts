import { failure, type Outcome, success } from "../core/errors.js";
import { isEnrolled } from "../core/account.js";
import { giveBackOnError } from "../engine/verification.js";
import { FRESH, stepUp } from "../policy/access.js";
import type { Visitor } from "../engine/visitor.js";
import type { Scene } from "./route.js";

/** While no factor exists, the password can stand in for a login that is no longer fresh. */
export async function reconfirm(
  { engine, req, settings, visit }: Scene,
  password: string | undefined,
): Promise<Outcome<Visitor>> {
  const { visitor, user, userId } = visit;
  const { verifyPassword } = settings;
  if (password === undefined || password === "" || verifyPassword === undefined || isEnrolled(visit.account))
    return success(visitor);
  const taken = await engine.parts.limits.take(["allCodes", "address"], { userId, address: visitor.arrival.client.ip });
  if (!taken.allowed) return failure("too-many-attempts", { retryAfter: taken.retryAfter });
  // Only a plain true is a yes, whatever an application in JavaScript answers.
  const verdict: unknown = await giveBackOnError(taken.giveBack, () => verifyPassword(user, password, req));
  if (verdict !== true) return { ok: false, problem: stepUp(FRESH) };
  await taken.giveBack();
  return success({ ...visitor, reconfirmed: true });
}
