// The link of "this wasn't me": good once, for seven days, for the account it was made for, and changed by nobody who only opens it.
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { memoryStore } from "express-second-factor";
import { movableClock } from "express-second-factor/testing";
import { ORIGIN, parseAtLoginOnly, TEST_KEYS, testApp, type TestApp } from "../support/app.js";
import { HOUR, storedAccount, twoServers } from "../support/attack.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { faultyKeys, faultyStore, HANGS, REJECTS } from "../support/faults.js";
import { fieldOn } from "../support/pages.js";
import { expectProblem } from "../support/problems.js";
import { loginIdOf, REPORT, reported, reportToken, WEEK } from "../support/reports.js";

async function alice(given = {}) {
  const target = testApp(given);
  return { target, ...(await enrolled(target, "alice")) };
}

/** What nobody may have changed by opening the link. */
async function stateOf(target: TestApp): Promise<unknown> {
  return [await storedAccount(target, "alice"), target.events.length];
}

describe("opening the link", () => {
  test.each(["get", "head"] as const)("changes nothing, however often, by %s", async (verb) => {
    const { target } = await alice();
    const token = await reportToken(target);
    const before = await stateOf(target);
    for (const accept of ["text/html", "application/json", "*/*"]) {
      const scanner = new Jar(target);
      for (const _time of [1, 2]) {
        const answer = await scanner.agent[verb](`${REPORT}?token=${token}`).set("Accept", accept);
        expect([accept, answer.status, answer.headers["set-cookie"]]).toEqual([accept, 200, undefined]);
      }
    }
    expect(await stateOf(target)).toEqual(before);
    expect((await new Jar(target).post(REPORT, { token })).status).toBe(200);
  });

  test("says what it is about, what pressing the button does, and nothing of whose it is", async () => {
    const { factorId, target } = await alice();
    const token = await reportToken(target, { kind: "factor-enrolled", factorId });
    const { body } = await new Jar(target).get(`${REPORT}?token=${token}`);
    const { activity } = await target.mfa.accounts.export("u1");
    const { action, at, number } = activity.find((line) => line.action === "factor-enrolled")!;
    expect(body).toEqual({ kind: action, at, number });
    const page = await new Jar(target).page(`${REPORT}?token=${token}`);
    for (const said of ["Authenticator added", `No.\u00a0${number}`, "UTC", "24 hours", "signed out"])
      expect(page.text).toContain(said);
    for (const secret of ["alice", "u1", factorId]) expect(page.text).not.toContain(secret);
  });

  test("works in a session that is over, in one that waits, and in somebody else's", async () => {
    const { phone, target } = await alice();
    const over = await full(target, "alice", phone);
    const waiting = new Jar(target);
    await waiting.login("alice");
    const carol = new Jar(target);
    await carol.login("carol");
    const token = await reportToken(target);
    await target.mfa.accounts.signOutEverywhere("u1");
    for (const jar of [over, waiting, carol]) expect((await jar.page(`${REPORT}?token=${token}`)).status).toBe(200);
    expect((await over.form(REPORT, { token })).status).toBe(200);
  });
});

describe("the form of its page", () => {
  test("does it, at 200, and says what was done, what is suspended, until when, and what is next", async () => {
    const { phone, target } = await alice();
    const added = await (await full(target, "alice", phone)).enroll();
    const jar = new Jar(target);
    const token = await reportToken(target, { kind: "factor-enrolled", factorId: added.factorId });
    const page = await jar.page(`${REPORT}?token=${token}`);
    expect(/<form method="post" action="([^"]*)"/.exec(page.text)?.[1]).toBe(REPORT);
    const done = await jar.form(REPORT, { token: fieldOn(page, "token") });
    expect([done.status, done.type]).toEqual([200, "text/html"]);
    const text = done.text.replaceAll(/\s+/g, " ");
    const [, strange] = await target.mfa.accounts.factors("u1");
    const until = new Date(target.clock() + 24 * HOUR).toISOString();
    for (const said of [
      "1 session ended",
      strange!.label,
      `datetime="${until}"`,
      "UTC",
      "Change your password",
      'href="/login"',
    ])
      expect(text).toContain(said);
  });

  test("sent again says that it is done, at 410", async () => {
    const { target } = await alice();
    const token = await reportToken(target);
    await new Jar(target).form(REPORT, { token });
    const again = await new Jar(target).form(REPORT, { token });
    expect([again.status, again.text.includes("reported already")]).toEqual([410, true]);
    const opened = await new Jar(target).page(`${REPORT}?token=${token}`);
    expect([opened.status, opened.text.includes("reported already")]).toEqual([410, true]);
  });

  test.each([
    ["another site's origin", { Origin: "https://evil.test" }],
    ["another site's navigation", { "Sec-Fetch-Site": "cross-site" }],
    ["a sibling's", { "Sec-Fetch-Site": "same-site" }],
    ["no word of where it comes from", {}],
  ])("is not taken with %s", async (_what, headers) => {
    const { target } = await alice();
    const token = await reportToken(target);
    const before = await stateOf(target);
    const answer = await new Jar(target).agent
      .post(REPORT)
      .set("Accept", "text/html")
      .type("form")
      .set(headers)
      .send({ token });
    expect([answer.status, await stateOf(target)]).toEqual([403, before]);
    expect((await new Jar(target).agent.post(REPORT).type("form").set({ Origin: ORIGIN }).send({ token })).status).toBe(
      200,
    );
  });

  test("is read without a body parser of the application's", async () => {
    const { target } = await alice({ parsers: parseAtLoginOnly });
    expect((await new Jar(target).form(REPORT, { token: await reportToken(target) })).status).toBe(200);
  });
});

