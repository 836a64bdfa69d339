// Everything that codes, mails and reports do, once, in one application; then all that it leaves behind is searched for what was secret.
import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import session from "express-session";
import type { Response } from "supertest";
import { backupCodes, emailCode, smsCode, totp } from "express-second-factor";
import { emailNotices } from "express-second-factor/mail";
import { guarded, passwordOf, type TestUser, USERS } from "../support/app.js";
import { ask, cookies, HOUR, MINUTE, MODES, type Mode, SESSION_COOKIE } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { HANGS, REJECTS } from "../support/faults.js";
import { overhear } from "../support/overheard.js";
import { type RecordingStore, recordingStore } from "../support/recording-store.js";
import { REPORT } from "../support/reports.js";
import { found, PAGES } from "../support/routes.js";
import {
  CODE_TYPES,
  codeApp,
  type CodeApp,
  CodeOutbox,
  COUNTRIES,
  type CodeType,
  guesses,
  KINDS,
  placeOf,
  type SentCode,
} from "../support/sent-codes.js";

const overheard = overhear();

interface Mail {
  readonly to: { readonly address: string };
  readonly subject: string;
  readonly text: string;
}

/** What the application asked for of the owner by mail: never searched, it is what everything else is searched for. */
class Postbox {
  readonly mails: Mail[] = [];
  refuses = false;

  readonly transport = {
    sendMail: async (mail: Mail): Promise<void> => {
      if (this.refuses) throw Object.assign(new Error(`no ${mail.to.address}: ${mail.text}`), { responseCode: 550 });
      this.mails.push(mail);
    },
  };

  /** Of every link there was, oldest first. */
  tokens(mails: readonly Mail[] = this.mails): string[] {
    return mails.flatMap(({ text }) => /\/2fa\/report\?token=([\w-]+)/.exec(text)?.[1] ?? []);
  }
}

/** Somebody's whole run through an application of their own. */
class Run {
  readonly outbox = new CodeOutbox();
  readonly postbox = new Postbox();
  readonly store: RecordingStore = recordingStore();
  readonly sessionStore = new session.MemoryStore();
  readonly target: CodeApp;
  readonly answers: Response[] = [];
  readonly compromised: unknown[] = [];
  readonly backupCodes: string[] = [];
  readonly sessions = new Set<string>();
  readonly cookieTokens = new Set<string>();
  private readonly sent: SentCode[] = [];
  private jar: Jar<CodeApp>;

  constructor(private readonly mode: Mode) {
    const notify = emailNotices({
      transport: this.postbox.transport,
      from: "Acme <security@acme.example>",
      retries: [],
    });
    this.target = codeApp(
      {
        store: this.store,
        sessionStore: this.sessionStore,
        options: {
          notify,
          // Pages and JSON call users by this.
          user: { load: async (id) => USERS.find((user) => user.id === id), name: ({ name }: TestUser) => name },
          onCompromise: (userId, event) => void this.compromised.push([userId, event]),
          exempt: ["/login", "/logout", ...CODE_TYPES.map((type) => `/otp/${type}`)],
          methods: [
            emailCode({ send: this.outbox.send, timeout: "100ms" }),
            smsCode({ send: this.outbox.send, countries: COUNTRIES, timeout: "100ms" }),
            totp(),
            backupCodes(),
          ],
        },
        routes(app, mfa, authenticator) {
          authenticator.use(mfa.strategy("email-code")).use(mfa.strategy("sms-code"));
          for (const type of CODE_TYPES) app.post(`/otp/${type}`, authenticator.authenticate(type), guarded);
        },
      },
      this.outbox,
    );
    this.jar = new Jar(this.target);
  }

  get codes(): string[] {
    return this.sent.map(({ code }) => code);
  }

  get destinations(): string[] {
    return [
      ...this.sent.map(placeOf),
      ...USERS.map(({ email }) => email),
      ...this.postbox.mails.map(({ to }) => to.address),
    ];
  }

