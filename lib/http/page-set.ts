import type { Request } from "express";
import { factorsOf } from "../core/account.js";
import { ConfigurationError, type Problem } from "../core/errors.js";
import { DAY, type MethodType } from "../core/nouns.js";
import { maskName } from "../core/text.js";
import { isOpen, type MethodChoice } from "../engine/choices.js";
import type { Engine } from "../engine/engine.js";
import { isOnItsOwn, type LoginContext } from "../engine/login-context.js";
import type { ShownOperation } from "../engine/operations.js";
import { ownSettingsView } from "../engine/views.js";
import { challengePage, operationOverPage } from "../pages/challenge-page.js";
import { enrollmentPage } from "../pages/enrollment-page.js";
import { builtInLayout, renderPage } from "../pages/layout.js";
import { mergeMessages, messagesFor, type Messages } from "../pages/messages.js";
import { drawnBy, type MethodPage, type MethodPages, type OwnPage, type PagePart } from "../pages/method-page.js";
import { problemPage } from "../pages/problem-page.js";
import { settingsPage } from "../pages/settings-page.js";
import { setUpPage } from "../pages/set-up-page.js";
import type { PageContext, PageProblem } from "../pages/views.js";
import { changeProblem, FRESH } from "../policy/access.js";
import { isDue } from "../policy/assess.js";
import type { Method } from "./method.js";
import { stateOf } from "./request-state.js";
import { type Settings, siteOf, userOf } from "./settings.js";

function pageProblem({ code, retryAfter, members }: Problem): PageProblem {
  const minutes = members?.clockOffMinutes;
  return {
    code,
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(typeof minutes === "number" ? { clockOffMinutes: minutes } : {}),
  };
}

function problemMember(problem: Problem | undefined): { problem?: PageProblem } {
  return problem === undefined ? {} : { problem: pageProblem(problem) };
}

/** What a method does that its page has nothing to show for. */
function missingParts(method: Method): string[] {
  const { page, type } = method;
  const missing = [
    ...(method.mint !== undefined && page.codes === undefined ? ["codes"] : []),
    ...(method.obstacle !== undefined && page.unusable === undefined ? ["unusable"] : []),
    ...(method.enroll !== undefined && page.add !== undefined && page.enrollment === undefined ? ["enrollment"] : []),
  ];
  return missing.map((name) => `methods: the page of "${type}" has no ${name}(); what the method does needs it`);
}

function withoutAdding(page: MethodPage): MethodPage {
  return Object.fromEntries(Object.entries(page).filter(([part]) => part !== "add")) as unknown as MethodPage;
}

/** In the order in which they are offered for setting up: first what no fake site can use. */
function pagesOf(methods: readonly Method[]): MethodPages {
  const ordered = methods.toSorted((a, b) => Number(b.phishingResistant) - Number(a.phishingResistant));
  return new Map(ordered.map(({ page, type }) => [type, page]));
}

/** An enrollment that is open, as its page is told of it. */
export interface ShownEnrollment {
  readonly factorId: string;
  /** What the method answered when it was begun; absent where the page is shown again after a wrong proof. */
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly problem?: Problem;
}

