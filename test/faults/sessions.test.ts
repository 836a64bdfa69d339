import { describe, expect, test } from "@jest/globals";
import type { ErrorRequestHandler } from "express";
import { CANARY, testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { copyOf, MODES, type Mode, STEP, trusted } from "../support/attack.js";
import { FaultySessions, type SessionVerb } from "../support/faults.js";

interface Prepared {
  readonly target: TestApp;
  readonly sessions: FaultySessions;
  readonly factor: Enrolled;
}

/** The application's error handler passes on what it is told, as Express's own does. */
const tell: ErrorRequestHandler = (error: { status?: number }, _req, res, next) => {
  if (res.headersSent) next(error);
  else res.status(error.status ?? 500).json({ code: "app-error" });
};

async function prepared(): Promise<Prepared> {
  const sessions = new FaultySessions();
  const target = testApp({ sessionStore: sessions, routes: (app) => app.use(tell) });
  return { target, sessions, factor: await enrolled(target, "alice") };
}

function verify(jar: Jar, mode: Mode, code: string) {
  return mode === "JSON" ? jar.verify(code) : jar.form("/2fa/totp", { code });
}

describe.each(["set", "destroy"] as const)("a session store whose %s fails", (verb: SessionVerb) => {
  test.each(MODES)("opens nothing with a right code, and the next code opens once it is back (%s)", async (mode) => {
    const { target, sessions, factor } = await prepared();
    const jar = await pending(target, "alice");
    const copy = copyOf(jar);
    sessions.fail(verb);
    const answer = await verify(jar, mode, factor.phone.code(target.clock()));
    expect([answer.status, answer.text.includes(CANARY)]).toEqual([503, false]);
    sessions.heal();
    expect([await jar.isIn(), await copy.isIn()]).toEqual([false, false]);
    target.clock.advance(STEP);
    await jar.login("alice");
    expect((await verify(jar, mode, factor.phone.code(target.clock()))).status).toBeLessThan(400);
    expect(await jar.isIn()).toBe(true);
  });

  test("opens nothing with a right password", async () => {
    const { target, sessions } = await prepared();
    for (const name of ["alice", "carol"]) {
      const jar = new Jar(target);
      sessions.fail(verb);
      const answer = await jar.login(name);
      expect([name, answer.text.includes(CANARY)]).toEqual([name, false]);
      sessions.heal();
      if (answer.status >= 400) expect([name, await jar.isIn()]).toEqual([name, false]);
      if (name === "alice") expect(await jar.isIn()).toBe(false);
    }
  });

  test("leaves no old session alive where a factor was enrolled and the id could not change", async () => {
    const { target, sessions, factor } = await prepared();
    const [owner, other] = [await full(target, "alice", factor.phone), await full(target, "alice", factor.phone)];
    sessions.fail(verb);
    const answer = await owner.post("/2fa/sessions/revoke-others");
    expect(answer.status).toBe(503);
    sessions.heal();
    expect(await other.isIn()).toBe(false);
  });

  test("does not let a trusted browser in half-way", async () => {
    const { target, sessions, factor } = await prepared();
    const jar = await trusted(target, "alice", factor.phone);
    await jar.post("/logout");
    sessions.fail(verb);
    expect((await jar.login("alice")).text).not.toContain(CANARY);
    sessions.heal();
    const next = new Jar(target);
    await next.login("alice");
    expect(await next.isIn()).toBe(false);
  });
});

test("a session store that cannot read lets nobody in, and everybody who was in is again when it is back", async () => {
  const { target, sessions, factor } = await prepared();
  const [owner, waiting] = [await full(target, "alice", factor.phone), await pending(target, "alice")];
  sessions.fail("get");
  for (const jar of [owner, waiting]) {
    for (const path of ["/account", "/", "/2fa", "/2fa/settings"])
      expect((await jar.get(path)).text).not.toContain(CANARY);
  }
  sessions.heal();
  expect([await owner.isIn(), await waiting.isIn()]).toEqual([true, false]);
  expect((await waiting.verify(factor.phone.code(target.clock()))).status).toBe(200);
});

test("a page that cannot be remembered is not shown instead of the challenge", async () => {
  const { target, sessions } = await prepared();
  const waiting = await pending(target, "alice");
  sessions.fail("set");
  const answer = await waiting.page("/account?first=time");
  expect([answer.status, answer.text.includes(CANARY)]).toEqual([503, false]);
  sessions.heal();
  expect((await waiting.page("/account")).status).toBe(303);
});
