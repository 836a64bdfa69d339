import { isEnrolled } from "../core/account.js";
import { type Outcome, success } from "../core/errors.js";
import { ALL_CODES } from "../core/nouns.js";
import { type LoginContext, scopeOf, subjectOf } from "../engine/login-context.js";
import { FRESH, stepUp } from "../policy/access.js";
import type { RouteContext } from "./route.js";
import { userOf } from "./settings.js";

/** While no factor exists, the password can stand in for a login that is no longer fresh. */
export async function reconfirm(
  { engine, login, req, settings }: RouteContext,
  password: string | undefined,
): Promise<Outcome<LoginContext>> {
  const { verifyPassword } = settings;
  const isAsked = password !== undefined && password !== "" && !isEnrolled(login.record.account);
  if (!isAsked || verifyPassword === undefined) return success(login);
  const outcome = await engine.verification.verifyOther(
    subjectOf(login),
    [ALL_CODES],
    { scope: scopeOf(login) },
    {
      // Only a plain true is a yes, whatever an application in JavaScript answers.
      check: async () => ((await verifyPassword(userOf(login), password, req)) as unknown) === true,
      refusal: stepUp(FRESH),
    },
  );
  return outcome.ok ? success({ ...login, reconfirmed: true }) : outcome;
}
