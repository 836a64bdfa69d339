import type { Request, RequestHandler, Response } from "express";
import { isEnrolled } from "../core/account.js";
import { ConfigurationError, failure, type Outcome, type Problem, reasonOf, success } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { MethodType } from "../core/nouns.js";
import type { Engine } from "../engine/engine.js";
import { isActing, type LoginContext, subjectOf } from "../engine/login-context.js";
import { MOST_SHOWN, type Operation, type OperationFlaw, operationOf } from "../engine/operation.js";
import type { ShownOperation } from "../engine/operations.js";
import { longestAge } from "../engine/step-up.js";
import { telling } from "../events/telling.js";
import { probationProblem } from "../policy/access.js";
import { isDue } from "../policy/assess.js";
import { type Duration, milliseconds } from "../policy/durations.js";
import type { ProofRequirement } from "../policy/requirement.js";
import { sendJsonProblem, sendProblem, sendRedirect, wantsPage } from "./answers.js";
import { operationMember } from "./challenge-routes.js";
import { choiceMembers } from "./choice-members.js";
import type { Gate } from "./gate.js";
import type { PageSet } from "./page-set.js";
import type { Refusals } from "./refusals.js";
import { type Way, wayOf } from "./going.js";
import { sendHtmxTo } from "./libraries.js";
import { isOwnPlace, ownPlace } from "./places.js";
import { challengePath, type RequestState, settingsPath, stateOf } from "./request-state.js";
import { requireProblems } from "./require-problems.js";
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
   * What this one request does, as text or any JSON value: the user is shown all of it, the proof is asked for this operation
   * (method, path and value), and opens it once and nothing else. Without `maxAge` it is good for 5 minutes.
   *
   * A request for which it answers nothing (undefined, null, empty or blank text, a number that is none), or something of which 500
   * characters would not show all, is refused: 400 `invalid-request`. What no request can bring (a date, a function), and either
   * of these from a `bind` that takes no request, is a `ConfigurationError`. Where it throws, the answer is 503.
   * Under `enforce: "report"` all of these go through, and are told as `would-block`.
   */
  readonly bind?: (req: Request) => Json | Promise<Json>;
  /**
   * Where the browser goes once it is confirmed: a path as the application's own routes name it (`publicPath` and the mount path come
   * in front), or a function that answers one; what it answers that is no place of this site counts as nothing, where it throws, the
   * answer is 503. Nothing that was sent is sent again. Needed for forms on pages under `Referrer-Policy: no-referrer`, which is what
   * helmet sets.
   *
   * Default: the page that was asked for; for forms, and for what scripts do, the page they were sent from; where the browser does not
   * say which, the page that this process saw the login open last; else `homePath`.
   */
  readonly returnTo?: string | ((req: Request) => string | undefined);
}

/** What a guard works with. */
interface GuardDependencies {
  readonly engine: Engine;
  readonly settings: Settings;
  readonly pages: PageSet;
  readonly gate: Gate;
  readonly refusals: Refusals;
}

function requirementOf({ aal, maxAge, methods, phishingResistant }: RequireOptions): ProofRequirement {
  return { aal, methods, phishingResistant, maxAge: milliseconds(maxAge) };
}

/** Authentication context classes asked for (RFC 9470 section 3), by what they mean. */
function acrOf({ aal, phishingResistant }: ProofRequirement): string | undefined {
  if (phishingResistant === true) return "phr";
  return aal === undefined ? undefined : `aal${aal}`;
}

const FLAWS: Readonly<Record<OperationFlaw, string>> = {
  missing: "must answer text, or JSON without anything missing, that says what the request does",
  "too-long": `must answer what can be shown whole, in ${MOST_SHOWN} characters`,
  foreign: "must answer text or JSON: no dates, functions, bigints or instances of classes",
};

/** One `mfa.require(...)`: decided at start, asked at each request. */
class StepUpGuard {
  private readonly requirement: ProofRequirement;
  private readonly askBind: (req: Request) => unknown;

  constructor(
    private readonly dependencies: GuardDependencies,
    private readonly options: RequireOptions,
  ) {
    this.requirement = requirementOf(options);
    this.askBind = telling(dependencies.settings.emitError, "bind", (req) => options.bind?.(req));
  }