/** Puts what a request knows into the views the pages show. No page is written here, and no decision taken. */
export class PageSet {
  private readonly pages: MethodPages;
  /** The words in force, where they are the same for every request; else those to replace. */
  private readonly words: Messages;
  private readonly minting: Method | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly engine: Engine,
  ) {
    const methods = [...settings.methods.values()];
    this.pages = pagesOf(methods);
    this.minting = methods.find((method) => method.mint !== undefined);
    const problems = this.isOn ? methods.flatMap(missingParts) : [];
    if (problems.length > 0) throw new ConfigurationError(problems);
    const overrides = settings.pages?.messages;
    const words = messagesFor(this.pages);
    this.words = typeof overrides === "object" ? mergeMessages(words, overrides) : words;
  }

  /** Pages are on; without them browsers are answered like any other client. */
  get isOn(): boolean {
    return this.settings.pages !== undefined;
  }

  /** The sentence a visitor reads about a problem, on pages and in JSON alike. */
  detail(req: Request, { code }: Problem): string {
    return this.messages(req).errors[code];
  }

  problem(req: Request, problem: Problem): string {
    return problemPage(this.context(req), { problem: pageProblem(problem) });
  }

  /** The page a login with a second factor due sees first: the challenge, or the enrollment that policy demands. */
  due(req: Request, login: LoginContext, problem?: Problem): string {
    if (login.status.status !== "must-enroll") return this.challenge(req, login, undefined, problem);
    return setUpPage(this.context(req, login), { accountName: this.shownName(login), ...problemMember(problem) });
  }

  challenge(
    req: Request,
    login: LoginContext,
    tried?: MethodType,
    problem?: Problem,
    operation?: ShownOperation,
  ): string {
    const methods = this.choices(login, problem, operation);
    const wanted = tried ?? req.query.method;
    const selected = methods.find(({ type }) => type === wanted) ?? methods.find(isOpen) ?? methods[0];
    // Trusting a browser is for sign-ins; who confirms something is signed in already.
    const trustMaxAge = isDue(login.status) ? this.settings.trustMaxAge : undefined;
    return challengePage(this.context(req, login), {
      purpose: login.status.status === "pending" ? "sign-in" : "step-up",
      methods,
      unusable: this.engine.authentication.unusable(login),
      selected: selected?.type,
      accountName: this.shownName(login),
      trustDays: trustMaxAge && Math.max(1, Math.round(trustMaxAge / DAY)),
      ...(operation === undefined ? {} : { operation }),
      ...problemMember(problem),
    });
  }

  operationOver(req: Request, login: LoginContext): string {
    return operationOverPage(this.context(req, login));
  }

  /** What a method shows of an enrollment, or its form again after a wrong proof. */
  enrollment(req: Request, login: LoginContext, type: MethodType, { problem, ...open }: ShownEnrollment): string {
    return enrollmentPage(this.context(req, login), { type, ...open, ...problemMember(problem) });
  }

  backupCodes(
    req: Request,
    login: LoginContext,
    codes: readonly string[],
    continueTo: string,
    isFirst: boolean,
  ): string {
    const context = this.context(req, login);
    const drawn = this.minting && drawnBy(context, this.minting.type);
    const part = drawn?.page.codes?.({ ...drawn.drawing, codes, continueTo, isFirst });
    if (part === undefined) throw new Error("No configured method makes codes, and there are some to show");
    return renderPage(context, part.title, part.body);
  }

  settingsPage(req: Request, login: LoginContext, problem?: Problem): string {
    const { clock, trustMaxAge, verifyPassword } = this.settings;
    return settingsPage(this.context(req, login), {
      settings: ownSettingsView(login, this.engine.dependencies),
      members: this.settingsMembers(req, login),
      accountName: this.settings.accountName(userOf(login)),
      hasTrustedDevices: trustMaxAge !== undefined,
      required: login.decision === "required",
      needsStepUp: changeProblem(login, FRESH, clock()) !== undefined,
      asksPassword: verifyPassword !== undefined,
      ...problemMember(problem),
    });
  }

  /** What the methods add to the settings in JSON. */
  settingsMembers(req: Request, login: LoginContext): Readonly<Record<string, unknown>> {
    const site = siteOf(this.settings, req, userOf(login));
    const members = [...this.settings.methods.values()].map((method) => method.settings?.(login, site) ?? {});
    return Object.assign({}, ...members) as Record<string, unknown>;
  }

  /** A page that a method draws itself. */
  custom(req: Request, login: LoginContext, draw: (page: OwnPage) => PagePart, problem?: Problem): string {
    const context = this.context(req, login);
    const accountName = this.settings.accountName(userOf(login));
    const { body, title } = draw({ context, accountName, problem: problem && pageProblem(problem) });
    return renderPage(context, title, body);
  }

  /** Whoever has only given a password is not told whose it is beyond what they know. */
  private shownName(login: LoginContext): string {
    const name = this.settings.accountName(userOf(login));
    return isDue(login.status) ? maskName(name) : name;
  }

  /** The visitor's methods that will do for what is asked of them. */
  private choices(login: LoginContext, problem?: Problem, operation?: ShownOperation): MethodChoice[] {
    const { record, session } = login;
    const except = problem?.members?.except;
    const isWorthMore = (type: MethodType): boolean =>
      type !== except && factorsOf(record.account, type).some((factor) => isOnItsOwn(login, factor));
    const asked = (operation ?? session?.stepUp)?.methods;
    const own = this.engine.authentication.choices(login);
    const all = except === undefined ? own : own.filter(({ type }) => isWorthMore(type));
    // What a route asked for narrows the choice; the settings ask for anything.
    const isForRoute = problem?.code !== "step-up-required";
    return isForRoute ? all.filter(({ type }) => asked?.includes(type) ?? true) : all;
  }

  /** Where no factor of a kind could be used, none is set up; those there are still have their row. */
  private pagesAt(place: LoginContext["source"]): MethodPages {
    const away = [...this.settings.methods.values()].filter((method) => method.isFor?.(place) === false);
    if (away.length === 0) return this.pages;
    return new Map([...this.pages, ...away.map(({ page, type }) => [type, withoutAdding(page)] as const)]);
  }

  private messages(req: Request): Messages {
    const overrides = this.settings.pages?.messages;
    return typeof overrides === "function" ? mergeMessages(this.words, overrides(req)) : this.words;
  }

  private context(req: Request, login?: LoginContext): PageContext {
    const { issuer, issuerName, loginPath, pages = {}, path } = this.settings;
    const { lang = "en", layout = builtInLayout } = pages;
    return {
      base: stateOf(req)?.base ?? path,
      messages: this.messages(req),
      pages: login === undefined ? this.pages : this.pagesAt(login.source),
      issuer: login === undefined ? issuerName : issuer(req, userOf(login)),
      lang: typeof lang === "function" ? lang(req) : lang,
      loginPath,
      layout,
    };
  }
}
