import { ERRORS, type ErrorCode } from "../../lib/core/errors.js";
import type { FactorChoice } from "../../lib/engine/choices.js";
import type { ActivityView, SessionView, SettingsView } from "../../lib/engine/views.js";
import { backupCodesPage } from "../../lib/methods/backup-codes/page.js";
import { emailCodePage } from "../../lib/methods/email-code/page.js";
import { passkeyOffer, passkeysPage } from "../../lib/methods/passkeys/page.js";
import { totpPage } from "../../lib/methods/totp/page.js";
import * as challenges from "../../lib/pages/challenge-page.js";
import * as enrollments from "../../lib/pages/enrollment-page.js";
import * as newPhones from "../../lib/pages/new-phone-page.js";
import { builtInLayout, renderPage } from "../../lib/pages/layout.js";
import { messagesFor } from "../../lib/pages/messages.js";
import { type CodesView, drawnBy, type MethodPage } from "../../lib/pages/method-page.js";
import { reopenPage } from "../../lib/pages/reopen-page.js";
import * as problems from "../../lib/pages/problem-page.js";
import * as setUps from "../../lib/pages/set-up-page.js";
import * as settingsPages from "../../lib/pages/settings-page.js";
import type {
  ChallengeView,
  EnrollmentView,
  LayoutParts,
  PageContext,
  PageProblem,
  SettingsPageView,
} from "../../lib/pages/views.js";
import { everyRecoveryPage } from "./sample-recovery-pages.js";
import { everyPushPage, samplePushPage } from "./sample-push-pages.js";

/** What draws a page, drawing it in the built-in layout. */
function framed<Given extends unknown[]>(draw: (...given: Given) => LayoutParts): (...given: Given) => string {
  return (...given) => builtInLayout(draw(...given));
}

export const challengePage = framed(challenges.challengePage);
export const problemPage = framed(problems.problemPage);
export const setUpPage = framed(setUps.setUpPage);
export const settingsPage = framed(settingsPages.settingsPage);
export const enrollmentPage = framed(enrollments.enrollmentPage);
const newPhonePage = framed(newPhones.newPhonePage);
const operationOverPage = framed(challenges.operationOverPage);
const page = framed(renderPage);

export const ALL_CODES = Object.keys(ERRORS) as ErrorCode[];

const LONG_AGO = "2026-01-02T03:04:05.000Z";
const LATELY = "2026-11-21T03:15:00.000Z";

const PAGES = new Map<string, MethodPage>([
  ["passkey", passkeysPage],
  ["totp", totpPage],
  ["backup-code", backupCodesPage],
]);

const WITH_MAIL = new Map<string, MethodPage>([...PAGES, ["email-code", emailCodePage]]);

/** The pages of these methods alone. */
export function pagesOf(...types: string[]): Map<string, MethodPage> {
  return new Map([...PAGES].filter(([type]) => types.includes(type)));
}

export const messages = messagesFor(new Map([...WITH_MAIL, ["push", samplePushPage]]));

export function contextWith(changes: Partial<PageContext> = {}): PageContext {
  return {
    base: "/2fa",
    messages,
    pages: PAGES,
    restricted: [],
    issuer: "Example",
    lang: "en",
    loginPath: "/login",
    showsIssuer: true,
    home: "/",
    contact: {},
    origin: "https://acme.example",
    ...changes,
  };
}

export function challengeWith(changes: Partial<ChallengeView> = {}): ChallengeView {
  return {
    purpose: "sign-in",
    methods: [
      { type: "totp", factors: [{ id: "f1", label: "Phone" }] },
      { type: "backup-code", factors: [{ id: "b1", label: "" }] },
    ],
    selected: "totp",
    backTo: "/account",
    accountName: "ada@example.com",
    trustDays: 30,
    shown: "abc",
    ...changes,
  };
}