  /** Answers whether the request goes on; false where it was answered. */
  async check(req: Request, res: Response): Promise<boolean> {
    const state = stateOf(req);
    if (state === undefined) throw new ConfigurationError(["mfa.require() needs app.use(mfa) before the route"]);
    const { login } = state;
    const { engine, gate, pages, settings } = this.dependencies;
    if (login === undefined) {
      await sendProblem(req, res, { code: "login-required" }, pages);
      return false;
    }
    if (isActing(login)) return this.refuseActing(state, login);
    const early = isDue(login.status) ? undefined : probationProblem(login.record.account, settings.clock());
    const asked = early === undefined ? await this.tryOperation(req, login) : { ok: false as const, problem: early };
    if (asked === undefined) return true;
    if (asked.ok && (await engine.stepUp.authorizeAndConsume(login, this.requirement, asked.value))) return true;
    if (settings.isReport) gate.report(login);
    else await this.refuse(state, login, asked);
    return settings.isReport;
  }

  /** What asks for the user is not for staff who act for them. */
  private async refuseActing({ req, res }: RequestState, login: LoginContext): Promise<boolean> {
    const { gate, pages, settings } = this.dependencies;
    if (settings.isReport) gate.report(login);
    else await sendProblem(req, res, { code: "acting-login" }, pages);
    return settings.isReport;
  }

  private async refuse(state: RequestState, login: LoginContext, asked: Outcome<Operation | undefined>): Promise<void> {
    const { gate, pages } = this.dependencies;
    const { status } = login;
    if (isDue(status)) gate.answerDue(state, login);
    else if (!asked.ok && asked.problem.code === "probation")
      await sendProblem(state.req, state.res, asked.problem, pages);
    else if (this.isToEnroll(login)) await this.askToEnroll(state, login);
    else if (asked.ok) await this.askForProof(state, login, asked.value);
    else await sendProblem(state.req, state.res, asked.problem, pages);
  }

  /** Nothing the account has could ever satisfy this. */
  private isToEnroll(login: LoginContext): boolean {
    const { record, status } = login;
    // Let in by a temporary pass, somebody is verified and has nothing of their own yet.
    const hasNothing = status.status === "verified" && !isEnrolled(record.account);
    if (hasNothing || (status.status === "not-enrolled" && status.isEnrolled !== true)) return true;
    return this.dependencies.engine.stepUp.needsEnrollment(login, this.requirement);
  }

  /** Undefined where `bind` fails and nothing is enforced yet: that is told, and stops nobody. */
  private async tryOperation(req: Request, login: LoginContext): Promise<Outcome<Operation | undefined> | undefined> {
    // What nobody may do yet need not be said in words: a body may lack all of it.
    if (isDue(login.status)) return success(undefined);
    try {
      return await this.operation(req);
    } catch (error) {
      const { engine, settings } = this.dependencies;
      if (!settings.isReport) throw error;
      const details = { outcome: "failure", reason: reasonOf(error) } as const;
      engine.dependencies.emitAudit("would-block", subjectOf(login), details);
      return undefined;
    }
  }

  /** What the request does, where the proof is for that alone; or why nobody could confirm it. */
  private async operation(req: Request): Promise<Outcome<Operation | undefined>> {
    const { bind } = this.options;
    if (bind === undefined) return success(undefined);
    const operation = operationOf(`${req.method} ${req.baseUrl}${req.path}`, await this.askBind(req));
    if (!("flaw" in operation)) return success(operation);
    const { flaw } = operation;
    // No request brings a date or a function, and nothing a request brings is in what does not look at it.
    if (flaw === "foreign" || bind.length === 0) throw new ConfigurationError([`mfa.require: bind ${FLAWS[flaw]}`]);
    return failure("invalid-request", { members: { reason: `operation-${flaw}` } });
  }

  private async askToEnroll(state: RequestState, login: LoginContext): Promise<void> {
    const { pages } = this.dependencies;
    const { req, res } = state;
    const location = settingsPath(state);
    await this.remember(state, login, undefined);
    if (wantsPage(req, pages)) sendRedirect(res, location);
    else sendJsonProblem(req, res, { code: "enrollment-required", members: { location } }, pages);
  }

