// The bodies and statuses in docs/http.md, compared with what an application answers to somebody who does everything once.
import { beforeAll, describe, expect, test } from "@jest/globals";
import { backupCodes, emailCode, passkeys, push, smsCode, type SmsCodeMessage, totp } from "express-second-factor";
import { authenticatorApp, type AuthenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import type { Response } from "supertest";
import { subscriptionLines } from "../../lib/core/device-lines.js";
import { creationOptions } from "../passkeys/stage.js";
import { DAY } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { ADDRESS, emailApp, Outbox } from "../support/message-codes.js";
import { type Asked, phone } from "../support/phone.js";
import * as recovering from "../support/recovery.js";
import { addThenReport, reportToken } from "../support/reports.js";
import { bodyMembers } from "./reference-code.js";
import { codeIn, nameIn, type Row, sections, sectionTitled } from "./reference-docs.js";

const BASE = "/2fa";
const STEP = 30_000;
const DRIFT = 600_000;

/** Everything once, with the answers by route as docs/http.md writes it. */
class Visit {
  readonly answers = new Map<string, Response>();
  private readonly outbox = new Outbox();
  private readonly texts = new Outbox<SmsCodeMessage>();
  private readonly target = emailApp(this.outbox, {}, [
    totp(),
    backupCodes(),
    passkeys({ offer: true }),
    emailCode({ send: this.outbox.send }),
    smsCode({ send: this.texts.send, countries: ["DE"] }),
    push({ channels: [{ name: "test", send: async () => undefined }] }),
  ]);

  async begin(): Promise<void> {
    const { factorId, phone, saved } = await this.enroll();
    await this.signIn(phone, saved);
    await this.change(phone, factorId);
    await this.leave(await this.takeOffer());
    await this.report();
    await this.writeTo("dave", "/email-code", { address: ADDRESS }, this.outbox);
    await this.writeTo("alice", "/sms-code", { phone: "+4915123456017" }, this.texts);
    await this.approve();
    await this.recover();
    await this.callForHelp();
  }

  private async enroll() {
    const jar = await pending(this.target, "alice");
    const { factorId, uri } = (await this.ask(jar, "POST /totp/enroll")).body as { factorId: string; uri: string };
    const phone = authenticatorApp(uri);
    await this.ask(jar, "POST /totp/enroll/confirm", { factorId, code: phone.code(this.target.clock()) });
    const saved = ((await this.ask(jar, "POST /backup-codes")).body as { backupCodes: string[] }).backupCodes;
    await this.ask(jar, "POST /factors/:id/rename", { label: "Phone" }, factorId);
    this.target.clock.advance(STEP);
    return { factorId, phone, saved };
  }

  private async signIn(phone: AuthenticatorApp, [saved]: readonly string[]): Promise<void> {
    const jar = new Jar(this.target);
    this.answers.set("login", await jar.login("alice"));
    await this.ask(jar, "GET /");
    await this.ask(jar, "POST /totp", { code: phone.code(this.target.clock()), trustDevice: true });
    const { devices } = (await jar.get(`${BASE}/settings`)).body as { devices: { id: string }[] };
    await this.ask(jar, "POST /devices/:id/revoke", {}, devices[0]?.id);
    for (const route of ["POST /devices/revoke-all", "GET /passkey/offer", "POST /passkey/offer/decline"])
      await this.ask(jar, route);
    for (const route of ["GET /reopen", "POST /reopen", "POST /cancel"]) await this.ask(jar, route);
    await this.ask(await pending(this.target, "alice"), "POST /backup-code", { code: saved });
    this.target.clock.advance(STEP);
  }

  private async change(phone: AuthenticatorApp, factorId: string): Promise<void> {
    const jar = await full(this.target, "alice", phone);
    const { sessions } = (await this.ask(jar, "GET /settings")).body as {
      sessions: { id: string; current: boolean }[];
    };
    await this.ask(jar, "POST /sessions/:id/revoke", {}, sessions.find(({ current }) => !current)?.id);
    await this.ask(jar, "POST /sessions/revoke-others");
    for (const route of ["GET /settings/export", "GET /replace"]) await this.ask(jar, route);
    const at = this.target.clock() + DRIFT;
    await this.ask(jar, "POST /totp/resync", { factorId, codes: [phone.code(at), phone.code(at + STEP)] });
    const key = softwareAuthenticator();
    const credential = key.create((await this.ask(jar, "POST /passkey/enroll/options")).body);
    const added = (await this.ask(jar, "POST /passkey/enroll", { credential })).body as { factor: { id: string } };
    const proof = key.get((await this.ask(jar, "POST /passkey/options")).body);
    await this.ask(jar, "POST /passkey", { credential: proof });
    await this.ask(jar, "POST /factors/:id/remove", {}, added.factor.id);
    await this.ask(jar, "POST /disable");
  }

  private async takeOffer(): Promise<Jar> {
    const jar = await pending(this.target, "carol");
    const options = await creationOptions(jar);
    await this.ask(jar, "POST /passkey/offer", { credential: softwareAuthenticator().create(options) });
    return jar;
  }

  private async writeTo(
    name: string,
    path: string,
    destination: object,
    outbox: { readonly code: string },
  ): Promise<void> {
    const jar = await pending(this.target, name);
    await this.ask(jar, `POST ${path}/enroll/cancel`);
    const begun = await this.ask(jar, `POST ${path}/enroll`, destination);
    await this.ask(jar, `GET ${path}/enroll`);
    const { factorId } = begun.body as { factorId: string };
    await this.ask(jar, `POST ${path}/enroll/confirm`, { factorId, code: outbox.code });
    this.target.clock.advance(2 * STEP);
    const waiting = await pending(this.target, name);
    await this.ask(waiting, `POST ${path}/send`);
    await this.ask(waiting, `POST ${path}`, { code: outbox.code });
  }

  private async approve(): Promise<void> {
    const device = await phone(this.target);
    const jar = await pending(this.target, "carol");
    await this.target.mfa.accounts.reset("u3", { actor: "support" });
    await jar.login("carol");
    const { challenge } = (await this.ask(jar, "POST /push/enroll/options")).body as { challenge: string };
    const added = await this.ask(jar, "POST /push/enroll", await device.enrollBody(challenge));
    const { id } = (added.body as { factor: { id: string } }).factor;
    const time = new Date(this.target.clock()).toISOString();
    const token = { factorId: id, time, channel: "test", subscription: "token" };
    const signature = await device.sign(subscriptionLines(id, time, token.channel, token.subscription));
    await this.ask(new Jar(this.target), "POST /push/subscription", { ...token, signature });
    const waiting = await pending(this.target, "carol");
    const { number, requestId } = (await this.ask(waiting, "POST /push/send")).body as Record<
      "number" | "requestId",
      string
    >;
    await this.ask(waiting, "GET /push/wait");
    await this.ask(new Jar(this.target), "GET /push/approve");
    await this.ask(waiting, "POST /push/status", { requestId });
    const listed = await this.ask(new Jar(this.target), "POST /push/requests", await device.requestsBody(time, id));
    const [asked] = (listed.body as { requests: readonly Asked[] }).requests;
    await this.ask(new Jar(this.target), "POST /push/decide", await device.decideBody(asked!, "approve", number));
  }

  private async callForHelp(): Promise<void> {
    const { accounts } = this.target.mfa;
    const desk = { actor: "support:7", reason: "Lost phone" };
    await accounts.reset("u4", desk);
    const { phone } = await enrolled(this.target, "dave");
    await accounts.callerCheck.begin("u4", desk);
    await this.ask(await full(this.target, "dave", phone), "POST /caller-check");
    const { code } = await accounts.issueTemporaryPass("u4", desk);
    const jar = await pending(this.target, "dave");
    await this.ask(jar, "GET /temporary-pass");
    await this.ask(jar, "POST /temporary-pass", { code });
  }

  private async leave(jar: Jar): Promise<void> {
    for (const route of [
      "GET /totp/enroll",
      "POST /totp/enroll/cancel",
      "GET /backup-codes",
      "POST /backup-codes/saved",
    ])
      await this.ask(jar, route);
    await this.ask(jar, "POST /preferred", { type: "passkey" });
    await this.ask(jar, "POST /sign-in-again");
  }

  private async report(): Promise<void> {
    const { phone } = await enrolled(this.target, "mallory");
    const { factorId } = await addThenReport(await full(this.target, "mallory", phone), { userId: "u2" });
    const token = await reportToken(this.target, { userId: "u2" });
    await this.ask(new Jar(this.target), "POST /report", { token });
    this.target.clock.advance(DAY);
    await this.ask(await full(this.target, "mallory", phone), "POST /factors/:id/resume", {}, factorId);
  }

  private async recover(): Promise<void> {
    const here = await recovering.alice();
    const { clock } = here.target;
    const stranger = new Jar(here.target);
    const owner = await full(here.target, "alice", here.phone);
    for (const optedOut of [true, false]) await this.ask(owner, "POST /recovery/opt-out", { optedOut });
    const token = (way: "confirm" | "cancel" | "complete"): Promise<string> => recovering.tokenOf(here, way);
    for (const isLast of [false, true]) {
      await this.ask(await pending(here.target, "alice"), "POST /recovery");
      await this.ask(stranger, "POST /recovery/confirm", { token: await token("confirm") });
      if (!isLast) await this.ask(stranger, "POST /recovery/cancel", { token: await token("cancel") });
    }
    clock.advance(DAY);
    await recovering.run(here);
    const again = await pending(here.target, "alice");
    await this.ask(again, "POST /recovery/complete", { token: await token("complete") });
  }

  private async ask(jar: Jar, route: string, body: object = {}, id = ""): Promise<Response> {
    const [verb, path = ""] = route.split(" ");
    const place = `${BASE}${path.replace(":id", id)}`;
    const answer = verb === "GET" ? await jar.get(place) : await jar.post(place, body);
    this.answers.set(route, answer);
    return answer;
  }
}

/** Rows of docs/http.md that are about a route, by each route they name. */
const ROWS = sections
  .filter(({ file, title }) => file === "http.md" && title !== "Beside them")
  .flatMap(({ rows }) => rows)
  .flatMap((row) => row.code.map((code) => [code, row] as const))
  .filter(([code]) => /^(GET|POST) \/[^?]*$/.test(code));

describe("docs/http.md", () => {
  const visit = new Visit();
  const { answers } = visit;

  beforeAll(() => visit.begin());

  test("is about routes that were all asked here", () => {
    const routes = ROWS.map(([route]) => route);
    expect(routes.filter((route) => !answers.has(route))).toEqual([]);
  });

  test("has the status of every route's answer, and every one is answered where it does not say otherwise", () => {
    const statuses = ROWS.map(([route, row]) => [route, statusIn(row), answers.get(route)?.status] as const);
    expect(statuses.filter(([, said]) => said !== undefined).length).toBeGreaterThan(20);
    expect(statuses.filter(([, said, status = 0]) => (said === undefined ? status >= 300 : said !== status))).toEqual(
      [],
    );
  });

  test("has every member of the answers that it writes down, and no other", () => {
    const written = ROWS.flatMap(([route, row]) => {
      const members = membersIn(row, 2);
      return members.length === 0 ? [] : [{ route, members }];
    });
    expect(written.length).toBeGreaterThan(6);
    const wrong = written.filter(({ members, route }) => {
      const found = Object.keys(answers.get(route)?.body as object);
      const needed = members.filter((name) => !name.endsWith("?"));
      return needed.some((name) => !found.includes(name)) || found.some((name) => !members.map(nameIn).includes(name));
    });
    expect(wrong).toEqual([]);
  });

  test("has every member that a body may have, and no other", () => {
    const written = new Set(ROWS.flatMap(([, row]) => membersIn(row, 1).map(nameIn)));
    expect([...written].sort()).toEqual([...bodyMembers()].sort());
  });

  test.each([
    ["What a login is answered", "login"],
    ["GET /", "GET /"],
    ["A proof", "POST /totp"],
  ])("shows an example of the right shape: %s", (title, route) => {
    const example = /```json\n([^]*?)```/.exec(sectionTitled(title).text)?.[1] ?? "null";
    expect(shapeOf(JSON.parse(example))).toEqual(shapeOf(answers.get(route)?.body));
  });
});

function statusIn({ cells }: Row): number | undefined {
  const status = /^(\d{3})\b/.exec(cells[2] ?? "")?.[1];
  return status === undefined ? undefined : Number(status);
}

/** Of the first `{ … }` in a cell: `label?` as it is written, without what stands behind a colon. */
function membersIn({ cells }: Row, column: number): string[] {
  const bodies = codeIn(cells[column] ?? "").filter((code) => /^\{.*\}$/.test(code));
  return bodies.slice(0, 1).flatMap((body) => {
    const flat = body.slice(1, -1).replaceAll(/:\s*(\[[^\]]*\]|[^,]*)/g, "");
    return flat.split(",").map((name) => name.trim());
  });
}

/** Names and kinds of everything in it; of a list its first member stands for all. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]));
}
