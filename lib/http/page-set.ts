import type { Request } from "express";
import { DAY, type MethodType } from "../core/nouns.js";
import type { Problem } from "../core/errors.js";
import { maskName } from "../core/text.js";
import type { MethodChoice } from "../engine/challenge.js";
import type { Engine } from "../engine/engine.js";
import { settingsView } from "../engine/views.js";
import { type CodeMethod, isCodeMethod } from "../methods/contract.js";
import { backupCodesPage } from "../pages/backup-codes-page.js";
import { challengePage } from "../pages/challenge-page.js";
import { confirmTotpPage, enrollTotpPage } from "../pages/enroll-totp-page.js";
import { builtInLayout } from "../pages/layout.js";
import { english, mergeMessages, type Messages } from "../pages/messages.js";
import { passkeyOfferPage } from "../pages/passkey-offer-page.js";
import { problemPage } from "../pages/problem-page.js";
import { settingsPage } from "../pages/settings-page.js";
import { setUpPage } from "../pages/set-up-page.js";
import type { EnrollTotpView, KnownPasskeys, PageContext, PageProblem } from "../pages/views.js";
import { changeRefusal, deviceIdOf } from "../engine/visitor.js";
import { isDue } from "../policy/assess.js";
import { FRESH } from "../policy/access.js";
import type { Settings } from "../options/settings.js";
import { stateOf, type Visit } from "./state.js";

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

/** Puts what a request knows into the views the pages show. No page is written here, and no decision taken. */
export class PageSet {
  constructor(
    private readonly settings: Settings,
    private readonly engine: Engine,
  ) {}

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
  due(req: Request, visit: Visit, problem?: Problem, confirming?: string): string {
    if (visit.standing.status !== "must-enroll") return this.challenge(req, visit, undefined, problem, confirming);
    const view = { accountName: this.shownName(visit), enrollable: this.enrollable() };
    return setUpPage(this.context(req, visit), { ...view, ...problemMember(problem) });
  }

  challenge(req: Request, visit: Visit, tried?: MethodType, problem?: Problem, confirming?: string): string {
    const methods = this.choices(visit, problem);
    const wanted = tried ?? req.query.method;
    const selected = methods.find(({ type }) => type === wanted) ?? methods[0];
    // Trusting a browser is for sign-ins; who confirms something is signed in already.
    const trustMaxAge = isDue(visit.standing) ? this.settings.trustMaxAge : undefined;
    return challengePage(this.context(req, visit), {
      purpose: visit.standing.status === "pending" ? "sign-in" : "step-up",
      methods,
      selected: selected?.type,
      accountName: this.shownName(visit),
      trustDays: trustMaxAge && Math.max(1, Math.round(trustMaxAge / DAY)),
      ...(confirming === undefined ? {} : { confirming }),
      ...problemMember(problem),
    });
  }

  passkeyOffer(req: Request, visit: Visit, problem?: Problem): string {
    const view = { accountName: this.settings.accountName(visit.user), ...problemMember(problem) };
    return passkeyOfferPage(this.context(req, visit), view);
  }

  enrollTotp(req: Request, visit: Visit, view: EnrollTotpView): string {
    return enrollTotpPage(this.context(req, visit), view);
  }

  confirmTotp(req: Request, visit: Visit, factorId: string, problem: Problem): string {
    return confirmTotpPage(this.context(req, visit), { factorId, problem: pageProblem(problem) });
  }

  backupCodes(req: Request, visit: Visit, codes: readonly string[], continueTo: string, isFirst: boolean): string {
    return backupCodesPage(this.context(req, visit), { codes, continueTo, isFirst });
  }

  settingsPage(req: Request, visit: Visit, problem?: Problem): string {
    const { account, visitor } = visit;
    const { methods } = this.engine.parts;
    const now = this.settings.clock();
    const current = { loginId: visitor.mark?.id, deviceId: deviceIdOf(visitor), now };
    return settingsPage(this.context(req, visit), {
      settings: settingsView(account, methods, current),
      accountName: this.settings.accountName(visit.user),
      enrollable: this.enrollable(),
      resyncable: this.codeMethods()
        .filter(({ enroll }) => enroll?.resync !== undefined)
        .map(({ type }) => type),
      hasBackupCodes: this.engine.parts.backupCodes !== undefined,
      hasTrustedDevices: this.engine.parts.devices !== undefined,
      required: visitor.decision === "required",
      needsStepUp: changeRefusal(visitor, account, now, FRESH) !== undefined,
      asksPassword: this.settings.verifyPassword !== undefined,
      ...this.passkeysOf(req, visit),
      ...problemMember(problem),
    });
  }

  /** What password managers may be told; nothing where the owner never had a passkey. */
  passkeysOf(req: Request, { account, user }: Visit): { passkeys?: KnownPasskeys } {
    const known = this.engine.passkeys?.known(account);
    if (known === undefined) return {};
    return { passkeys: { rpId: this.settings.relyingParty(req, user).id, ...known } };
  }

  /** Whoever has only given a password is not told whose it is beyond what they know. */
  private shownName({ standing, user }: Visit): string {
    const name = this.settings.accountName(user);
    return isDue(standing) ? maskName(name) : name;
  }

  /** The visitor's methods that will do for what is asked of them. */
  private choices({ account, visitor: { mark } }: Visit, problem?: Problem): MethodChoice[] {
    const except = problem?.members?.except;
    const asked = mark?.stepUp?.methods;
    const all = this.engine.challenge.choices(account, mark).filter(({ type }) => type !== except);
    // What a route asked for narrows the choice; the settings ask for anything.
    const isForRoute = problem?.code !== "step-up-required";
    return isForRoute ? all.filter(({ type }) => asked?.includes(type) ?? true) : all;
  }

  private enrollable(): MethodType[] {
    const byCode = this.codeMethods().filter(({ enroll }) => enroll !== undefined);
    return [...byCode.map(({ type }) => type), ...(this.engine.passkeys === undefined ? [] : (["passkey"] as const))];
  }

  private codeMethods(): CodeMethod[] {
    return [...this.engine.parts.methods.values()].filter(isCodeMethod);
  }

  private messages(req: Request): Messages {
    const overrides = this.settings.pages?.messages;
    if (overrides === undefined) return english;
    return mergeMessages(english, typeof overrides === "function" ? overrides(req) : overrides);
  }

  private context(req: Request, visit?: Visit): PageContext {
    const { issuer, issuerName, loginPath, pages = {}, path } = this.settings;
    const { lang = "en", layout = builtInLayout } = pages;
    return {
      base: stateOf(req)?.base ?? path,
      messages: this.messages(req),
      issuer: visit === undefined ? issuerName : issuer(req, visit.user),
      lang: typeof lang === "function" ? lang(req) : lang,
      loginPath,
      layout,
    };
  }
}