  private async askForProof(state: RequestState, login: LoginContext, operation: Operation | undefined): Promise<void> {
    const { engine, pages } = this.dependencies;
    const { req, res } = state;
    const methods = engine.stepUp.methodsFor(this.requirement);
    const choices = engine.authentication.choices(login);
    const own = choices.filter(({ type }) => methods.includes(type));
    const waiting = operation && own.length > 0 ? await this.ask(state, login, operation) : undefined;
    // Where nothing of theirs will do there is nothing to confirm, but something to set up.
    if (waiting === undefined) await this.remember(state, login, own.length === 0 ? undefined : methods);
    const location = challengePath(state, { operation: waiting?.id });
    if (wantsPage(req, pages)) sendRedirect(res, own.length === 0 ? settingsPath(state) : location);
    else {
      if (own.length === 0) sendHtmxTo(req, res, settingsPath(state));
      const asked = { ...choiceMembers(engine, login, own), ...this.terms(operation) };
      const members = { location, ...asked, ...(waiting && operationMember(waiting)) };
      sendJsonProblem(req, res, { code: "step-up-required", members } satisfies Problem, pages);
    }
  }

  /** What a proof must be, for whoever reads the refusal. */
  private terms(operation: Operation | undefined): object {
    const maxAge = longestAge(this.requirement, operation);
    const acrValues = acrOf(this.requirement);
    return {
      ...(maxAge === undefined ? {} : { maxAge: Math.floor(maxAge / 1000) }),
      ...(acrValues === undefined ? {} : { acrValues }),
    };
  }

  private ask(state: RequestState, login: LoginContext, operation: Operation): Promise<ShownOperation | undefined> {
    const way = this.way(state, login) ?? { returnTo: this.wanted(state) };
    return this.dependencies.engine.stepUp.ask(login, this.requirement, operation, way);
  }

  private way(state: RequestState, login: LoginContext): Way | undefined {
    return wayOf(state, login, this.dependencies.settings, this.wanted(state));
  }

  /** Where the route says that it leads. */
  private wanted({ places, req }: RequestState): string | undefined {
    const { returnTo } = this.options;
    const wanted = typeof returnTo === "function" ? returnTo(req) : returnTo;
    if (isOwnPlace(wanted)) return ownPlace(places.root, wanted);
    return localPlace(wanted, this.dependencies.settings.origins(req));
  }

  /** After the proof the browser goes back. `methods`: whose proof will do; undefined where none of theirs would. */
  private async remember(
    state: RequestState,
    login: LoginContext,
    methods: readonly MethodType[] | undefined,
  ): Promise<void> {
    const way = login.session === undefined ? undefined : this.way(state, login);
    if (login.session === undefined || way === undefined) return;
    const { returnTo: _to, stepUp: _before, ...plain } = login.session;
    const { backTo, returnTo } = way;
    const { pages, settings } = this.dependencies;
    const at = settings.clock();
    // Whoever is sent to the settings is told why.
    const done = { what: "needed", at } as const;
    const isTold = methods === undefined && wantsPage(state.req, pages);
    await saveRecord(state.req, {
      ...plain,
      ...(isTold && { done }),
      ...(methods !== undefined && { stepUp: { methods, at, ...(backTo !== undefined && { backTo }) } }),
      ...(returnTo !== undefined && { returnTo }),
    });
  }
}

/** `mfa.require(options)`. @throws ConfigurationError for options no request could satisfy */
export function createRequire(dependencies: GuardDependencies): (options?: RequireOptions) => RequestHandler {
  return function require(options = {}) {
    const problems = requireProblems(options, dependencies.engine.dependencies.methods);
    if (problems.length > 0) throw new ConfigurationError(problems);
    const guard = new StepUpGuard(dependencies, options);
    return function requireSecondFactor(req, res, next) {
      guard.check(req, res).then(
        (goesOn) => {
          if (goesOn) next();
        },
        (error: unknown) => {
          if (error instanceof ConfigurationError) {
            dependencies.settings.emitError("request", error);
            next(error);
          } else dependencies.refusals.refuseUnavailable(req, res, error);
        },
      );
    };
  };
}
