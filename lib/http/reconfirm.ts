import { isEnrolled } from "../core/account.js";
import { type Outcome, type Problem, success } from "../core/errors.js";
import { ALL_CODES } from "../core/nouns.js";
import { type LoginContext, scopeOf, subjectOf } from "../engine/login-context.js";
import { FRESH, stepUp } from "../policy/access.js";
import type { RouteContext } from "./route.js";
import { userOf } from "./settings.js";

const STALE = stepUp(FRESH);
/** A client can tell a wrong password from none. */
const PASSWORD_REFUSED: Problem = { ...STALE, members: { ...STALE.members, reason: "password-refused" } };

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
      refusal: PASSWORD_REFUSED,
    },
  );
  return outcome.ok ? success({ ...login, reconfirmed: true }) : outcome;
}
