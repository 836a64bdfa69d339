import { describe, expect, test } from "@jest/globals";
import { copyOf, HOUR, MINUTE, storedAccount } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { actions } from "../support/observe.js";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

async function waiting(given: TestAppOptions = {}) {
  const target = testApp(given);
  const factor = await enrolled(target, "alice");
  return { target, ...factor, jar: await pending(target, "alice") };
}

describe("a pending login", () => {
  test("lasts ten minutes, to the millisecond", async () => {
    const { target, jar, phone } = await waiting();
    target.clock.advance(10 * MINUTE - 1);
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test.each([
    ["its own page", (jar: Jar) => jar.get("/2fa")],
    ["a right code", (jar: Jar, code: string) => jar.verify(code)],
    ["the settings", (jar: Jar) => jar.get("/2fa/settings")],
    ["turning away", (jar: Jar) => jar.post("/2fa/cancel")],
  ])("is over after them: %s is answered 410 expired, once, and then as nobody's", async (_name, ask) => {
    const { target, jar, phone } = await waiting();
    target.clock.advance(10 * MINUTE);
    const code = phone.code(target.clock());
    const answer = await ask(jar, code);
    expect([answer.status, answer.body.code]).toEqual([410, "expired"]);
    const again = await ask(jar, code);
    expect([again.status, again.body.code]).toEqual([401, "login-required"]);
    expect((await jar.get("/")).body.status).toBe("anonymous");
  });

  test("that is over is nobody's elsewhere: the application asks for a login as ever", async () => {
    const { target, jar } = await waiting();
    target.clock.advance(10 * MINUTE);
    expect((await jar.get("/account")).body).toEqual({ code: "app-says-log-in" });
    expect((await jar.page("/account")).status).toBe(401);
  });

  test("that is over says so on a page, too", async () => {
    const { target, jar } = await waiting();
    target.clock.advance(10 * MINUTE);
    const page = await jar.page("/2fa");
    expect([page.status, page.headers["content-type"]]).toEqual([410, expect.stringMatching(/^text\/html/)]);
    expect(page.text).toContain('href="/login"');
  });

  test("is not prolonged by anything", async () => {
    const { target, jar, phone } = await waiting();
    for (let minutes = 0; minutes < 9; minutes += 1) {
      target.clock.advance(MINUTE);
      await jar.page("/account");
      await jar.get("/2fa");
      if (minutes % 3 === 0) await jar.verify("000000");
    }
    target.clock.advance(MINUTE);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(410);
  });

  test("is replaced by a login of the same user, which has its own ten minutes", async () => {
    const { target, jar, phone } = await waiting();
    target.clock.advance(9 * MINUTE);
    await jar.login("alice");
    target.clock.advance(9 * MINUTE);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("is replaced by a login of another user: the first one's code is worth nothing", async () => {
    const { target, jar, phone } = await waiting();
    const mallory = await enrolled(target, "mallory");
    await jar.login("mallory");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(401);
    expect((await jar.verify(mallory.phone.code(target.clock()))).status).toBe(200);
    expect((await jar.get("/account")).body.user.name).toBe("mallory");
  });

  test("is replaced by a user without a second factor, who is in", async () => {
    const { jar } = await waiting();
    expect((await jar.login("carol")).status).toBe(302);
    expect((await jar.get("/account")).body.user.name).toBe("carol");
  });

  test("replaces a full one", async () => {
    const { target, phone } = await waiting();
    const jar = await full(target, "alice", phone);
    await jar.login("alice");
    expect(await jar.isIn()).toBe(false);
    expect((await jar.get("/2fa")).body.status).toBe("pending");
  });

  test("survives a wrong password of somebody else on the same browser", async () => {
    const { target, jar, phone } = await waiting();
    await jar.post("/login", { username: "mallory", password: "wrong" });
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });
});

describe("turning away from the challenge", () => {
  test("ends the login: 204, and the browser goes back to the login page", async () => {
    const { target, jar, phone } = await waiting();
    const old = copyOf(jar);
    const answer = await jar.post("/2fa/cancel");
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect((await jar.get("/")).body.status).toBe("anonymous");
    for (const each of [jar, old]) expect((await each.verify(phone.code(target.clock()))).status).toBe(401);
    const form = await (await pending(target, "alice")).form("/2fa/cancel");
    expect([form.status, form.headers.location]).toEqual([303, "/login"]);
  });

  test("leads to the application's own login page", async () => {
    const { jar } = await waiting({ options: { loginPath: "/sign-in" } });
    expect((await jar.form("/2fa/cancel")).headers.location).toBe("/sign-in");
  });

  test("keeps what the application has in the session", async () => {
    const { jar } = await waiting({
      before: (app) =>
        app.all("/basket", (req, res) => {
          const session = req.session as unknown as { basket?: string };
          if (req.method === "POST") session.basket = "three apples";
          res.json({ basket: session.basket ?? null });
        }),
    });
    await jar.post("/basket");
    await jar.post("/2fa/cancel");
    expect((await jar.get("/basket")).body.basket).toBe("three apples");
  });

  test("is told of, as are a login that ran out and one that was completed", async () => {
    const { target, jar, phone } = await waiting();
    actions(target);
    await jar.post("/2fa/cancel");
    await jar.login("alice");
    target.clock.advance(10 * MINUTE);
    await jar.get("/2fa");
    await jar.login("alice");
    await jar.verify(phone.code(target.clock()));
    expect(actions(target)).toEqual([
      "challenge-cancelled",
      "challenge-issued",
      "challenge-expired",
      "challenge-issued",
      "factor-verified",
    ]);
  });
});

describe("what happens to the account elsewhere takes effect on the next request:", () => {
  test("a second factor set up there makes every older login end", async () => {
    const target = testApp();
    const [here, there] = [await pending(target, "alice"), await pending(target, "alice")];
    expect(await here.isIn()).toBe(true);
    await there.enroll();
    expect(await here.isIn()).toBe(false);
    expect(await there.isIn()).toBe(true);
  });

  test("one imported makes a login pending that was a full one", async () => {
    const target = testApp();
    const jar = await pending(target, "alice");
    expect(await jar.isIn()).toBe(true);
    await target.mfa.accounts.importTotp("u1", { secret: SECRET });
    const answer = await jar.get("/account");
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
  });

  test("one removed ends a pending login: 410, never a full one", async () => {
    const { target, jar } = await waiting();
    expect((await jar.get("/2fa")).body.status).toBe("pending");
    await target.mfa.accounts.reset("u1");
    const answer = await jar.get("/2fa");
    expect([answer.status, answer.body.code]).toEqual([410, "expired"]);
    expect(await jar.isIn()).toBe(false);
    expect((await jar.login("alice")).status).toBe(302);
  });

  test("an erased account ends a pending login too", async () => {
    const { target, jar } = await waiting();
    await target.mfa.accounts.erase("u1");
    expect((await jar.get("/2fa")).status).toBe(410);
    expect(await jar.isIn()).toBe(false);
  });

  test("a pending login that met the gate before and lost its factors ends where it asks", async () => {
    const { target, jar } = await waiting();
    await jar.page("/account");
    await target.mfa.accounts.reset("u1");
    expect(await jar.isIn()).toBe(false);
    expect((await jar.get("/account")).body).toEqual({ code: "app-says-log-in" });
  });

  test("signing out everywhere ends full and pending logins", async () => {
    const { target, jar, phone } = await waiting();
    const other = await full(target, "alice", phone);
    await target.mfa.accounts.signOutEverywhere("u1");
    expect([await jar.isIn(), await other.isIn()]).toEqual([false, false]);
    expect((await jar.verify(phone.code(target.clock()))).status).not.toBe(200);
  });

  test("and ends logins of users without a second factor", async () => {
    const target = testApp();
    const jar = await pending(target, "carol");
    await target.mfa.accounts.signOutEverywhere("u3");
    expect(await jar.isIn()).toBe(false);
    await jar.post("/login", { username: "carol", password: passwordOf("carol") });
    expect(await jar.isIn()).toBe(true);
  });
});

test("a logout that comes after an erase leaves the account erased, and forgotten in its time", async () => {
  const target = testApp();
  await (await pending(target, "carol")).post("/logout");
  const jar = await pending(target, "carol");
  await target.mfa.accounts.erase("u3");
  expect((await jar.post("/logout")).status).toBe(204);
  expect(JSON.parse((await storedAccount(target, "carol"))!)).toMatchObject({ logins: [] });
  target.clock.advance(365 * 24 * HOUR);
  expect(await storedAccount(target, "carol")).toBeUndefined();
});