  get last(): string {
    return this.outbox.last.code;
  }

  anotherBrowser(): void {
    this.jar = new Jar(this.target);
  }

  keep(answer: Response): Response {
    this.answers.push(answer);
    this.sent.push(...this.outbox.messages.filter((each) => !this.sent.includes(each)));
    for (const [name, value] of Object.entries(cookies(this.jar))) {
      if (name === SESSION_COOKIE) this.sessions.add(/^s:([\w-]+)\./.exec(decodeURIComponent(value))![1]!);
      else this.cookieTokens.add(value).add(value.split(".").at(-1)!);
    }
    const { backupCodes } = answer.body as { readonly backupCodes?: unknown };
    if (Array.isArray(backupCodes)) this.backupCodes.push(...(backupCodes as string[]));
    return answer;
  }

  async act(path: string, body: object = {}, as: Mode = this.mode): Promise<Response> {
    return this.keep(await (as === "JSON" ? this.jar.post(path, body) : this.jar.form(path, body)));
  }

  async look(...paths: readonly string[]): Promise<void> {
    for (const path of paths) this.keep(await ask(this.jar, this.mode, path));
  }

  async logIn(name = "alice"): Promise<void> {
    this.target.clock.advance(HOUR);
    await this.act("/login", { username: name, password: passwordOf(name) });
  }

  /** Wholly, by a code of this kind where there is one already. */
  async signIn(type?: CodeType): Promise<void> {
    this.anotherBrowser();
    await this.logIn();
    if (type === undefined) return;
    const { base } = KINDS[type];
    await this.act(`${base}/send`);
    expect((await this.act(base, { code: this.last }, "JSON")).status).toBe(200);
    this.target.clock.advance(61_000);
  }

  /** Everything there is to do with an enrollment, wrong and right. */
  async enroll(type: CodeType, destination: string, more: object = {}): Promise<string> {
    const { base, member } = KINDS[type];
    const body = { [member]: destination, ...more };
    const { factorId } = (await this.act(`${base}/enroll`, body, "JSON")).body as { factorId: string };
    await this.act(`${base}/enroll`, body);
    await this.look(`${base}/enroll`);
    await this.act(`${base}/send`, { factorId });
    for (const code of [guesses(1, [this.last])[0], "not a code"]) {
      await this.act(`${base}/enroll/confirm`, { factorId, code });
    }
    const done = await this.act(`${base}/enroll/confirm`, { factorId, code: this.last }, "JSON");
    expect([type, done.status]).toEqual([type, 201]);
    await this.look(...PAGES);
    return factorId;
  }

  /** Everything there is to do with a login, wrong and right. */
  async proveBy(type: CodeType): Promise<void> {
    const { base } = KINDS[type];
    this.anotherBrowser();
    for (const fault of [REJECTS, HANGS]) {
      await this.logIn();
      this.outbox.fault = fault;
      await this.act(`${base}/send`);
      this.outbox.fault = undefined;
      await this.look(...PAGES, `/2fa?method=${type}`);
      await this.act(base, { code: "000000" });
      await this.act("/2fa/cancel");
    }
    await this.logIn();
    await this.act(`${base}/send`);
    await this.act(`${base}/send`);
    this.target.clock.advance(61_000);
    await this.act(`${base}/send`);
    await this.act(base, { code: guesses(1, [this.last])[0] });
    const right = await this.act(base, { code: this.last, trustDevice: "true" }, "JSON");
    expect([type, right.status]).toEqual([type, 200]);
    await this.act(base, { code: this.last });
    await this.act("/logout");
    this.anotherBrowser();
    await this.logIn();
    await this.act(`${base}/send`);
    await this.act(`/otp/${type}`, { code: guesses(1, [this.last])[0] });
    expect((await this.act(`/otp/${type}`, { code: this.last }, "JSON")).status).toBe(200);
    await this.look(...PAGES);
  }

