import type { Problem } from "../core/errors.js";
import type { LoginContext } from "../engine/login-context.js";
import type { Method } from "./method.js";
import type { RequestState } from "./request-state.js";
import { saveRecord } from "./session.js";

const MOST_MISSES = 20;

/**
 * A wrong proof of a method that counts none on the account, because there is nothing to guess. The session counts them, and
 * enough of them end its login: whoever goes on needs the first factor again, and nobody else is kept out of anything.
 */
export async function countMiss(state: RequestState, login: LoginContext, { limits }: Method, problem: Problem) {
  const { keeper, req } = state;
  const { session } = login;
  if (limits.length > 0 || problem.isFailedAttempt !== true || session === undefined) return;
  const misses = (session.misses ?? 0) + 1;
  if (misses < MOST_MISSES) {
    await saveRecord(req, { ...session, misses });
    return;
  }
  await keeper.passportLogin.end(req);
  await keeper.passportLogin.forget(state, false);
}
