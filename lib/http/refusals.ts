import type { Request, Response } from "express";
import { type ErrorCode, LoginRefusedError, reasonOf } from "../core/errors.js";
import type { Client } from "../core/nouns.js";
import type { EmitAudit, EmitError } from "../events/emitter.js";
import { sendBareProblem, sendProblem } from "./answers.js";
import type { PageSet } from "./page-set.js";
import { type RequestState, stateOf } from "./request-state.js";
import type { Done } from "./session.js";
import { tryToHideUser } from "./user-visibility.js";

/** What a refusal asks may be what has failed: then it goes without. */
function tried<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function clientIn(req: Request): Client {
  return {
    ip: tried(() => req.ip),
    userAgent: tried(() => req.headers["user-agent"]),
    requestId: tried(() => req.headers["x-request-id"]?.toString()),
  };
}

/** The first that can be done is done. */
function first(ways: readonly (() => void)[]): void {
  for (const way of ways) {
    try {
      way();
      return;
    } catch {
      // The next one asks for less.
    }
  }
}

/** What a callback of the application's threw where nobody is left to tell: it must not end the process. */
export function tellOfCallback(error: unknown): void {
  const text = tried(() => (error as { stack?: string }).stack) ?? tried(() => String(error)) ?? "";
  process.emitWarning(`A callback of the application threw: ${text}`, { code: "SECOND_FACTOR_CALLBACK" });
}

/** Calls the application back once `ending` is over: with what went wrong with it, else with `error`. */
export function callBackAfter(ending: Promise<void>, done: Done, error: unknown): void {
  ending
    .then(() => {
      done(error);
    }, done)
    .catch(tellOfCallback);
}

/** What stops a request: whoever is refused is hidden first, and told after. */
export class Refusals {
  constructor(
    private readonly pages: PageSet,
    private readonly emitAudit: EmitAudit,
    private readonly emitError: EmitError,
  ) {}

  /**
   * Something on the way to a decision failed: closed, told, and answered if nothing was answered yet. Never throws, whatever of
   * request and response it was that failed: who cannot be answered is hung up on.
   */
  refuseUnavailable(req: Request, res: Response, error: unknown): void {
    tryToHideUser(req);
    this.tell(req, error);
    if (tried(() => res.headersSent) === true) return;
    const code: ErrorCode = error instanceof LoginRefusedError ? error.code : "unavailable";
    first([
      () => {
        sendProblem(req, res, { code }, this.pages);
      },
      // The application's own layout or words failed; the refusal must not.
      () => {
        sendBareProblem(res, { code });
      },
      () => {
        res.statusCode = 503;
        res.end();
      },
      () => {
        res.destroy();
      },
      () => {
        req.destroy();
      },
    ]);
  }

  /** Tells what failed; never throws. */
  tell(req: Request, error: unknown): void {
    tried(() => {
      // Told where it failed, with what was thrown.
      if (error instanceof LoginRefusedError) return;
      const userId = tried(() => stateOf(req)?.login?.userId) ?? "";
      const client = clientIn(req);
      this.emitError("request", error, { userId, client });
      this.emitAudit("unavailable", { userId, client }, { outcome: "failure", reason: reasonOf(error) });
    });
  }

  /** A login that was over before it was complete. */
  refuseEnded(state: RequestState): void {
    const { req, res } = state;
    tryToHideUser(req);
    state.login = undefined;
    sendProblem(req, res, { code: "expired" }, this.pages);
  }

  answerNotFound(req: Request, res: Response): void {
    try {
      sendProblem(req, res, { code: "not-found" }, this.pages);
    } catch (error) {
      this.refuseUnavailable(req, res, error);
    }
  }
}
