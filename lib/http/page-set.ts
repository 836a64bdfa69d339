import type { Request } from "express";
import { activeFactorsOf, isEnrolled } from "../core/account.js";
import { ConfigurationError, OF_SENDING, type Problem } from "../core/errors.js";
import { DAY, type MethodType } from "../core/nouns.js";
import { webOrigins } from "../core/origins.js";
import { maskName } from "../core/text.js";
import { type MethodChoice, shownOf } from "../engine/choices.js";
import type { Engine } from "../engine/engine.js";
import type { PagedEnrollment } from "../engine/enrollment-pages.js";
import { isOnItsOwn, type LoginContext } from "../engine/login-context.js";
import type { CodesToShow } from "../engine/shown-codes.js";
import type { Writing } from "../engine/method.js";
import type { ShownOperation } from "../engine/operations.js";
import { newPhoneHints, newPhoneView } from "../engine/new-phone.js";
import { frozenMember, ownSettingsView } from "../engine/views.js";
import { bouncePage } from "../pages/bounce-page.js";
import { challengePage, operationOverPage } from "../pages/challenge-page.js";
import { waitText } from "../pages/fragments.js";
import { enrollmentPage } from "../pages/enrollment-page.js";
import { builtInLayout, renderPage } from "../pages/layout.js";
import { mergeMessages, messagesFor, type Messages } from "../pages/messages.js";
import { drawnBy, isForSetUp, type MethodPages, type OwnPage, type PagePart } from "../pages/method-page.js";
import { newPhonePage } from "../pages/new-phone-page.js";
import { problemPage } from "../pages/problem-page.js";
import { reasonText } from "../pages/problem-reasons.js";
import { settingsPage } from "../pages/settings-page.js";
import { setUpPage } from "../pages/set-up-page.js";
import { othersText } from "../pages/done-notice.js";
import type { ChallengeView, LayoutParts, OthersView, Page, PageContext } from "../pages/views.js";
import { changeProblem, opensSettings, TO_ENROLL } from "../policy/access.js";
import { isDue } from "../policy/assess.js";
import { mustKeepFactor } from "../policy/grace.js";
import { contentPolicy } from "./content-policy.js";
import { shownFor } from "./late-forms.js";
import type { Method } from "./method.js";
import { missingParts, pagesOf, withoutAdding } from "./method-pages.js";
import { pageProblem, problemMember } from "./page-problems.js";
import { minutesTo, ofFactor, recoveringUntil, recoveryOnPage } from "./recovery-state.js";
import { laidOut } from "./own-layout.js";
import { NO_METHOD_LEFT, nothingLeft, SUSPENDED } from "./nothing-left.js";
import type { Places } from "./places.js";
import { stateOf, wayBack } from "./request-state.js";
import type { Notes } from "./settings-notes.js";
import { type Settings, siteOf, userOf } from "./settings.js";

/** An enrollment that is open, as its page is told of it. */
export interface ShownEnrollment extends PagedEnrollment {
  readonly problem?: Problem;
  /** What its owner said of the other logins before; undefined: nothing yet. */
  readonly endsOthers?: boolean | undefined;
}

/** For what an answer is waited, and what was wrong when it was asked for. */
interface Waited {
  readonly operation?: ShownOperation | undefined;
  readonly problem?: Problem | undefined;
}

/** What is no language must not keep a page from being shown. */
function languageOf(given: unknown): string {
  return typeof given === "string" && given !== "" ? given : "en";
}

/** Whoever is signed in, and was not sent by a route, wants to change their settings: not every kind does for that. */
function isAskedBySettings(login: LoginContext, type: MethodType): boolean {
  return isDue(login.status) || opensSettings(login, type);
}

/** Puts what a request knows into the views the pages show. No page is written here, and no decision taken. */
export class PageSet {
  private readonly pages: MethodPages;
  private readonly restricted: readonly MethodType[];
  /** The words in force, where they are the same for every request; else those to replace. */
  private readonly words: Messages;
  private readonly minting: Method | undefined;
  /** The content policy of a page. */
  readonly policy: ReturnType<typeof contentPolicy>;

