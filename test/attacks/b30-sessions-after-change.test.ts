import { describe, expect, test } from "@jest/globals";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar } from "../support/browser.js";
import {
  cookies,
  copyOf,
  expectDenied,
  MODES,
  passworded,
  send,
  SESSION_COOKIE,
  STEP,
  trusted,
  twoServers,
} from "../support/attack.js";

interface Two {
  readonly target: TestApp;
  readonly phone: Awaited<ReturnType<typeof enrolled>>["phone"];
  readonly factorId: string;
  readonly one: Jar;
  readonly other: Jar;
}

async function twoFull(target: TestApp): Promise<Two> {
  const { phone, factorId } = await enrolled(target, "alice");
  const other = await full(target, "alice", phone);
  const one = await full(target, "alice", phone);
  return { target, phone, factorId, one, other };
}

/** Does something in one jar; the other jar's login and any copy of the old session are over, the acting one goes on. */
async function expectOthersEnd({ one, other }: Two, act: () => Promise<unknown>): Promise<void> {
  const copy = copyOf(one);
  const before = cookies(one)[SESSION_COOKIE];
  expect([await one.isIn(), await other.isIn()]).toEqual([true, true]);
  await act();
  expect(await other.isIn()).toBe(false);
  await expectDenied(other);
  expect(await one.isIn()).toBe(true);
  expect(cookies(one)[SESSION_COOKIE]).not.toBe(before);
  await expectDenied(copy);
}

describe("B30 sessions outlive a change of factors", () => {
  test.each(MODES)("B30 the first enrollment ends the logins that had none (%s)", async (mode) => {
    const target = testApp();
    const [one, other] = [await passworded(target, mode, "carol"), await passworded(target, mode, "carol")];
    expect([await one.isIn(), await other.isIn()]).toEqual([true, true]);
    const [before, copy] = [cookies(one)[SESSION_COOKIE], copyOf(one)];
    const { body } = await one.post("/2fa/totp/enroll");
    const code = authenticatorApp(body.uri).code(target.clock());
    await send(one, mode, "/2fa/totp/enroll/confirm", { factorId: body.factorId, code });
    expect(await other.isIn()).toBe(false);
    await expectDenied(other);
    expect(await one.isIn()).toBe(true);
    expect((await one.get("/")).body.status).toBe("verified");
    expect(cookies(one)[SESSION_COOKIE]).not.toBe(before);
    await expectDenied(copy);
  });

  test("B30 a further factor ends the other logins", async () => {
    const two = await twoFull(testApp());
    await expectOthersEnd(two, () => two.one.enroll());
  });

  test("B30 removing a factor ends the other logins", async () => {
    const target = testApp();
    const { phone, factorId } = await enrolled(target, "alice");
    await (await full(target, "alice", phone)).enroll();
    const two = {
      target,
      phone,
      factorId,
      other: await full(target, "alice", phone),
      one: await full(target, "alice", phone),
    };
    await expectOthersEnd(two, async () => {
      expect((await two.one.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    });
  });

  test("B30 switching the second factor off ends the other logins", async () => {
    const two = await twoFull(testApp());
    await expectOthersEnd(two, async () => {
      expect((await two.one.post("/2fa/disable")).status).toBe(204);
    });
  });

  test("B30 ending the other sessions ends them", async () => {
    const two = await twoFull(testApp());
    await expectOthersEnd(two, async () => {
      expect((await two.one.post("/2fa/sessions/revoke-others")).status).toBe(204);
    });
  });

  test("B30 a pending login from before the change cannot be finished", async () => {
    const { target, phone, one } = await twoFull(testApp());
    const waiting = await passworded(target, "JSON", "alice");
    expect((await one.post("/2fa/sessions/revoke-others")).status).toBe(204);
    const answer = await waiting.verify(phone.code(target.clock()));
    expect([answer.status, answer.body.code]).toEqual([410, "expired"]);
    expect(await waiting.isIn()).toBe(false);
  });

  test("B30 a login that a trusted browser opened ends with the change, and so does the trust", async () => {
    const { target, phone, one } = await twoFull(testApp());
    const device = await trusted(target, "alice", phone);
    await device.post("/logout");
    await device.login("alice");
    expect(await device.isIn()).toBe(true);
    expect((await one.enroll()).factorId).toEqual(expect.any(String));
    expect(await device.isIn()).toBe(false);
    await device.login("alice");
    expect(await device.isIn()).toBe(false);
  });

  test.each([
    ["reset", (target: TestApp) => target.mfa.accounts.reset("u1")],
    [
      "removeFactor",
      async (target: TestApp) =>
        target.mfa.accounts.removeFactor("u1", (await target.mfa.accounts.factors("u1"))[0]!.id),
    ],
    ["signOutEverywhere", (target: TestApp) => target.mfa.accounts.signOutEverywhere("u1")],
    ["passwordChanged with signOut", (target: TestApp) => target.mfa.accounts.passwordChanged("u1", { signOut: true })],
    ["erase", (target: TestApp) => target.mfa.accounts.erase("u1")],
  ])("B30 the application's %s ends every login at once, on every server", async (_name, act) => {
    const [server, second] = twoServers();
    const { one, other } = await twoFull(server);
    const elsewhere = new Jar(second);
    for (const [name, value] of Object.entries(cookies(one))) {
      elsewhere.agent.jar.setCookie(`${name}=${value}; path=/`, "127.0.0.1", "/");
    }
    expect(await elsewhere.isIn()).toBe(true);
    await act(second);
    expect([await one.isIn(), await other.isIn(), await elsewhere.isIn()]).toEqual([false, false, false]);
    await expectDenied(one);
  });

  test("B30 thirty logins end together", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jars: Jar[] = [];
    while (jars.length < 30) jars.push(await full(target, "alice", phone));
    const [one, ...others] = jars;
    expect((await one!.post("/2fa/sessions/revoke-others")).status).toBe(204);
    const open = await Promise.all(others.map((jar) => jar.isIn()));
    expect(open.filter(Boolean)).toEqual([]);
    expect(await one!.isIn()).toBe(true);
    target.clock.advance(STEP);
  });
});
