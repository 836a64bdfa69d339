import type { Request, Response } from "express";
import { reasonOf } from "../core/errors.js";
import type { EmitAudit } from "../events/emitter.js";
import { sendBareProblem, sendProblem } from "./answers.js";
import type { PageSet } from "./page-set.js";
import { type RequestState, stateOf } from "./request-state.js";
import { clientOf } from "./source.js";
import { hideUser } from "./user-visibility.js";

/** What stops a request: whoever is refused is hidden first, and told after. */
export class Refusals {
  constructor(
    private readonly pages: PageSet,
    private readonly emitAudit: EmitAudit,
  ) {}

  /** Something on the way to a decision failed: closed, told, and answered if nothing was answered yet. */
  refuseUnavailable(req: Request, res: Response, error: unknown): void {
    hideUser(req);
    const userId = stateOf(req)?.login?.userId ?? "";
    this.emitAudit("unavailable", { userId, client: clientOf(req) }, { outcome: "failure", reason: reasonOf(error) });
    if (res.headersSent) return;
    try {
      sendProblem(req, res, { code: "unavailable" }, this.pages);
    } catch {
      // The application's own layout or words failed; the refusal must not.
      sendBareProblem(res, { code: "unavailable" });
    }
  }

  /** A login that was over before it was complete. */
  refuseEnded(state: RequestState): void {
    const { req, res } = state;
    hideUser(req);
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