  constructor(
    private readonly settings: Settings,
    private readonly engine: Engine,
  ) {
    const methods = [...settings.methods.values()];
    this.pages = pagesOf(methods);
    this.restricted = methods.filter(({ isRestricted }) => isRestricted === true).map(({ type }) => type);
    this.policy = contentPolicy(
      settings.pages?.contentSecurityPolicy,
      methods.some(({ scripts }) => scripts !== undefined),
    );
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
  detail(req: Request, problem: Problem): string {
    const { code, members } = problem;
    const { challenge, errors, methods, wait } = this.messages(req);
    if (members?.reason === NO_METHOD_LEFT) return challenge.noneLeftLead;
    if (members?.reason === SUSPENDED) return challenge.suspendedLead;
    if (members?.reason === OF_SENDING) return waitText(wait, pageProblem(problem));
    return reasonText(Object.values(methods), members?.reason) ?? errors[code];
  }

  /** The words in force of a method, and the language its user is written to in. */
  writing(req: Request, { source }: LoginContext, type: MethodType): Pick<Writing, "locale" | "words"> {
    const words = this.messages(req).methods[type] ?? this.pages.get(type)?.words;
    return { words, locale: source.contact.locale ?? this.language(req) };
  }

  problem(req: Request, problem: Problem): LayoutParts {
    const { status } = stateOf(req)?.login?.status ?? { status: "ended" };
    return problemPage(this.context(req), { problem: pageProblem(problem), isSignedIn: status !== "ended" });
  }

  /** The page a login with a second factor due sees first: the challenge, or the enrollment that policy demands. */
  due(req: Request, login: LoginContext, problem?: Problem): LayoutParts {
    if (login.status.status !== "must-enroll") return this.challenge(req, login, undefined, problem);
    return setUpPage(this.context(req, login), {
      accountName: this.shownName(login),
      others: this.others(login),
      recoveringUntil: recoveringUntil(login),
      ...frozenMember(login.record.account, this.settings.clock()),
      ...this.freshness(login),
      ...problemMember(problem),
    });
  }

  challenge(
    req: Request,
    login: LoginContext,
    tried?: MethodType,
    problem?: Problem,
    operation?: ShownOperation,
    own?: ChallengeView["own"],
  ): LayoutParts {
    const methods = this.choices(login, problem, operation);
    const sought = shownOf(methods, { tried, wanted: req.query.method });
    // What is waited for is shown however much it has to wait before it is asked again.
    const shown = own === undefined ? sought : { type: tried, instead: false };
    // Trusting a browser is for sign-ins; who confirms something is signed in already.
    const trustMaxAge = isDue(login.status) ? this.settings.trustMaxAge : undefined;
    return challengePage(this.context(req, login), {
      purpose: login.status.status === "pending" ? "sign-in" : "step-up",
      methods,
      unusable: this.engine.authentication.unusable(login),
      selected: shown.type,
      backTo: this.wayBack(req, login),
      accountName: this.shownName(login),
      nothingLeft: nothingLeft(this.engine, login, methods).reason,
      isStuck: this.isStuck(login, problem?.members?.except),
      trustDays: trustMaxAge && Math.max(1, Math.round(trustMaxAge / DAY)),
      shown: shownFor(login),
      recovery: recoveryOnPage(this.engine, login, problem),
      ...(operation === undefined ? {} : { operation }),
      ...(shown.instead && { instead: true }),
      ...(own && { own }),
      ...problemMember(ofFactor(problem)),
    });
  }

  /**
   * The challenge with something of a method's own in the place of its form: a page on which its answer is waited for. Where the
   * visitor has no factor of that kind any more, the challenge as it is.
   */
  waiting(
    req: Request,
    login: LoginContext,
    type: MethodType,
    own: NonNullable<ChallengeView["own"]>,
    { operation, problem }: Waited = {},
  ): LayoutParts {
    return this.challenge(req, login, type, problem, operation, own);
  }

  /** A page that is the same for whoever opens it, and knows of no login. */
  forAnyone(req: Request, draw: (context: PageContext) => PagePart): LayoutParts {
    const context = this.context(req);
    const { body, title } = draw(context);
    return renderPage(context, title, body);
  }

  bounce(req: Request, place: string): string {
    return bouncePage(this.context(req), place);
  }

  operationOver(req: Request, login: LoginContext): LayoutParts {
    return operationOverPage(this.context(req, login));
  }

  /** What a method shows of an enrollment, or its form again after a wrong proof. */
  enrollment(req: Request, login: LoginContext, type: MethodType, shown: ShownEnrollment): LayoutParts {
    const { endsOthers, problem, ...open } = shown;
    const others = this.others(login, endsOthers);
    return enrollmentPage(this.context(req, login), { ...open, type, others, ...problemMember(problem) });
  }

  backupCodes(req: Request, login: LoginContext, { others, ...shown }: CodesToShow): LayoutParts {
    const context = this.context(req, login);
    const drawn = this.minting && drawnBy(context, this.minting.type);
    const beside = { savedAction: `${context.base}/backup-codes/saved`, others: othersText(context.messages, others) };
    const part = drawn?.page.codes?.({ ...drawn.drawing, ...shown, ...beside });
    if (part === undefined) throw new Error("No configured method makes codes, and there are some to show");
    return renderPage(context, part.title, part.body);
  }

  settingsPage(req: Request, login: LoginContext, problem?: Problem, notes: Notes = {}): LayoutParts {
    const { clock, trustMaxAge } = this.settings;
    const settings = ownSettingsView(login, this.engine.dependencies);
    return settingsPage(this.context(req, login), {
      settings,
      recoveryMinutes: settings.recovery && minutesTo(settings.recovery, clock()).minutesLeft,
      members: this.settingsMembers(req, login),
      accountName: this.settings.accountName(userOf(login)),
      lastProof: login.status.status === "verified" ? login.status.login.proofs.at(-1)?.method : undefined,
      hasTrustedDevices: trustMaxAge !== undefined,
      required: mustKeepFactor({ ...login, account: login.record.account }, this.settings.clock()),
      ...this.freshness(login),
      isStuck: this.isStuck(login),
      others: this.others(login),
      ...notes,
      ...problemMember(problem),
    });
  }

  /** Where a new phone takes the place of an old one. */
  newPhone(req: Request, login: LoginContext, problem?: Problem, { done }: Notes = {}): LayoutParts {
    return newPhonePage(this.context(req, login), {
      ...newPhoneView(login, this.engine.dependencies),
      ...newPhoneHints(login, this.engine.dependencies),
      accountName: this.settings.accountName(userOf(login)),
      isStuck: this.isStuck(login),
      done,
      ...problemMember(problem),
    });
  }

  /** Whether a change needs more than this login has shown lately, and whether the password would be that. */
  private freshness(login: LoginContext): { readonly needsStepUp: boolean; readonly asksPassword: boolean } {
    const { clock, verifyPassword } = this.settings;
    return {
      needsStepUp: changeProblem(login, TO_ENROLL, clock()) !== undefined,
      asksPassword: verifyPassword !== undefined,
    };
  }

  /** There is something to prove here, and none of it does for the settings: no new sign-in would lead further. */
  private isStuck(login: LoginContext, except?: unknown): boolean {
    const choices = this.engine.authentication.choices(login);
    return choices.length > 0 && !choices.some(({ type }) => type !== except && isAskedBySettings(login, type));
  }

  /** What the methods add to the settings in JSON. */
  settingsMembers(req: Request, login: LoginContext): Readonly<Record<string, unknown>> {
    const site = siteOf(this.settings, req, userOf(login));
    const members = [...this.settings.methods.values()].map((method) => method.settings?.(login, site) ?? {});
    return Object.assign({}, ...members) as Record<string, unknown>;
  }

  /** A page that a method draws itself. */
  custom(req: Request, login: LoginContext, draw: (page: OwnPage) => PagePart, problem?: Problem): LayoutParts {
    const context = this.context(req, login);
    const accountName = this.settings.accountName(userOf(login));
    const { body, title } = draw({ context, accountName, problem: problem && pageProblem(problem) });
    return renderPage(context, title, body);
  }

  /**
   * A page in the layout in force, as a whole document. @throws UnavailableError that names the layout where that fails, or answers
   * anything but text, or nothing in time
   */
  async document(req: Request, page: Page): Promise<string> {
    if (typeof page === "string") return page;
    const { layout } = this.settings.pages ?? {};
    return layout === undefined ? builtInLayout(page) : laidOut(() => layout(page, req));
  }

  /** A page in the built-in layout, for where the application's has failed. */
  plain(page: LayoutParts): string {
    return builtInLayout(page);
  }

  /** What is to be said of the other logins; undefined where the account has a factor. */
  private others({ record }: LoginContext, ends = true): OthersView | undefined {
    return isEnrolled(record.account) ? undefined : { rule: this.settings.endOtherSessions, ends };
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
      type !== except && activeFactorsOf(record.account, type).some((factor) => isOnItsOwn(login, factor));
    const own = this.engine.authentication.choices(login, operation);
    const all = except === undefined ? own : own.filter(({ type }) => isWorthMore(type));
    // What a route asked for narrows the choice; the settings ask for themselves.
    const asked = problem?.code === "step-up-required" ? undefined : (operation ?? session?.stepUp)?.methods;
    return all.filter(({ type }) => (asked === undefined ? isAskedBySettings(login, type) : asked.includes(type)));
  }

  private wayBack(req: Request, login: LoginContext): string {
    const places = this.places(req);
    return wayBack({ base: places.base, places }, login);
  }

  private places(req: Request): Places {
    return stateOf(req)?.places ?? this.settings.placesAt(req.baseUrl);
  }

  /** The kinds of factors that can be set up at this place. */
  enrollableAt(place: LoginContext["source"]): MethodType[] {
    return [...this.pagesAt(place)].filter(([, page]) => isForSetUp(page)).map(([type]) => type);
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

  private language(req: Request): string {
    const { lang } = this.settings.pages ?? {};
    return languageOf(typeof lang === "function" ? lang(req) : lang);
  }

  private context(req: Request, login?: LoginContext): PageContext {
    const { issuer, issuerName, pages = {} } = this.settings;
    const { showIssuer = true } = pages;
    const { base, home, login: loginPath } = this.places(req);
    return {
      base,
      home,
      messages: this.messages(req),
      pages: login === undefined ? this.pages : this.pagesAt(login.source),
      restricted: this.restricted,
      issuer: login === undefined ? issuerName : issuer(req, userOf(login)),
      lang: this.language(req),
      loginPath,
      showsIssuer: showIssuer,
      contact: login?.source.contact ?? {},
      origin: login && webOrigins(login.source.origins)[0],
    };
  }
}
