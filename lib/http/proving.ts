import { failure, type Outcome, type Problem } from "../core/errors.js";
import type { ElevatedLogin } from "../engine/elevation.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import type { Waiting } from "../engine/method.js";
import type { Confirmed } from "../engine/step-up.js";
import type { Method } from "./method.js";
import type { RequestState } from "./request-state.js";
import type { Body } from "./route.js";
import { saveRecord } from "./session.js";
import { type Settings, siteOf, userOf } from "./settings.js";

/** A proof as it was sent. */
export interface Proving {
  readonly body: Body;
  readonly trustDevice: boolean;
  /** Id of the one operation it is for; undefined: for the login. */
  readonly operation?: string | undefined;
}

/** What a proof came to: the login has risen, one operation was opened, or the method has no answer yet. */
export type Proved = ElevatedLogin | Confirmed | Waiting;

/** Whose proof it is, and what takes it. */
interface Prover {
  readonly state: RequestState;
  readonly login: LoginContext;
  readonly engine: Engine;
  readonly settings: Settings;
}

const MOST_MISSES = 20;

/**
 * A wrong proof of a method that counts none on the account, because there is nothing to guess. The session counts them, and
 * enough of them end its login: whoever goes on needs the first factor again, and nobody else is kept out of anything.
 */
async function countMiss({ login, state }: Prover, { limits }: Method, problem: Problem): Promise<void> {
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

/** Takes a proof, by a route of ours or a strategy on one of the application's. `invalid-request`: the body presents none. */
export async function prove(prover: Prover, method: Method, proving: Proving): Promise<Outcome<Proved>> {
  const { engine, login, settings, state } = prover;
  const { authentication, dependencies, stepUp } = engine;
  // First of all: a proof for what is not there must neither be compared nor use anything up.
  const waiting = await stepUp.waiting(login, method, proving.operation);
  if (!waiting.ok) return waiting;
  const { value: operation } = waiting;
  const site = siteOf(settings, state.req, userOf(login));
  const { account } = login.record;
  const context = { site, challenges: dependencies.challenges, login, account, operation: operation?.id };
  const presented = await method.present(proving.body, context);
  if (presented === undefined) return failure("invalid-request");
  const outcome =
    operation === undefined
      ? await authentication.authenticate(login, { method, presented, trustDevice: proving.trustDevice })
      : await stepUp.confirm(login, { method, presented }, operation);
  if (!outcome.ok) await countMiss(prover, method, outcome.problem);
  return outcome;
}