describe("a link is used", () => {
  test("once: of thirty reports at the same time one is taken, the others are 410", async () => {
    const servers = twoServers({ options: { keys: TEST_KEYS } });
    const { phone } = await enrolled(servers[0], "alice");
    await full(servers[0], "alice", phone);
    const token = await reportToken(servers[0]);
    const tries = Array.from({ length: 30 }, (_each, index) => new Jar(servers[index % 2]!).post(REPORT, { token }));
    const answers = await Promise.all(tries);
    const taken = answers.filter(({ status }) => status === 200);
    expect([taken.length, taken[0]?.body.ended]).toEqual([1, 1]);
    for (const answer of answers.filter(({ status }) => status !== 200)) expectProblem(answer, "expired");
    const told = servers.flatMap(({ events }) => events.filter(({ action }) => action === "reported"));
    expect(told).toHaveLength(1);
  });

  test("once, also after its freeze was lifted, and after another one was", async () => {
    const { phone, target } = await alice();
    const token = await reportToken(target);
    await full(target, "alice", phone);
    const other = await reportToken(target);
    for (const each of [token, other]) expect((await new Jar(target).post(REPORT, { token: each })).status).toBe(200);
    await target.mfa.accounts.reopenFactors("u1");
    for (const each of [token, other]) {
      const answer = await new Jar(target).post(REPORT, { token: each });
      expectProblem(answer, "expired");
      expect(answer.body.reason).toBe("used");
    }
    expect(await target.mfa.accounts.status("u1")).not.toHaveProperty("frozenUntil");
  });

  test("in the seven days from what it is about, and not in the first millisecond after", async () => {
    for (const [after, status] of [
      [WEEK - 1, 200],
      [WEEK, 410],
    ] as const) {
      const clock = movableClock(1_800_000_000_000);
      const { target } = await alice({ clock });
      const at = clock();
      const token = await reportToken(target, { at });
      clock.advance(after);
      expect((await new Jar(target).post(REPORT, { token })).status).toBe(status);
    }
  });

  test("with what was reported forgotten once no link of it is good any more", async () => {
    const { target } = await alice();
    await reported(target, { number: 7, at: target.clock() });
    target.clock.advance(WEEK);
    await reported(target, { number: 8, at: target.clock() });
    const { reports } = JSON.parse((await storedAccount(target, "alice"))!) as { reports: { number: number }[] };
    expect(reports.map(({ number }) => number)).toEqual([8]);
  });
});

describe("nothing but a link of ours is taken", () => {
  test.each([
    ["nothing", () => ""],
    ["text", () => "made-up"],
    ["one that was changed", (token: string) => `${token.slice(0, -6)}AAAAAA`],
    ["one that was cut", (token: string) => token.slice(0, 40)],
    [
      "something sealed for another purpose",
      (_token: string, sealed: string) => Buffer.from(sealed).toString("base64url"),
    ],
  ])("%s is 410, and changes nothing", async (_what, forge) => {
    const { target } = await alice();
    const account = (await storedAccount(target, "alice"))!;
    const sealed = (JSON.parse(account) as { factors: { state: { secret: string } }[] }).factors.find(
      ({ state }) => state.secret,
    )!;
    const token = forge(await reportToken(target), sealed.state.secret);
    expectProblem(await new Jar(target).post(REPORT, { token }), "expired");
    expectProblem(await new Jar(target).get(`${REPORT}?token=${token}`), "expired");
    const page = await new Jar(target).page(`${REPORT}?token=${token}`);
    expect([page.status, page.text.includes("no longer works")]).toEqual([410, true]);
    expect(await storedAccount(target, "alice")).toBe(account);
  });

  test("a token sealed by keys of another application is 410", async () => {
    const { target } = await alice();
    const keys = `test:${randomBytes(32).toString("base64")}`;
    expectProblem(await new Jar(target).post(REPORT, { token: await reportToken(target, { keys }) }), "expired");
  });

  test.each([
    ["missing", {}],
    ["a number", { token: 5 }],
    ["a list", { token: ["a"] }],
    ["an object", { token: {} }],
    ["null", { token: null }],
    ["longer than any", { token: "a".repeat(5000) }],
  ])("a token that is %s is 400", async (_what, body) => {
    const { target } = await alice();
    expectProblem(await new Jar(target).post(REPORT, body), "invalid-request");
  });

  test("in the address, a list is no token: 410", async () => {
    const { target } = await alice();
    const token = await reportToken(target);
    for (const query of ["", "?token=", `?token=${token}&token=${token}`, `?token[a]=${token}`])
      expectProblem(await new Jar(target).get(`${REPORT}${query}`), "expired");
  });

  test("whoever tries a hundred has to wait, and nobody who is logged in has to with them", async () => {
    const { phone, target } = await alice({ options: { limits: { address: { limit: 5, window: "15m" } } } });
    const token = await reportToken(target);
    for (let count = 0; count < 5; count += 1) await new Jar(target).post(REPORT, { token: "made-up" });
    expectProblem(await new Jar(target).post(REPORT, { token }), "too-many-attempts");
    expectProblem(await new Jar(target).get(`${REPORT}?token=${token}`), "too-many-attempts");
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
  });

  test("opening one that was used counts for no guess", async () => {
    const { target } = await alice({ options: { limits: { address: { limit: 3, window: "15m" } } } });
    const token = await reportToken(target);
    for (const expected of [200, 410, 410, 410, 410, 410])
      expect((await new Jar(target).post(REPORT, { token })).status).toBe(expected);
  });
});