function sessionOf(changes: Partial<SessionView>): SessionView {
  return {
    id: "s1",
    createdAt: LONG_AGO,
    lastSeenAt: LATELY,
    verifiedAt: null,
    trustedDevice: false,
    browser: "Firefox on Linux",
    ip: null,
    current: false,
    ...changes,
  };
}

export function activityOf(changes: Partial<ActivityView> & { readonly action: string }): ActivityView {
  return { at: LONG_AGO, outcome: "success", count: 1, number: 1, ...changes };
}

/** Settings with one of everything; `text` stands wherever a visitor, a browser or an application has the word. */
export function settingsOf(text: string): SettingsView {
  return {
    factors: [
      { id: text, type: "totp", label: text, createdAt: LONG_AGO, lastUsedAt: LATELY, hint: text },
      { id: `p ${text}`, type: "passkey", label: text, createdAt: LONG_AGO, lastUsedAt: null, hint: "device-bound" },
      { id: "f2", type: "totp", label: "Work phone", createdAt: LONG_AGO, lastUsedAt: null },
    ],
    backupCodes: { remaining: 8, createdAt: LONG_AGO },
    closed: [{ id: "f2", type: "totp", label: text }],
    preferred: "totp",
    devices: [
      { id: text, label: text, createdAt: LONG_AGO, lastUsedAt: LATELY, expiresAt: LATELY, current: true },
      { id: "d2", label: "", createdAt: LONG_AGO, lastUsedAt: LATELY, expiresAt: LATELY, current: false },
    ],
    sessions: [
      sessionOf({ id: text, browser: text, ip: text, verifiedAt: LATELY, current: true }),
      sessionOf({ id: "s2", browser: "", trustedDevice: true }),
    ],
    activity: [
      activityOf({
        at: LATELY,
        action: "factor-verified",
        method: "totp",
        label: text,
        browser: text,
        ip: text,
        count: 2,
        ended: { sessions: 2, browsers: 1 },
      }),
      activityOf({ at: text, action: text }),
      ...Array.from({ length: 10 }, () => activityOf({ action: "password-changed" })),
    ],
  };
}

export function settingsWith(changes: Partial<SettingsPageView> = {}): SettingsPageView {
  return {
    settings: settingsOf("Phone"),
    accountName: "ada@example.com",
    members: {},
    hasTrustedDevices: true,
    required: false,
    needsStepUp: false,
    asksPassword: false,
    ...changes,
  };
}

export const NOTHING_YET: SettingsView = {
  factors: [],
  backupCodes: { remaining: 0, createdAt: null },
  devices: [],
  sessions: [],
  activity: [],
};

export function codesPage(
  context: PageContext,
  view: Pick<CodesView<unknown>, "codes" | "continueTo" | "isFirst"> & { readonly others?: string },
): string {
  const drawn = drawnBy(context, "backup-code")!;
  const beside = { savedAction: `${context.base}/backup-codes/saved`, others: undefined };
  const { body, title } = drawn.page.codes!({ ...drawn.drawing, ...beside, ...view });
  return page(context, title, body);
}

export function totpEnrollment(context: PageContext, view: Omit<EnrollmentView, "type">): string {
  return enrollmentPage(context, { type: "totp", ...view });
}

function offerPage(context: PageContext, accountName: string, problem?: PageProblem): string {
  const { body, title } = passkeyOffer({ context, accountName, problem });
  return page(context, title, body);
}

const MORE_TYPES = ["email-code", "sms-code", "push", "key-fob"];

/** As many methods as there are ways to prove something: those here, and four of the same shape under other names. */
function withMany(context: PageContext): PageContext {
  const { messages: words } = context;
  const pages = new Map([...PAGES, ...MORE_TYPES.map((type) => [type, totpPage as MethodPage] as const)]);
  const more = Object.fromEntries(MORE_TYPES.map((type) => [type, words.methods.totp]));
  return { ...context, pages, messages: { ...words, methods: { ...words.methods, ...more } } };
}

