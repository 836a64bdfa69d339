import { type ChallengeBinding, stageBinding } from "../../engine/challenges.js";
import type { LoginContext } from "../../engine/login-context.js";
import type { PresentContext } from "../../engine/method.js";

/** What a challenge of a ceremony can be made for. */
type Purpose = "enroll" | "enroll-conditional" | "login" | "step-up";

/** A challenge for this stage of a login, and no other. */
export function bindingOf(login: LoginContext, purpose: Purpose): ChallengeBinding {
  return stageBinding(login, purpose);
}

/** A challenge to prove a passkey of this login's user: for one operation of the login, at whatever stage, or for this stage of it. */
export function loginBinding(login: LoginContext, operation?: string): ChallengeBinding {
  const { session, status, userId } = login;
  if (operation === undefined) return bindingOf(login, status.status === "pending" ? "login" : "step-up");
  return { purpose: `operation/${operation}`, userId, loginId: session?.id ?? "" };
}

/** A challenge to sign in with any passkey, for the browser it was made for. */
export function passwordlessBinding(browserId: string): ChallengeBinding {
  return { purpose: "passwordless", loginId: browserId };
}

/** What an assertion must have been asked for. */
export function assertionBinding({ browserId = "", login, operation }: PresentContext): ChallengeBinding {
  return login === undefined ? passwordlessBinding(browserId) : loginBinding(login, operation);
}
