// An application with the way back, a help desk, devices that approve and an audit file, and everything that becomes known in it.
import { mkdtempSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@jest/globals";
import session from "express-session";
import type { Response } from "supertest";
import { backupCodes, emailCode, type Notice, push, type RecoveryRequest, totp } from "express-second-factor";
import { auditFile, type AuditFile } from "express-second-factor/audit";
import { instrument, type InstrumentOptions } from "express-second-factor/opentelemetry";
import { type AuthenticatorApp, authenticatorApp } from "express-second-factor/testing";
import { passwordOf, testApp, type TestApp, type TestUser, userNamed, USERS } from "./app.js";
import { ask, type Mode, STEP } from "./attack.js";
import { Jar } from "./browser.js";
import { keepCookies, Postbox } from "./left-behind.js";
import { TestChannel } from "./push.js";
import { recordingStore } from "./recording-store.js";

/** Operators, and why they act. The word is said nowhere else. */
export const WHY = "she-called-from-the-airport";
export const DESK = { actor: "support:7", reason: `Ticket 4711, ${WHY}` };
export const OTHER = { actor: "support:8" };

/** An answer, whose it was, and what it alone may show. */
export interface Kept {
  readonly answer: Response;
  readonly name: string;
  readonly own: readonly string[];
}

/** OpenTelemetry as far as it is told something. */
function telemetry(told: unknown[]): InstrumentOptions["api"] {
  const span = { setAttribute: (...given: unknown[]) => told.push(given), setStatus: () => 0, end: () => 0 };
  return {
    metrics: { getMeter: () => ({ createCounter: () => ({ add: (...given: unknown[]) => told.push(given) }) }) },
    trace: { getTracer: () => ({ startSpan: (...given: unknown[]) => (told.push(given), span) }) },
    SpanStatusCode: { ERROR: 2 },
  } as unknown as InstrumentOptions["api"];
}

export class WayBackStage {
  readonly store = recordingStore();
  readonly sessionStore = new session.MemoryStore();
  readonly postbox = new Postbox();
  readonly notices: Notice[] = [];
  readonly channel = new TestChannel();
  readonly answers: Kept[] = [];
  readonly sessions = new Set<string>();
  readonly cookieTokens = new Set<string>();
  /** What nobody is to find: searched in every spelling. */
  readonly secrets = new Set<string>();
  /** … of which a digest may be kept. */
  readonly named = new Set<string>();
  readonly numbers = new Set<string>();
  /** What the application's own functions were told. */
  readonly asked: unknown[] = [];
  readonly telemetry: unknown[] = [];
  readonly auditKey = randomBytes(32).toString("base64");
  readonly folder = mkdtempSync(join(tmpdir(), "way-back-"));
  readonly auditPath = join(this.folder, "audit.jsonl");
  readonly anchors: string[] = [];
  readonly audit: AuditFile;
  readonly target: TestApp;
  protected jar: Jar;
  protected name = "nobody";
  /** What this browser alone is shown just now. */
  protected showing: readonly string[] = [];
  protected phone!: AuthenticatorApp;
  /** Of alice's own: nobody else's answer has a reason to hold one. */
  readonly ids: string[] = [];

  constructor(readonly mode: Mode) {
    this.target = testApp({
      store: this.store,
      sessionStore: this.sessionStore,
      options: {
        // Pages and JSON call users by this.
        user: { load: async (id) => USERS.find((user) => user.id === id), name: ({ name }: TestUser) => name },
        methods: [
          push({ channels: [this.channel] }),
          totp(),
          backupCodes(),
          emailCode({ send: async () => undefined }),
        ],
        notify: (notice) => {
          this.notices.push(notice);
          return this.postbox.notify(notice);
        },
        helpDesk: { approvals: 2 },
        recovery: { approve: (request: RecoveryRequest) => this.asked.push(request) > 0 },
        policy: { evaluate: (_user, _req, login, facts) => (this.asked.push([login, facts]), "optional" as const) },
      },
      routes: (app, mfa) => {
        app.post("/support/act-for-alice", (req, res, next) => {
          mfa.assertLogin(req, userNamed("alice"), DESK).then(() => res.json({ acting: true }), next);
        });
      },
    });
    const { clock: _own, mfa } = this.target;
    const key = `audit:${this.auditKey}`;
    const onAnchor = (anchor: string): unknown => this.anchors.push(anchor);
    this.audit = auditFile(this.auditPath, { key, onAnchor, subjects: { store: this.store } });
    mfa.events.on("audit", this.audit);
    instrument(mfa, { api: telemetry(this.telemetry) });
    this.jar = new Jar(this.target);
  }

  keep(answer: Response, own: readonly string[] = []): Response {
    this.answers.push({ answer, name: this.name, own: [...own, ...this.showing] });
    keepCookies(this.jar, this);
    return answer;
  }

  protected secret<Text extends string>(...texts: Text[]): Text[] {
    for (const text of texts) this.secrets.add(text);
    return texts;
  }

  async act(path: string, body: object = {}, as: Mode = this.mode): Promise<Response> {
    return this.keep(await (as === "JSON" ? this.jar.post(path, body) : this.jar.form(path, body)));
  }

  /** … whose JSON answer alone shows what is taken from it. */
  protected async shownBy(
    path: string,
    body: object,
    take: (answer: Response) => readonly string[],
  ): Promise<Response> {
    const answer = await this.jar.post(path, body);
    if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return this.keep(answer, take(answer));
  }

  async look(...paths: readonly string[]): Promise<void> {
    for (const path of paths) this.keep(await ask(this.jar, this.mode, path));
  }

  protected async logIn(name = "alice"): Promise<void> {
    this.jar = new Jar(this.target);
    this.name = name;
    this.target.clock.advance(STEP);
    await this.act("/login", { username: name, password: passwordOf(name) });
  }

  protected async prove(more: object = {}): Promise<void> {
    const answer = await this.act("/2fa/totp", { code: this.phone.code(this.target.clock()), ...more }, "JSON");
    expect(answer.status).toBe(200);
    this.target.clock.advance(STEP);
  }

  protected async enroll(): Promise<AuthenticatorApp> {
    const begun = await this.shownBy("/2fa/totp/enroll", {}, ({ body }) => this.secret(body.secret as string));
    const { factorId, uri } = begun.body as { readonly factorId: string; readonly uri: string };
    const app = authenticatorApp(uri);
    const code = app.code(this.target.clock());
    await this.shownBy("/2fa/totp/enroll/confirm", { factorId, code }, ({ body }) => {
      const codes = (body.backupCodes ?? []) as string[];
      return this.secret(...codes, ...codes.map((each) => each.replaceAll("-", "")));
    });
    this.target.clock.advance(STEP);
    if (this.name === "alice") this.ids.push(factorId);
    return app;
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