function reopen(context: PageContext, accountName: string): string {
  const closed = [{ id: "f1", type: "totp", label: accountName }];
  const { body, title } = reopenPage({ context, accountName, problem: undefined }, closed, "/");
  return page(context, title, body);
}

/** Every page and every shape of it, with `text` wherever something from outside is shown. */
/** The pages about codes that are sent: before, after, and where another comes too soon. */
function mailPages(context: PageContext, challenge: ChallengeView, text: string): Record<string, string> {
  const mail = { ...context, pages: WITH_MAIL };
  const [first, second] = ["m1", "m2"].map((id) => ({ id, label: text, hint: text }));
  const sent = { expiresAt: LATELY, resendAt: LATELY };
  const viewOf = (factors: readonly FactorChoice[]): ChallengeView => ({
    ...challenge,
    methods: [...challenge.methods, { type: "email-code", factors }],
    selected: "email-code",
  });
  const waiting = viewOf([{ ...first!, sent }, second!]);
  return {
    toSend: challengePage(mail, viewOf([first!, second!])),
    sent: challengePage(mail, waiting),
    sentWrong: challengePage(mail, { ...waiting, problem: { code: "invalid-code" } }),
    tooSoon: challengePage(mail, {
      ...waiting,
      problem: { code: "too-many-attempts", retryAfter: 60, reason: "sending" },
    }),
    enrollMail: enrollmentPage(mail, {
      type: "email-code",
      factorId: text,
      answer: { hint: text, ...sent },
      others: undefined,
      problem: { code: "delivery-failed" },
    }),
  };
}

/** The way to a new phone, step by step. */
function newPhonePages(context: PageContext, text: string): Record<string, string> {
  const mail = { ...context, pages: new Map([...WITH_MAIL, ["push", samplePushPage]]) };
  const settings = settingsOf(text);
  const { backupCodes } = settings;
  const mailbox = { id: "m1", type: "email-code", label: text, createdAt: LONG_AGO, lastUsedAt: null, hint: text };
  const device = { ...mailbox, id: "d1", type: "push", hint: "web-push" };
  const factors = [...settings.factors, mailbox, device].map((each) => ({ ...each, replaceable: true as const }));
  const [first, ...others] = factors;
  const view = { accountName: text, backupCodes, factors, mayAdd: false, usedCode: false };
  const done = { what: "factor-replaced", at: 0, label: text } as const;
  const added = [{ ...first!, isNew: true as const }];
  return {
    newPhoneProve: newPhonePage(mail, { ...view, step: "prove", problem: { code: "last-factor" } }),
    newPhoneSetUp: newPhonePage(mail, { ...view, mayAdd: true, step: "set-up", usedCode: true }),
    newPhoneRemove: newPhonePage(mail, { ...view, mayAdd: true, step: "remove", factors: [...added, ...others], done }),
    newPhoneDone: newPhonePage(mail, {
      ...view,
      mayAdd: true,
      step: "remove",
      factors: added,
      backupCodes: { ...backupCodes, remaining: 1 },
      done,
    }),
    newPhoneEnroll: enrollmentPage(context, {
      type: "totp",
      factorId: text,
      answer: { label: text, secret: text, uri: `otpauth://totp/${text}`, qr: "<svg><path/></svg>" },
      replaces: { id: text, label: text },
      guided: true,
    }),
  };
}

