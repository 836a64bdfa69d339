import type { Request } from "express";
import type { MethodType } from "../core/nouns.js";
import type { BegunLogin } from "../engine/first-factor.js";
import { isDue, type SessionRecord } from "../policy/assess.js";
import type { RequestState } from "./request-state.js";
import { type Done, idOf, override, putRecord, requireNewId, saveOnce, type Session, sessionOf } from "./session.js";
import type { AppUser } from "./settings.js";

/** Passport's own options of `authenticate` and `logIn`, as far as they matter here. */
export interface LogInOptions {
  readonly session?: unknown;
  readonly successRedirect?: string;
  readonly successReturnToOrRedirect?: string;
  /**
   * `"inline"`: do not answer the request where a second factor is due. A strategy further down the chain verifies it, or the
   * application, which waits for `logIn`, answers that it is.
   */
  readonly secondFactor?: "inline";
}

export type PassportMethod = (this: unknown, ...given: unknown[]) => unknown;

/** One call of `req.logIn`. */
export interface LoggingIn {
  readonly state: RequestState;
  readonly user: AppUser;
  readonly options: LogInOptions;
  /** Passport's own method, called as ours was. */
  readonly original: (done: Done) => unknown;
}

/** Passport's own failure of a login, kept apart from ours: the application hears of it as ever. */
export class LogInError extends Error {
  constructor(override readonly cause: unknown) {
    super("req.logIn failed");
  }
}

/** The arguments of a call, told apart. */
interface Given {
  readonly options: LogInOptions;
  /** What comes before the callback. */
  readonly before: readonly unknown[];
  readonly done: Done;
  readonly isCalledBack: boolean;
}

/**
 * Passport's `(options, done)`, either of which may be left out, or be null. What lies under our method may be the application's, which
 * knows one way of being called: `before` are the arguments it is called with, up to the callback.
 */
export function given(first: unknown, second: unknown): Given {
  const done = typeof first === "function" ? first : second;
  const hasOptions = typeof first === "object" && first !== null;
  const isCalledBack = typeof done === "function";
  return {
    options: hasOptions ? first : {},
    before: hasOptions ? [first] : [],
    done: isCalledBack ? (done as Done) : () => undefined,
    isCalledBack,
  };
}

/** As Passport reads its option. */
export function keepsSession({ session }: LogInOptions): boolean {
  return session === undefined || Boolean(session);
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** What came of a session's record when the session got its new id. */
export interface RenewedRecord {
  record?: SessionRecord;
  /** Ours, not Passport's. */
  failure?: Error;
}

/** Has the record of the session that takes this one's place made and put, before anything goes on with it. */
export function renewedWith(req: Request, session: Session, settle: () => Promise<SessionRecord>): RenewedRecord {
  const renewed: RenewedRecord = {};
  const regenerate = session.regenerate.bind(session);
  const before = idOf(req);
  async function put(next: Session): Promise<void> {
    requireNewId(req, before);
    saveOnce(next);
    renewed.record = await settle();
    putRecord(req, renewed.record);
  }
  override(session, "regenerate", (done: Done): Session => {
    regenerate((error) => {
      const next = sessionOf(req);
      if (next === undefined || (error !== undefined && error !== null)) done(error);
      else {
        put(next).then(
          () => {
            done();
          },
          (failure: unknown) => {
            renewed.failure = asError(failure);
            done(renewed.failure);
          },
        );
      }
    });
    return session;
  });
  return renewed;
}

/** The session's record of a login that was begun, with what is to be remembered of that. `route`: where, while it waits. */
export function remembering(
  { session, status }: BegunLogin["login"],
  {
    first,
    route,
    waits,
  }: { readonly first: MethodType | undefined; readonly route: string; readonly waits: Partial<SessionRecord> },
): SessionRecord {
  return { ...session, ...(first !== undefined && { first }), ...waits, ...(isDue(status) && { route }) };
}
