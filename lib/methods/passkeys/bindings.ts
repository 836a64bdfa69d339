import type { ChallengeBinding } from "../../engine/challenges.js";
import type { LoginContext } from "../../engine/login-context.js";
import type { PresentContext } from "../../engine/method.js";

/** What a challenge of a ceremony can be made for. */
type Purpose = "enroll" | "enroll-conditional" | "login" | "step-up";

/** A challenge for this stage of a login, and no other. */
export function bindingOf({ session, userId }: LoginContext, purpose: Purpose): ChallengeBinding {
  return { purpose, userId, loginId: session?.stage ?? session?.id ?? "" };
}

/** A challenge to prove a passkey of this login's user. */
export function loginBinding(login: LoginContext): ChallengeBinding {
  return bindingOf(login, login.status.status === "pending" ? "login" : "step-up");
}

/** A challenge to sign in with any passkey, for the browser session it was made in. */
export function passwordlessBinding(browserId: string): ChallengeBinding {
  return { purpose: "passwordless", loginId: browserId };
}

/** What an assertion must have been asked for. */
export function assertionBinding({ browserId = "", login }: PresentContext): ChallengeBinding {
  return login === undefined ? passwordlessBinding(browserId) : loginBinding(login);
}
