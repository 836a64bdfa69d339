import type { Request, Response } from "express";
import { LoginRefusedError, type Problem, reasonOf } from "../core/errors.js";
import type { Client } from "../core/nouns.js";
import { tried } from "../core/tried.js";
import type { EmitAudit, EmitError } from "../events/emitter.js";
import { sendBareProblem, sendJsonProblem, sendProblem, sendProblemPage, wantsPage } from "./answers.js";
import { isOfLayout } from "./own-layout.js";
import type { PageSet } from "./page-set.js";
import { type RequestState, stateOf } from "./request-state.js";
import type { Done } from "./session.js";
import { tryToHideUser } from "./user-visibility.js";

/** What is told of a failure. */
function problemOf(error: unknown): Problem {
  return { code: error instanceof LoginRefusedError ? error.code : "unavailable" };
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
    this.answerFailure(req, res, error).catch(() => {
      this.refuseAlone(req, res, problemOf(error));
    });
  }

  /** In the application's own layout, unless that is what has failed. */
  private async answerFailure(req: Request, res: Response, error: unknown): Promise<void> {
    const problem = problemOf(error);
    const page = wantsPage(req, this.pages) ? this.pages.problem(req, problem) : undefined;
    if (page === undefined) {
      sendJsonProblem(req, res, problem, this.pages);
      return;
    }
    const plain = (): string => this.pages.plain(page);
    const html = isOfLayout(error) ? plain() : await this.pages.document(req, page).catch(plain);
    sendProblemPage(res, problem, html, this.pages.policy(req, res));
  }

  /** The application's own words failed, or the request or response; the refusal must not. */
  private refuseAlone(req: Request, res: Response, problem: Problem): void {
    if (tried(() => res.headersSent) === true) return;
    first([
      () => {
        sendBareProblem(res, problem);
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
    this.answer(req, res, { code: "expired" });
  }

  answerNotFound(req: Request, res: Response): void {
    this.answer(req, res, { code: "not-found" });
  }

  private answer(req: Request, res: Response, problem: Problem): void {
    sendProblem(req, res, problem, this.pages).catch((error: unknown) => {
      this.refuseUnavailable(req, res, error);
    });
  }
}
