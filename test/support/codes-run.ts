// Everything that codes, mails and reports do, once, in one application.
import { expect } from "@jest/globals";
import session from "express-session";
import type { Response } from "supertest";
import { backupCodes, emailCode, smsCode, totp } from "express-second-factor";
import { guarded, passwordOf, type TestUser, USERS } from "./app.js";
import { ask, HOUR, MINUTE, type Mode } from "./attack.js";
import { Jar } from "./browser.js";
import { HANGS, REJECTS } from "./faults.js";
import { keepCookies, Postbox, settled, withoutItsToken } from "./left-behind.js";
import { type RecordingStore, recordingStore } from "./recording-store.js";
import { REPORT } from "./reports.js";
import { PAGES } from "./routes.js";
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
} from "./sent-codes.js";

/** Somebody's whole run through an application of their own. */
export class CodesRun {
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
    this.target = codeApp(
      {
        store: this.store,
        sessionStore: this.sessionStore,
        options: {
          notify: this.postbox.notify,
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
    keepCookies(this.jar, this);
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

  /** "This wasn't me", by the newest link. */
  async report(): Promise<void> {
    const { mails } = this.postbox;
    const token = this.postbox.tokens(mails.filter(({ to }) => to.address === "alice@acme.test")).at(-1)!;
    this.anotherBrowser();
    const opened = await ask(this.jar, this.mode, `${REPORT}?token=${token}`);
    expect(opened.status).toBe(200);
    this.keep(withoutItsToken(opened, token));
    for (const each of ["x", `${token.slice(0, -4)}AAAA`]) await this.act(REPORT, { token: each });
    expect((await this.act(REPORT, { token })).status).toBe(200);
    await this.act(REPORT, { token });
    await this.look(`${REPORT}?token=${token}`);
  }
}

export async function codesRun(mode: Mode): Promise<CodesRun> {
  const run = new CodesRun(mode);
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
  await settled();
  run.postbox.refuses = true;
  await mfa.accounts.signOutEverywhere("u1");
  await settled();
  run.postbox.refuses = false;
  await run.report();
  await run.logIn();
  await run.act("/2fa/sms-code/send");
  await run.act("/2fa/sms-code", { code: run.last });
  await run.look(...PAGES);
  await run.act("/2fa/email-code/enroll", { address: KINDS["email-code"].destinationOf("alice") });
  expect((await run.act("/2fa/backup-codes")).status).toBe(403);
  await settled();
  return run;
}
