import { describe, expect, test } from "@jest/globals";
import { memoryStore } from "express-second-factor";
import { MINUTE } from "../support/attack.js";
import { userNamed } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { HANGS, REJECTS } from "../support/faults.js";
import { ADDRESS, codeFor, emailApp, otherThan, Outbox, waitingForCode } from "../support/message-codes.js";
import { backupCodes, emailCode, totp } from "express-second-factor";

const SECOND = 1_000;
const PATH = "/2fa/email-code";
const MANY = { limit: 1_000, window: "30m" } as const;

function silentApp(outbox = new Outbox()) {
  return emailApp(outbox, {}, [emailCode({ send: outbox.send, timeout: "20ms" }), totp(), backupCodes()]);
}

describe("sending a code", () => {
  test("waits sixty seconds between two, to the millisecond", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    await codeFor(jar);
    const sent = target.outbox.messages.length;
    target.clock.advance(20 * SECOND + 1);
    const soon = await jar.post(`${PATH}/send`);
    expect([soon.status, soon.body.code, soon.headers["retry-after"]]).toEqual([429, "too-many-attempts", "40"]);
    target.clock.advance(40 * SECOND - 2);
    const almost = await jar.post(`${PATH}/send`);
    expect([almost.status, almost.headers["retry-after"]]).toEqual([429, "1"]);
    expect(target.outbox.messages).toHaveLength(sent);
    target.clock.advance(1);
    expect((await jar.post(`${PATH}/send`)).status).toBe(202);
    expect(target.outbox.messages).toHaveLength(sent + 1);
  });

  test("sends the same code again while it lives, without new tries, and another one afterwards", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    const until = target.outbox.last.expiresAt;
    for (let tries = 0; tries < 4; tries += 1) await jar.post(PATH, { code: otherThan(code) });
    target.clock.advance(MINUTE);
    const again = await jar.post(`${PATH}/send`);
    expect(again.body).toMatchObject({ expiresAt: until });
    expect(target.outbox.last).toMatchObject({ code, expiresAt: until });
    expect((await jar.post(PATH, { code: otherThan(code) })).status).toBe(401);
    expect((await jar.post(PATH, { code })).status).toBe(401);
    target.clock.advance(4 * MINUTE);
    const next = await codeFor(jar);
    expect((await jar.post(PATH, { code })).status).toBe(code === next ? 200 : 401);
    expect((await jar.post(PATH, { code: next })).status).toBe(200);
  });

  test("goes out three times in half an hour for an account, those of setting up among them", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const start = target.clock();
    for (let sent = 0; sent < 3; sent += 1) {
      expect((await jar.post(`${PATH}/send`)).status).toBe(202);
      target.clock.advance(MINUTE);
    }
    const fourth = await jar.post(`${PATH}/send`);
    expect([fourth.status, fourth.headers["retry-after"]]).toEqual([429, String(27 * 60)]);
    const other = new Jar(target);
    target.clock.advance(start + 30 * MINUTE - 1 - target.clock());
    await other.login("alice");
    expect((await other.post(`${PATH}/send`)).status).toBe(429);
    target.clock.advance(1);
    expect((await other.post(`${PATH}/send`)).status).toBe(202);
  });

  test("says when another can be asked for, which after the third is not in a minute", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const start = target.clock();
    const told: string[] = [];
    for (let sent = 0; sent < 3; sent += 1) {
      told.push((await jar.post(`${PATH}/send`)).body.resendAt as string);
      target.clock.advance(MINUTE);
    }
    const times = [start + MINUTE, start + 2 * MINUTE, start + 30 * MINUTE];
    expect(told).toEqual(times.map((time) => new Date(time).toISOString()));
  });

  test("to one address goes out five times an hour, whosever it is", async () => {
    const names = ["alice", "mallory", "carol"];
    const target = emailApp(new Outbox(), { options: { limits: { emailSend: MANY } } });
    for (const name of names)
      await target.mfa.accounts.enrollEmail(userNamed(name).id, { address: ADDRESS, verifiedAt: target.clock() });
    const jars = await Promise.all(
      names.map(async (name) => {
        const jar = new Jar(target);
        await jar.login(name);
        return jar;
      }),
    );
    const statuses: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      for (const jar of jars) statuses.push((await jar.post(`${PATH}/send`)).status);
      target.clock.advance(MINUTE);
    }
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    expect(target.outbox.messages).toHaveLength(5);
    // What was not sent was not counted: no cool-down stands in the way of the next.
    const refused = await jars[2]?.post(`${PATH}/send`);
    expect(refused?.headers["retry-after"]).toBe(String(58 * 60));
    target.clock.advance(58 * MINUTE);
    const carol = new Jar(target);
    await carol.login("carol");
    expect((await carol.post(`${PATH}/send`)).status).toBe(202);
  });

  test("to set one address up goes out three times an hour, and leaves its owner's logins alone", async () => {
    const target = emailApp();
    const owner = await waitingForCode(target);
    const statuses: number[] = [];
    for (const name of ["mallory", "carol", "dave"]) {
      const jar = new Jar(target);
      await jar.login(name);
      statuses.push((await jar.post(`${PATH}/enroll`, { address: ADDRESS.toUpperCase() })).status);
    }
    target.clock.advance(MINUTE);
    const fourth = new Jar(target);
    await fourth.login("mallory");
    statuses.push((await fourth.post(`${PATH}/enroll`, { address: ADDRESS })).status);
    expect(statuses).toEqual([202, 202, 202, 429]);
    expect((await owner.post(`${PATH}/send`)).status).toBe(202);
  });

  test("that the sender refuses is given back, and can be asked for again at once", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    target.outbox.fault = REJECTS;
    for (let tries = 0; tries < 4; tries += 1) {
      const failed = await jar.post(`${PATH}/send`);
      expect([failed.status, failed.body.code]).toEqual([503, "delivery-failed"]);
    }
    target.outbox.fault = undefined;
    for (let sent = 0; sent < 3; sent += 1) {
      expect((await jar.post(`${PATH}/send`)).status).toBe(202);
      target.clock.advance(MINUTE);
    }
    expect((await jar.post(`${PATH}/send`)).status).toBe(429);
  });

  test("is refused ten times in a quarter of an hour, and then not tried", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    target.outbox.fault = REJECTS;
    const start = target.clock();
    for (let tries = 0; tries < 10; tries += 1) expect((await jar.post(`${PATH}/send`)).status).toBe(503);
    const handed = target.outbox.signals.length;
    const eleventh = await jar.post(`${PATH}/send`);
    expect([eleventh.status, eleventh.headers["retry-after"]]).toEqual([429, String(15 * 60)]);
    expect(target.outbox.signals).toHaveLength(handed);
    target.outbox.fault = undefined;
    target.clock.advance(start + 15 * MINUTE - target.clock());
    const later = new Jar(target);
    await later.login("alice");
    expect((await later.post(`${PATH}/send`)).status).toBe(202);
  });

  test("that nobody answers for is told so, aborted, and stays counted, but need not be waited for", async () => {
    const target = silentApp();
    const jar = await waitingForCode(target);
    target.outbox.fault = HANGS;
    const failed = await jar.post(`${PATH}/send`);
    expect([failed.status, failed.body.code]).toEqual([503, "delivery-failed"]);
    expect(target.outbox.signals.at(-1)?.aborted).toBe(true);
    target.outbox.fault = undefined;
    expect((await jar.post(`${PATH}/send`)).status).toBe(202);
    expect(target.outbox.signals.at(-1)?.aborted).toBe(false);
    target.clock.advance(MINUTE);
    expect((await jar.post(`${PATH}/send`)).status).toBe(202);
    target.clock.advance(MINUTE);
    expect((await jar.post(`${PATH}/send`)).status).toBe(429);
  });

  test("that nobody answered for stays counted against its address", async () => {
    const outbox = new Outbox();
    const methods = [emailCode({ send: outbox.send, timeout: "20ms" }), totp(), backupCodes()];
    const target = emailApp(outbox, { options: { limits: { emailSend: MANY } } }, methods);
    const jar = await waitingForCode(target);
    outbox.fault = HANGS;
    for (let sent = 0; sent < 5; sent += 1) expect((await jar.post(`${PATH}/send`)).status).toBe(503);
    outbox.fault = undefined;
    expect((await jar.post(`${PATH}/send`)).status).toBe(429);
  });

  test("that may have arrived all the same leaves a code that is good", async () => {
    const outbox = new Outbox();
    const methods = [emailCode({ send: outbox.send, timeout: "20ms" }), totp(), backupCodes()];
    const target = emailApp(outbox, {}, methods);
    const jar = await waitingForCode(target);
    outbox.fault = { kind: "acts and hangs" };
    expect((await jar.post(`${PATH}/send`)).status).toBe(503);
    expect((await jar.post(PATH, { code: outbox.code })).status).toBe(200);
  });

  test.each([REJECTS, HANGS])("a second time, which fails, leaves the code that was delivered good", async (fault) => {
    const target = silentApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    await jar.post(PATH, { code: otherThan(code) });
    target.clock.advance(MINUTE);
    target.outbox.fault = fault;
    expect((await jar.post(`${PATH}/send`)).status).toBe(503);
    expect((await jar.post(PATH, { code })).status).toBe(200);
  });

  test("thirty times at once sends it once", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const before = target.outbox.messages.length;
    const sent = await Promise.all(Array.from({ length: 30 }, () => jar.post(`${PATH}/send`)));
    expect(sent.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(sent.filter(({ status }) => status === 429)).toHaveLength(29);
    expect(target.outbox.messages).toHaveLength(before + 1);
  });

  test("from thirty accounts at once to one address sends exactly five", async () => {
    const users = Array.from({ length: 30 }, (_, index) => ({
      id: `x${index}`,
      name: `x${index}`,
      email: `x${index}@acme.test`,
    }));
    const options = { user: { load: async (id: string) => users.find((user) => user.id === id) } };
    const target = emailApp(new Outbox(), { users, options, store: memoryStore() });
    const jars = await Promise.all(
      users.map(async ({ id, name }) => {
        await target.mfa.accounts.enrollEmail(id, { address: ADDRESS, verifiedAt: target.clock() });
        const jar = new Jar(target);
        await jar.login(name);
        return jar;
      }),
    );
    const sent = await Promise.all(jars.map((jar) => jar.post(`${PATH}/send`)));
    expect(sent.filter(({ status }) => status === 202)).toHaveLength(5);
    expect(target.outbox.messages).toHaveLength(5);
  });
});

