import type { Request } from "express";
import type { UserId } from "../core/nouns.js";
import { isActing, type LoginContext } from "../engine/login-context.js";
import type { SessionRecord } from "../policy/assess.js";
import type { Gate } from "./gate.js";
import { keepsSession, type LoggingIn } from "./log-in-call.js";
import { type RequestState, stateOf } from "./request-state.js";
import { anyRecord, putRecord, readRecord, sessionOf, settled } from "./session.js";
import { showUser } from "./user-visibility.js";

/** What goes on as it is, in a session of another id. */
export type GoingOn = LoginContext & { readonly session: SessionRecord };

/** The login of staff who act for the very user who is logged in. */
export function actingIn({ state: { login, req } }: LoggingIn, userId: string): GoingOn | undefined {
  if (login === undefined || !isActing(login) || login.userId !== userId) return undefined;
  const session = readRecord(req, userId);
  return session && { ...login, session };
}

/** Whom staff act for in this login. The request that signs it out begins no login of that user's own. */
export function actedForIn({ login }: RequestState): UserId | undefined {
  return login !== undefined && isActing(login) ? login.userId : undefined;
}

/**
 * Applications log their user in anew where something of theirs has changed. Whoever acts for them goes on acting, until the same end:
 * it would be the user's own login otherwise, which asks for nothing more where they have no factor.
 */
export async function goOnActing(
  { options, original, state, user }: LoggingIn,
  acting: GoingOn,
  gate: Gate,
  passportLogIn: (settle: () => Promise<SessionRecord>) => Promise<void>,
): Promise<boolean> {
  if (keepsSession(options)) await passportLogIn(() => Promise.resolve(acting.session));
  else await settled(original);
  showUser(state.req, user);
  gate.setLogin(state, acting);
  return true;
}

/**
 * Before the application renews the session by itself, which empties it of all but what it then puts there, its user among that: what puts
 * the login of whoever acts for them there, too. A session without would hold the user's own login.
 */
export function actingOn(req: Request): () => void {
  const { login } = stateOf(req) ?? {};
  const record = login !== undefined && isActing(login) ? anyRecord(req) : undefined;
  return () => {
    if (record !== undefined && sessionOf(req) !== undefined) putRecord(req, record);
  };
}
