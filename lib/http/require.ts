import type { Request, RequestHandler, Response } from "express";
import { ConfigurationError, type Problem } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { Engine } from "../engine/engine.js";
import { GRANT_LIFE, type Json, type Operation, operationOf } from "../engine/step-up.js";
import { type Duration, milliseconds } from "../options/durations.js";
import type { Settings } from "../options/settings.js";
import { isDue } from "../policy/assess.js";
import { acceptableMethods, type Demand } from "../policy/demand.js";
import { sendProblem, sendRedirect, wantsPage } from "./answers.js";
import type { Gate } from "./gate.js";
import type { PageSet } from "./page-set.js";
import { saveMark } from "./session.js";
import { type RequestState, settingsPath, stateOf, type Visit } from "./state.js";

/** What a route asks of the second factor. One proof must satisfy all of it; a trusted device satisfies none. */
export interface RequireOptions {
  /** How long ago the proof may have been given. Activity does not renew it. Default: as long as the login lasts. */
  readonly maxAge?: Duration;
  /** Level in the sense of NIST SP 800-63B-4. Default: any real proof. */
  readonly aal?: 2;
  /** Kinds of proof that will do. Default: any. */
  readonly methods?: readonly MethodType[];
  /** Only what a look-alike site cannot use. Default: false. */
  readonly phishingResistant?: boolean;
  /**
   * What this one request does, as text the user is shown or any JSON value: the proof is then asked for this operation
   * (method, route and value) and opens it once. Without `maxAge` it is good for 5 minutes.
   */
  readonly bind?: (req: Request) => Json | Promise<Json>;
}

interface Desk {
  readonly engine: Engine;
  readonly settings: Settings;
  readonly pages: PageSet;
  readonly gate: Gate;
}

const KNOWN = ["maxAge", "aal", "methods", "phishingResistant", "bind"];

function problemsOf(options: RequireOptions, engine: Engine): string[] {
  const problems = Object.keys(options)
    .filter((name) => !KNOWN.includes(name))
    .map((name) => `mfa.require: there is no option "${name}"`);
  if (options.maxAge !== undefined && milliseconds(options.maxAge) === undefined) {
    problems.push(`mfa.require: maxAge ${JSON.stringify(options.maxAge)} is not a duration such as "5m"`);
  }
  const unknown = (options.methods ?? []).filter((type) => !engine.parts.methods.has(type));
  problems.push(...unknown.map((type) => `mfa.require: the method "${type}" is not among the configured methods`));
  if (problems.length === 0 && acceptableMethods(demandOf(options), engine.parts.methods.values()).length === 0) {
    problems.push("mfa.require: no configured method can satisfy this; nobody could ever pass");
  }
  return problems;
}

function demandOf({ aal, maxAge, methods, phishingResistant }: RequireOptions): Demand {
  return { aal, methods, phishingResistant, maxAge: milliseconds(maxAge) };
}

/** Authentication context classes asked for (RFC 9470 section 3), by what they mean. */
function acrOf({ aal, phishingResistant }: Demand): string | undefined {
  if (phishingResistant === true) return "phr";
  return aal === undefined ? undefined : `aal${aal}`;
}

/** One `mfa.require(...)`: decided at start, asked at each request. */
class Requirement {
  private readonly demand: Demand;

  constructor(
    private readonly desk: Desk,
    private readonly options: RequireOptions,
  ) {
    this.demand = demandOf(options);
  }

  /** Answers whether the request goes on; false where it was answered. */
  async check(req: Request, res: Response): Promise<boolean> {
    const state = stateOf(req);
    if (state === undefined) throw new ConfigurationError(["mfa.require() needs app.use(mfa) before the route"]);
    const { visit } = state;
    const { gate, pages, settings } = this.desk;
    if (visit === undefined) {
      sendProblem(req, res, { code: "login-required" }, pages);
      return false;
    }
    const operation = await this.operation(req);
    if (await this.isSatisfied(visit, operation)) return true;
    if (settings.isReport) {
      gate.report(visit);
      return true;
    }
    if (isDue(visit.standing)) gate.answerDue(req, res, visit);
    else if (visit.standing.status === "not-enrolled" && visit.standing.isEnrolled !== true)
      await this.askToEnroll(req, res, state, visit);
    else await this.askForProof(req, res, state, visit, operation);
    return false;
  }

  private async operation(req: Request): Promise<Operation | undefined> {
    const { bind } = this.options;
    if (bind === undefined) return undefined;
    return operationOf(`${req.method} ${req.baseUrl}${req.path}`, await bind(req));
  }

  private async isSatisfied({ standing, visitor }: Visit, operation: Operation | undefined): Promise<boolean> {
    if (standing.status !== "verified") return false;
    return this.desk.engine.stepUp.satisfies(visitor, standing.login, this.demand, operation);
  }

  private async askToEnroll(req: Request, res: Response, state: RequestState, visit: Visit): Promise<void> {
    const { pages } = this.desk;
    const location = settingsPath(state);
    await this.remember(req, visit, {});
    if (wantsPage(req, pages)) sendRedirect(res, location);
    else sendProblem(req, res, { code: "enrollment-required", members: { location } }, pages);
  }

  private async askForProof(
    req: Request,
    res: Response,
    state: RequestState,
    visit: Visit,
    operation: Operation | undefined,
  ): Promise<void> {
    const { engine, pages } = this.desk;
    const stepUp = await engine.stepUp.asked(visit.visitor, this.demand, operation);
    const own = engine.challenge.choices(visit.account).filter(({ type }) => stepUp.methods.includes(type));
    // Where nothing of theirs will do there is nothing to confirm, but something to set up.
    await this.remember(req, visit, own.length === 0 ? {} : { stepUp });
    if (wantsPage(req, pages)) {
      sendRedirect(res, own.length === 0 ? settingsPath(state) : state.base);
      return;
    }
    const methods = own;
    const maxAge = this.demand.maxAge ?? (operation === undefined ? undefined : GRANT_LIFE);
    const acr = acrOf(this.demand);
    const members = {
      location: state.base,
      methods,
      ...(maxAge === undefined ? {} : { maxAge: Math.floor(maxAge / 1000) }),
      ...(acr === undefined ? {} : { acrValues: acr }),
    };
    sendProblem(req, res, { code: "step-up-required", members } satisfies Problem, pages);
  }

  /** After the proof the browser goes back: to what it was reading, or to the page whose form it sent. Nothing is replayed. */
  private async remember(req: Request, { visitor }: Visit, asked: object): Promise<void> {
    const { gate } = this.desk;
    const { mark } = visitor;
    if (mark === undefined) return;
    const from = req.method === "GET" ? req.originalUrl : req.get("referer");
    const returnTo = gate.local(req, from);
    const { stepUp: _before, ...plain } = mark;
    await saveMark(req, { ...plain, ...asked, ...(returnTo === undefined ? {} : { returnTo }) });
  }
}

/** `mfa.require(options)`. @throws ConfigurationError for options no request could satisfy */
export function createRequire(desk: Desk): (options?: RequireOptions) => RequestHandler {
  return function require(options = {}) {
    const problems = problemsOf(options, desk.engine);
    if (problems.length > 0) throw new ConfigurationError(problems);
    const requirement = new Requirement(desk, options);
    return function requireSecondFactor(req, res, next) {
      requirement.check(req, res).then(
        (goesOn) => {
          if (goesOn) next();
        },
        (error: unknown) => {
          if (error instanceof ConfigurationError) next(error);
          else desk.gate.refuse(req, res);
        },
      );
    };
  };
}