describe("an account that was erased", () => {
  test("is not brought to life by a link from before", async () => {
    const { target } = await alice();
    const token = await reportToken(target);
    await target.mfa.accounts.erase("u1");
    const before = await storedAccount(target, "alice");
    expectProblem(await new Jar(target).post(REPORT, { token }), "expired");
    expectProblem(await new Jar(target).get(`${REPORT}?token=${token}`), "expired");
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("and set up anew is none of its business, whatever numbers its activity has by then", async () => {
    const { target } = await alice();
    const token = await reportToken(target);
    await target.mfa.accounts.erase("u1");
    target.clock.advance(HOUR);
    const { phone } = await enrolled(target, "alice");
    expectProblem(await new Jar(target).post(REPORT, { token }), "expired");
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
    expect((await new Jar(target).post(REPORT, { token: await reportToken(target) })).status).toBe(200);
  });

  test("that never was is not made by a report", async () => {
    const target = testApp();
    const token = await reportToken(target, { userId: "nobody", number: 1, kind: "factor-enrolled" });
    expectProblem(await new Jar(target).post(REPORT, { token }), "expired");
    expect(await target.store.read("account:nobody")).toBeUndefined();
  });
});

describe("keys", () => {
  const OLD = `2025-01:${randomBytes(32).toString("base64")}`;
  const NEW = `2026-11:${randomBytes(32).toString("base64")}`;

  test.each([
    ["with the old one still in the ring", `${NEW},${OLD}`, 200],
    ["unless the old one has left it", NEW, 410],
  ])("may be rotated while a link is on its way, %s", async (_what, keys, status) => {
    const [clock, store] = [movableClock(), memoryStore()];
    const before = testApp({ clock, store, options: { keys: OLD } });
    await enrolled(before, "alice");
    const token = await reportToken(before, { keys: OLD });
    const after = testApp({ clock, store, options: { keys } });
    expect((await new Jar(after).post(REPORT, { token })).status).toBe(status);
  });

  test("and store that do not answer: 503, and the link is not used up", async () => {
    const [keys, store] = [faultyKeys(), faultyStore()];
    const { target } = await alice({ store, options: { keys, storeTimeout: "50ms" } });
    const line = (await target.mfa.accounts.export("u1")).activity[0]!;
    const { ReportTokens } = await import("../../lib/engine/report-tokens.js");
    const event = { userId: "u1", kind: line.action, number: line.number, at: Date.parse(line.at) };
    const token = await new ReportTokens(keys, target.clock).seal(event);
    for (const fault of [REJECTS, HANGS]) {
      keys.fail("decrypt", fault);
      expectProblem(await new Jar(target).post(REPORT, { token }), "unavailable");
      keys.heal();
      store.fail("read", fault);
      expectProblem(await new Jar(target).post(REPORT, { token }), "unavailable");
      store.heal();
    }
    expect((await new Jar(target).post(REPORT, { token })).status).toBe(200);
  });
});

test("the session that a report names is the one that is listed", async () => {
  const { phone, target } = await alice();
  const jar = await full(target, "alice", phone);
  const { factorId } = await jar.enroll();
  const stored = JSON.parse((await storedAccount(target, "alice"))!) as {
    factors: { id: string; enrolledBy?: string }[];
  };
  expect(stored.factors.find(({ id }) => id === factorId)?.enrolledBy).toBe(await loginIdOf(jar));
  expect((await jar.get("/2fa/settings")).text).not.toContain("enrolledBy");
});