export function everyPage(context: PageContext, text = "Phone"): Record<string, string> {
  const challenge = challengeWith({
    accountName: text,
    methods: [
      { type: "totp", factors: ["1", "2"].map((id) => ({ id, label: text, hint: text })) },
      { type: "backup-code", factors: [{ id: text, label: text }] },
      { type: "passkey", factors: [{ id: text, label: text, hint: "synced" }] },
    ],
  });
  const passkeys = { rpId: text, userId: text, credentialIds: [text] };
  const settings = settingsWith({
    settings: settingsOf(text),
    accountName: text,
    members: { passkeys },
    needsStepUp: true,
  });
  const uri = `otpauth://totp/${text}`;
  return {
    challenge: challengePage(context, challenge),
    limited: challengePage(context, {
      ...challenge,
      selected: "passkey",
      methods: challenge.methods.map((choice) => (choice.type === "totp" ? { ...choice, retryAfter: 900 } : choice)),
    }),
    instead: challengePage(context, {
      ...challenge,
      methods: challenge.methods.map((choice) =>
        choice.type === "backup-code" ? { ...choice, retryAfter: 60 } : choice,
      ),
      instead: true,
      problem: { code: "too-many-attempts", retryAfter: 60 },
    }),
    closed: challengePage(context, {
      ...challenge,
      methods: challenge.methods.map((choice) => ({
        ...choice,
        factors: choice.factors.map((factor) => ({ ...factor, closed: true as const })),
      })),
      problem: { code: "too-many-attempts" },
    }),
    wrong: challengePage(context, { ...challenge, problem: { code: "invalid-code" } }),
    backup: challengePage(context, { ...challenge, selected: "backup-code" }),
    stepUp: challengePage(context, { ...challenge, purpose: "step-up", trustDays: undefined }),
    confirming: challengePage(context, {
      ...challenge,
      purpose: "step-up",
      operation: { id: "op1", text },
      selected: "passkey",
    }),
    over: operationOverPage(context),
    passkey: challengePage(context, { ...challenge, selected: "passkey" }),
    passkeyRefused: challengePage(context, {
      ...challenge,
      selected: "passkey",
      problem: { code: "invalid-passkey" },
    }),
    setUpStale: setUpPage(context, { accountName: text, needsStepUp: true, asksPassword: false }),
    setUpPassword: setUpPage(context, { accountName: text, needsStepUp: true, asksPassword: true }),
    nothing: challengePage(context, { ...challenge, methods: [], selected: undefined }),
    setUp: setUpPage({ ...context, pages: pagesOf("totp") }, { accountName: text }),
    setUpBoth: setUpPage(context, { accountName: text }),
    nothingToSetUp: setUpPage({ ...context, pages: pagesOf() }, { accountName: text }),
    offer: offerPage(context, text),
    offerAgain: offerPage(context, text, { code: "invalid-passkey" }),
    enroll: totpEnrollment(context, {
      factorId: text,
      answer: { label: text, secret: text, uri, qr: "<svg><path/></svg>" },
    }),
    confirm: totpEnrollment(context, { factorId: text, problem: { code: "invalid-code", clockOffMinutes: 3 } }),
    codes: codesPage(context, { codes: [text, "AAAA-BBBB"], continueTo: `/a?b=${text}`, isFirst: true }),
    newCodes: codesPage(context, { codes: ["AAAA-BBBB"], continueTo: text, isFirst: false }),
    settings: settingsPage(context, settings),
    settingsWrong: settingsPage(context, { ...settings, required: true, problem: { code: "last-factor" } }),
    settingsMany: settingsPage(withMany(context), { ...settings, needsStepUp: false }),
    settingsFirstOfMany: settingsPage(withMany(context), { ...settings, settings: NOTHING_YET }),
    reopen: reopen(context, text),
    settingsByCode: settingsPage(context, { ...settings, lastProof: "backup-code" }),
    ...mailPages(context, challenge, text),
    ...newPhonePages(context, text),
    ...everyPushPage(context, challenge, settings, text),
    ...everyRecoveryPage(context, { challenge, settings, setUp: { accountName: text } }, text),
    settingsEmpty: settingsPage(context, { ...settings, settings: NOTHING_YET, asksPassword: true }),
    ...Object.fromEntries(ALL_CODES.map((code) => [`problem ${code}`, problemPage(context, { problem: { code } })])),
  };
}