describe("a code goes where it is stored that it goes", () => {
  test.each([
    { to: "mallory@evil.test" },
    { address: "mallory@evil.test" },
    { email: "mallory@evil.test" },
    { phone: "+491512345678" },
    { to: ["mallory@evil.test"], cc: "mallory@evil.test" },
  ])("whatever the request says: %j", async (body) => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const before = target.outbox.messages.length;
    expect((await jar.post(`${PATH}/send`, body)).status).toBe(202);
    expect(target.outbox.messages.slice(before).map(({ to }) => to)).toEqual([{ address: ADDRESS }]);
  });

  test("and of somebody else's factor nothing is sent", async () => {
    const target = emailApp();
    const { mfa } = target;
    const { id } = await mfa.accounts.enrollEmail("u2", { address: "mallory@evil.test", verifiedAt: target.clock() });
    const jar = await waitingForCode(target);
    const before = target.outbox.messages.length;
    for (const factorId of [id, "none", ""]) {
      const refused = await jar.post(`${PATH}/send`, { factorId });
      expect([refused.status, refused.body.code]).toEqual([404, "not-found"]);
    }
    for (const factorId of [[id], { id }, 7]) expect((await jar.post(`${PATH}/send`, { factorId })).status).toBe(400);
    expect(target.outbox.messages).toHaveLength(before);
  });

  test("and without a factor of that kind there is nothing to send or to prove", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.enroll();
    expect((await jar.post(`${PATH}/send`)).status).toBe(404);
    expect(target.outbox.messages).toEqual([]);
  });
});
