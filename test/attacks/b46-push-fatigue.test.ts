import { describe, expect, test } from "@jest/globals";
import type { Notice } from "express-second-factor";
import { passwordOf } from "../support/app.js";
import { expectDenied, HOUR, MINUTE, storedAccount } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import { overhear } from "../support/overheard.js";
import { wrongNumber } from "../support/phone.js";
import {
  answeredBy,
  askedBy,
  denied,
  pushApp,
  type Sent,
  stateOf,
  status,
  waitingFor,
  withPhone,
} from "../support/push.js";

const DECIDE = "/2fa/push/decide";

const overheard = overhear();

/** Every text in what is JSON, with the names of its members. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [name, ...texts(each)]);
}

describe("whoever has alice's password and wants her to approve", () => {
  test("B46 twenty sign-ins wake her device five times, and each request takes the place of the one before", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    const asked: Sent[] = [];
    for (let times = 0; times < 20; times += 1) {
      const jar = await pending(target, "alice");
      const answer = await jar.post("/2fa/push/send");
      if (answer.status === 202) asked.push(answer.body as Sent);
      else expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "900"]);
      expect(await phone.requests()).toHaveLength(1);
    }
    expect([asked.length, target.channel.messages.length]).toEqual([5, 5]);
    expect((await phone.request()).requestId).toBe(asked.at(-1)!.requestId);
  });

  test("B46 a night of trying to wake her, denied each time, wakes her every hour at most", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    for (let minute = 0; minute < 8 * 60; minute += 15) {
      const jar = await pending(target, "alice");
      if ((await jar.post("/2fa/push/send")).status === 202) await phone.deny();
      target.clock.advance(15 * MINUTE);
    }
    // Two with nothing between them, then after 5 and 15 minutes, then hour by hour.
    expect(target.channel.messages.length).toBeLessThanOrEqual(2 + 2 + 8);
  });

  test("B46 a relayed request is not approved without its number: neither by pressing on, nor by guessing, and each guess counts", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    const { jar: attacker, sent } = await waitingFor(target);
    const request = await phone.request();
    // What the phone's owner can do who sees no number.
    const blind = await phone.decideBody(request, "approve");
    expect((await new Jar(target).post(DECIDE, blind)).status).toBe(400);
    const numbers = [wrongNumber(sent.number), wrongNumber(wrongNumber(sent.number))];
    for (const number of numbers) {
      const answer = await new Jar(target).post(DECIDE, await phone.decideBody(request, "approve", number));
      expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    }
    expect(await stateOf(attacker, sent.requestId)).toBe("waiting");
    const third = await phone.decideBody(request, "approve", wrongNumber(sent.number));
    expect((await new Jar(target).post(DECIDE, third)).status).toBe(401);
    expect(await stateOf(attacker, sent.requestId)).toBe("denied");
    const body = await phone.decideBody(request, "approve", sent.number);
    expect((await new Jar(target).post(DECIDE, body)).status).toBe(410);
    await expectDenied(attacker);
    expect(target.events.filter(({ action }) => action === "factor-failed")).toHaveLength(3);
  });

  test("B46 the number of one request is none for the next, which the owner believes to be their own", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    // The owner asks, and somebody else right after them: the number on the owner's page is not that of the open request.
    const owner = await waitingFor(target);
    let attacker = await waitingFor(target);
    while (attacker.sent.number === owner.sent.number) {
      target.clock.advance(HOUR);
      attacker = await waitingFor(target);
    }
    expect((await answeredBy(target, phone, "approve", owner.sent.number)).status).toBe(401);
    expect(await stateOf(attacker.jar, attacker.sent.requestId)).toBe("waiting");
    // Nor can it be answered in the other's place.
    const request = await phone.request();
    const other = { ...request, requestId: owner.sent.requestId };
    const body = await phone.decideBody(other, "approve", owner.sent.number);
    expect((await new Jar(target).post(DECIDE, body)).status).toBe(410);
    const mixed = { ...(await phone.decideBody(other, "approve", owner.sent.number)), requestId: request.requestId };
    expect((await new Jar(target).post(DECIDE, mixed)).status).toBe(401);
    await expectDenied(attacker.jar);
  });

  test.each([
    ["another text", { text: "Sign in to Acme " }],
    ["another request", { requestId: "another" }],
  ])("B46 a signature over %s than what was shown decides nothing, and no try is used", async (_what, change) => {
    const target = pushApp();
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    const request = await phone.request();
    const body = await phone.decideBody({ ...request, ...change }, "approve", sent.number);
    for (let times = 0; times < 5; times += 1) {
      const answer = await new Jar(target).post(DECIDE, { ...body, requestId: sent.requestId });
      expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    }
    // Neither is one for another decision, or another number.
    const deny = await phone.decideBody(request, "deny");
    const turned = { ...deny, decision: "approve", number: sent.number };
    expect((await new Jar(target).post(DECIDE, turned)).status).toBe(401);
    const guess = await phone.decideBody(request, "approve", wrongNumber(sent.number));
    expect((await new Jar(target).post(DECIDE, { ...guess, number: sent.number })).status).toBe(401);
    expect(await stateOf(jar, sent.requestId)).toBe("waiting");
    await phone.approve(sent.number);
    expect((await status(jar, sent.requestId)).body.status).toBe("verified");
  });

  test("B46 after “this wasn't me” nothing wakes her device again, and she is told", async () => {
    const notices: Notice[] = [];
    const target = pushApp({ options: { notify: (notice) => void notices.push(notice) } });
    const phone = await withPhone(target);
    notices.length = 0;
    await waitingFor(target);
    await phone.notMe();
    for (let days = 0; days < 8; days += 1) {
      target.clock.advance(24 * HOUR);
      const jar = await pending(target, "alice");
      expect((await jar.post("/2fa/push/send")).status).toBe(403);
    }
    expect(target.channel.messages).toHaveLength(1);
    expect(target.events.filter(({ action }) => action === "push-reported")).toHaveLength(1);
  });

  test("B46, B43 the number is in no message, no list, no poll, no event, no record, no session, no log and no error", async () => {
    const target = pushApp({ options: { notify: () => undefined } });
    const phone = await withPhone(target);
    for (let round = 0; round < 5; round += 1) {
      const { jar, sent } = await waitingFor(target);
      const heard: unknown[] = [];
      const hear = async (answer: PromiseLike<{ body: unknown; headers: unknown }>): Promise<void> => {
        const { body, headers } = await answer;
        heard.push(body, { ...(headers as object), "content-length": "" });
      };
      await hear(status(jar, sent.requestId));
      await hear(status(jar, sent.requestId, { peek: true }));
      await hear(jar.get("/2fa"));
      await hear(new Jar(target).post("/2fa/push/requests", await phone.requestsBody()));
      await hear(answeredBy(target, phone, "approve", wrongNumber(sent.number)));
      await hear(answeredBy(target, phone, "approve", sent.number));
      const { approvals } = JSON.parse((await storedAccount(target, "alice"))!) as { approvals: unknown };
      heard.push(approvals);
      const { sessions } = target.sessionStore as unknown as { readonly sessions: Record<string, string> };
      heard.push(Object.values(sessions).map((text) => JSON.parse(text) as unknown));
      await hear(status(jar, sent.requestId));
      heard.push(target.channel.messages, target.events, target.errors, overheard.published, overheard.printed);
      // Two digits stand by chance in any longer text: no member is them, or is called so.
      expect(heard.flatMap(texts).filter((text) => text === sent.number || text === "number")).toEqual([]);
      await jar.post("/logout");
      target.clock.advance(HOUR);
    }
  });

  test("B46 a wrong password wakes nobody, and asking takes the right one each time", async () => {
    const target = pushApp();
    await withPhone(target);
    const jar = new Jar(target);
    await jar.post("/login", { username: "alice", password: `${passwordOf("alice")}!` });
    expect((await jar.post("/2fa/push/send")).status).toBe(401);
    await jar.login("alice");
    await askedBy(jar);
    await jar.post("/2fa/cancel");
    expect((await jar.post("/2fa/push/send")).status).toBe(401);
    expect(target.channel.messages).toHaveLength(1);
  });

  test("B46 twice denied, another way to sign in is as open as ever", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    await denied(target, phone);
    await denied(target, phone);
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/push/send")).status).toBe(429);
    expect((await jar.post("/2fa/backup-code", { code: phone.backupCodes[0] })).status).toBe(200);
  });
});