  /** "This wasn't me", by the newest link. The page that a link opens has its token in its form, and is answered to nobody else. */
  async report(): Promise<void> {
    const { mails } = this.postbox;
    const token = this.postbox.tokens(mails.filter(({ to }) => to.address === "alice@acme.test")).at(-1)!;
    this.anotherBrowser();
    const opened = await ask(this.jar, this.mode, `${REPORT}?token=${token}`);
    expect(opened.status).toBe(200);
    this.keep(Object.assign(opened, { text: opened.text.replace(`name="token" value="${token}"`, "") }));
    for (const each of ["x", `${token.slice(0, -4)}AAAA`]) await this.act(REPORT, { token: each });
    expect((await this.act(REPORT, { token })).status).toBe(200);
    await this.act(REPORT, { token });
    await this.look(`${REPORT}?token=${token}`);
  }

  /** Mails are written beside the requests. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function fullRun(mode: Mode): Promise<Run> {
  const run = new Run(mode);
  const { mfa, clock } = run.target;
  let other: CodeType | undefined;
  for (const type of CODE_TYPES) {
    const { destinationOf } = KINDS[type];
    await run.signIn(other);
    const factorId = await run.enroll(type, destinationOf("alice"));
    await run.proveBy(type);
    await run.signIn(type);
    const next = await run.enroll(type, destinationOf("dave"), { replaces: factorId });
    await run.act(`/2fa/factors/${next}/rename`, { label: "mine" });
    await run.act("/2fa/preferred", { type });
    other = type;
  }
  // Somebody has the password and goes no further; support acts; a mail is refused.
  run.anotherBrowser();
  await run.logIn();
  clock.advance(11 * MINUTE);
  expect(await mfa.runDue()).toBe(1);
  const verifiedAt = clock() - HOUR;
  await mfa.accounts.enrollEmail("u3", {
    address: KINDS["email-code"].destinationOf("carol"),
    verifiedAt,
    actor: "support:7",
  });
  await mfa.accounts.enrollPhone("u3", {
    phone: KINDS["sms-code"].destinationOf("carol"),
    verifiedAt,
    actor: "support:7",
  });
  await run.logIn("carol");
  await run.act("/2fa/sms-code/send");
  for (const code of guesses(7, run.codes)) await run.act("/2fa/sms-code", { code });
  await run.settled();
  run.postbox.refuses = true;
  await mfa.accounts.signOutEverywhere("u1");
  await run.settled();
  run.postbox.refuses = false;
  await run.report();
  await run.logIn();
  await run.act("/2fa/sms-code/send");
  await run.act("/2fa/sms-code", { code: run.last });
  await run.look(...PAGES);
  await run.act("/2fa/email-code/enroll", { address: KINDS["email-code"].destinationOf("alice") });
  expect((await run.act("/2fa/backup-codes")).status).toBe(403);
  await run.settled();
  return run;
}

/** Every way a text could be written down, as it is or as what anybody could compare it with. */
function spelled(text: string): string[] {
  const bytes = Buffer.from(text);
  const digest = createHash("sha256").update(text).digest();
  const encoded = [bytes, digest].flatMap((each) => [
    each.toString("hex"),
    each.toString("base64").replace(/=+$/, ""),
    each.toString("base64url"),
  ]);
  return [text, encodeURIComponent(text), ...encoded];
}

function spelledDestination(destination: string): string[] {
  return [...spelled(destination), destination.includes("@") ? destination : destination.replace(/^\+/, "")];
}

/** Codes as numbers of their own: six digits stand in times and ids by chance. What is compared with them stands nowhere by chance. */
function codesIn(text: string, codes: readonly string[]): string[] {
  const digests = codes.flatMap((code) => spelled(code).filter((each) => each.length > 20));
  const alone = codes.filter((code) => new RegExp(`(?<![0-9A-Za-z_.-])${code}(?![0-9A-Za-z_-])`).test(text));
  return [...alone, ...found(text, digests)];
}

/** An error with all that is in it. */
function written(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error);
  const { cause, message, stack, ...rest } = error as Error & Record<string, unknown>;
  return `${message} ${stack ?? ""} ${JSON.stringify(rest)} ${cause === undefined ? "" : written(cause)}`;
}

