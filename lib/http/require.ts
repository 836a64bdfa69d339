import type { Request, RequestHandler, Response } from "express";
import { ConfigurationError, type Problem } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import type { Engine } from "../engine/engine.js";
import { type LoginContext, scopeOf } from "../engine/login-context.js";
import { GRANT_LIFE, type Json, type Operation, operationOf } from "../engine/step-up.js";
import { isDue } from "../policy/assess.js";
import { type Duration, milliseconds } from "../policy/durations.js";
import { acceptableMethods, type ProofRequirement } from "../policy/requirement.js";
import { sendProblem, sendRedirect, wantsPage } from "./answers.js";
import type { Gate } from "./gate.js";
import type { PageSet } from "./page-set.js";
import type { Refusals } from "./refusals.js";
import { type RequestState, settingsPath, stateOf } from "./request-state.js";
import { localPlace } from "./return-to.js";
import { saveRecord } from "./session.js";
import type { Settings } from "./settings.js";

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

/** What a guard works with. */
interface GuardDependencies {
  readonly engine: Engine;
  readonly settings: Settings;
  readonly pages: PageSet;
  readonly gate: Gate;
  readonly refusals: Refusals;
}

const KNOWN = ["maxAge", "aal", "methods", "phishingResistant", "bind"];

function problemsOf(options: RequireOptions, engine: Engine): string[] {
  const problems = Object.keys(options)
    .filter((name) => !KNOWN.includes(name))
    .map((name) => `mfa.require: there is no option "${name}"`);
  if (options.maxAge !== undefined && milliseconds(options.maxAge) === undefined) {
    problems.push(`mfa.require: maxAge ${JSON.stringify(options.maxAge)} is not a duration such as "5m"`);
  }
  const unknown = (options.methods ?? []).filter((type) => !engine.dependencies.methods.has(type));
  problems.push(...unknown.map((type) => `mfa.require: the method "${type}" is not among the configured methods`));
  if (
    problems.length === 0 &&
    acceptableMethods(requirementOf(options), engine.dependencies.methods.values()).length === 0
  ) {
    problems.push("mfa.require: no configured method can satisfy this; nobody could ever pass");
  }
  return problems;
}

function requirementOf({ aal, maxAge, methods, phishingResistant }: RequireOptions): ProofRequirement {
  return { aal, methods, phishingResistant, maxAge: milliseconds(maxAge) };
}

/** Authentication context classes asked for (RFC 9470 section 3), by what they mean. */
function acrOf({ aal, phishingResistant }: ProofRequirement): string | undefined {
  if (phishingResistant === true) return "phr";
  return aal === undefined ? undefined : `aal${aal}`;
}

/** One `mfa.require(...)`: decided at start, asked at each request. */
class StepUpGuard {
  private readonly requirement: ProofRequirement;

  constructor(
    private readonly dependencies: GuardDependencies,
    private readonly options: RequireOptions,
  ) {
    this.requirement = requirementOf(options);
  }

  /** Answers whether the request goes on; false where it was answered. */
  async check(req: Request, res: Response): Promise<boolean> {
    const state = stateOf(req);
    if (state === undefined) throw new ConfigurationError(["mfa.require() needs app.use(mfa) before the route"]);
    const { login } = state;
    const { engine, gate, pages, settings } = this.dependencies;
    if (login === undefined) {
      sendProblem(req, res, { code: "login-required" }, pages);
      return false;
    }
    const operation = await this.operation(req);
    if (await engine.stepUp.authorizeAndConsume(login, this.requirement, operation)) return true;
    if (settings.isReport) {
      gate.report(login);
      return true;
    }
    if (isDue(login.status)) gate.answerDue(state, login);
    else if (login.status.status === "not-enrolled" && login.status.isEnrolled !== true)
      await this.askToEnroll(state, login);
    else await this.askForProof(state, login, operation);
    return false;
  }

  private async operation(req: Request): Promise<Operation | undefined> {
    const { bind } = this.options;
    if (bind === undefined) return undefined;
    return operationOf(`${req.method} ${req.baseUrl}${req.path}`, await bind(req));
  }

  private async askToEnroll(state: RequestState, login: LoginContext): Promise<void> {
    const { pages } = this.dependencies;
    const { req, res } = state;
    const location = settingsPath(state);
    await this.remember(req, login, {});
    if (wantsPage(req, pages)) sendRedirect(res, location);
    else sendProblem(req, res, { code: "enrollment-required", members: { location } }, pages);
  }

  private async askForProof(state: RequestState, login: LoginContext, operation: Operation | undefined): Promise<void> {
    const { engine, pages } = this.dependencies;
    const { base, req, res } = state;
    const stepUp = await engine.stepUp.requestFor(login, this.requirement, operation);
    const choices = engine.authentication.choices(login.record.account, login.session, scopeOf(login));
    const own = choices.filter(({ type }) => stepUp.methods.includes(type));
    // Where nothing of theirs will do there is nothing to confirm, but something to set up.
    await this.remember(req, login, own.length === 0 ? {} : { stepUp });
    if (wantsPage(req, pages)) {
      sendRedirect(res, own.length === 0 ? settingsPath(state) : base);
      return;
    }
    const maxAge = this.requirement.maxAge ?? (operation === undefined ? undefined : GRANT_LIFE);
    const acr = acrOf(this.requirement);
    const members = {
      location: base,
      methods: own,
      ...(maxAge === undefined ? {} : { maxAge: Math.floor(maxAge / 1000) }),
      ...(acr === undefined ? {} : { acrValues: acr }),
    };
    sendProblem(req, res, { code: "step-up-required", members } satisfies Problem, pages);
  }

  /** After the proof the browser goes back: to what it was reading, or to the page whose form it sent. Nothing is replayed. */
  private async remember(req: Request, { session }: LoginContext, asked: object): Promise<void> {
    if (session === undefined) return;
    const from = req.method === "GET" ? req.originalUrl : req.get("referer");
    const returnTo = localPlace(from, this.dependencies.settings.origins(req));
    const { stepUp: _before, ...plain } = session;
    await saveRecord(req, { ...plain, ...asked, ...(returnTo === undefined ? {} : { returnTo }) });
  }
}

/** `mfa.require(options)`. @throws ConfigurationError for options no request could satisfy */
export function createRequire(dependencies: GuardDependencies): (options?: RequireOptions) => RequestHandler {
  return function require(options = {}) {
    const problems = problemsOf(options, dependencies.engine);
    if (problems.length > 0) throw new ConfigurationError(problems);
    const guard = new StepUpGuard(dependencies, options);
    return function requireSecondFactor(req, res, next) {
      guard.check(req, res).then(
        (goesOn) => {
          if (goesOn) next();
        },
        (error: unknown) => {
          if (error instanceof ConfigurationError) next(error);
          else dependencies.refusals.refuseUnavailable(req, res, error);
        },
      );
    };
  };
}