/** What was answered, but for the cookies, which are their browser's own, and what the application itself answers. */
function answersOf({ answers }: Run): Record<string, string> {
  const own = answers.filter(({ request }) => new URL(request.url).pathname.startsWith("/2fa"));
  return Object.fromEntries(
    own.map(({ headers, request, status, text }, index) => [
      `${index} ${request.method} ${new URL(request.url).pathname} ${status}`,
      text + JSON.stringify({ ...headers, "set-cookie": "" }),
    ]),
  );
}

async function placesOf(run: Run): Promise<Record<string, string>> {
  const { target, store, sessionStore, compromised } = run;
  const { accounts } = target.mfa;
  const told = await Promise.all(
    ["u1", "u3"].map(async (id) => [await accounts.status(id), await accounts.export(id)]),
  );
  const errors = target.errors.map(({ error, ...rest }) => `${JSON.stringify(rest)} ${written(error)}`);
  const { sessions } = sessionStore as unknown as { readonly sessions: Readonly<Record<string, string>> };
  return {
    printed: overheard.printed.join(""),
    events: JSON.stringify([target.events, overheard.published]),
    errors: errors.join("\n"),
    compromise: JSON.stringify(compromised),
    accounts: JSON.stringify(told),
    rows: store.written.join("\n"),
    // By its id, which is the session's token.
    sessions: Object.values(sessions).join("\n"),
    ...answersOf(run),
  };
}

describe("B43 a run of both methods, their mails and a report leaves nothing secret behind", () => {
  test.each(MODES)("B43 in rows, sessions, events, errors, what is printed and answers (%s)", async (mode) => {
    const run = await fullRun(mode);
    const tokens = run.postbox.tokens();
    process.emitWarning("the capture of warnings works");
    console.warn("the capture of what is printed works");
    await new Promise((resolve) => setImmediate(resolve));
    const places = await placesOf(run);

    // There was something to find, somewhere to look for it, and it is found where it belongs.
    const messages = [...run.outbox.messages, ...run.postbox.mails].map(({ text }) => text).join("\n");
    expect([found(messages, tokens), codesIn(messages, run.codes)]).toEqual([tokens, run.codes]);
    const actions = new Set(run.target.events.map(({ action }) => action));
    const had = ["factor-replaced", "reported", "login-unfinished", "notice-failed", "new-browser", "device-trusted"];
    expect(had.filter((action) => !actions.has(action))).toEqual([]);
    expect(run.postbox.mails.map(({ subject }) => subject).join()).toMatch(/Somebody knows.*was reported/);
    expect([run.codes.length > 12, tokens.length > 8, run.sessions.size > 8, run.cookieTokens.size > 4]).not.toContain(
      false,
    );
    expect([run.answers.length > 80, run.store.written.length > 60, run.compromised.length]).toEqual([true, true, 1]);
    expect(places["printed"]).toMatch(/is printed works[^]*of warnings works/);

    const destinations = [...new Set(run.destinations)].flatMap(spelledDestination);
    const opening = [...tokens, ...run.sessions, ...run.cookieTokens].flatMap(spelled);
    const backup = run.backupCodes.flatMap((code) => [...spelled(code), ...spelled(code.replaceAll("-", ""))]);
    for (const [place, text] of Object.entries(places)) {
      const shown = /enroll\/confirm 201/.test(place) ? [] : found(text, backup);
      expect([place, found(text, destinations), found(text, opening), codesIn(text, run.codes), shown]).toEqual([
        place,
        ...[[], [], [], []],
      ]);
    }
  });
});
