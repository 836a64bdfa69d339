import { describe, expect, test } from "@jest/globals";
import { passwordOf, strategyRoute, testApp, type TestApp, type TestAppOptions, userNamed } from "../support/app.js";
import { expectDenied, MINUTE } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

/** An application that takes tokens above the middleware: whoever a header names is the request's user. */
const tokens: TestAppOptions = {
  options: { policy: (_user, req) => (req.get("x-office") === undefined ? "optional" : "exempt") },
  before: (app) =>
    app.use((req, _res, next) => {
      const name = req.get("x-token-of");
      if (name !== undefined) req.user = userNamed(name);
      next();
    }),
};

const OFFICE = { "X-Office": "1" };

function tokenOf(name: string): Record<string, string> {
  return { "X-Token-Of": name };
}

async function sessionsOf({ mfa }: TestApp, id: string): Promise<readonly unknown[]> {
  return (await mfa.accounts.export(id)).sessions;
}

/** What one's own token opens to its owner: their own data, once. */
async function visitAs(jar: Jar, name: string): Promise<void> {
  expect((await jar.get("/account").set(tokenOf(name))).body).toMatchObject({ user: { name } });
}

describe("another user's token sent along in a session", () => {
  test("opens that user's own data, and nothing of a login that is pending there", async () => {
    const target = testApp(tokens);
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await visitAs(jar, "mallory");
    expect((await jar.get("/account").set(OFFICE)).status).toBe(401);
    await expectDenied(jar);
    target.clock.advance(11 * MINUTE);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(410);
  });

  test("leaves a verified login verified, whoever is signed out everywhere", async () => {
    const target = testApp(tokens);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await target.mfa.accounts.signOutEverywhere("u2");
    await visitAs(jar, "mallory");
    expect((await jar.get("/2fa")).body.status).toBe("verified");
    await target.mfa.accounts.signOutEverywhere("u2");
    await visitAs(jar, "mallory");
    expect(await jar.isIn()).toBe(true);
  });

  test("is no login that would be listed, and the one that is there stays listed", async () => {
    const target = testApp(tokens);
    const jar = await pending(target, "carol");
    const before = await sessionsOf(target, "u3");
    await visitAs(jar, "mallory");
    expect([await sessionsOf(target, "u2"), await sessionsOf(target, "u3")]).toEqual([[], before]);
    expect(await jar.isIn()).toBe(true);
    await target.mfa.accounts.signOutEverywhere("u3");
    expect(await jar.isIn()).toBe(false);
  });

  test("whose user owes a factor is refused, and no route takes a step of that login there", async () => {
    const target = testApp({ ...tokens, ...strategyRoute, options: { ...tokens.options, ...strategyRoute.options } });
    const [alice, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const jar = await pending(target, "alice");
    const token = tokenOf("mallory");
    expect((await jar.get("/account").set(token)).body.code).toBe("second-factor-required");
    expect((await jar.get("/2fa").set(token)).body.status).toBe("pending");
    const code = mallory.phone.code(target.clock());
    for (const path of ["/2fa/totp", "/2fa/cancel", "/otp"]) {
      expect([path, (await jar.post(path, { code }).set(token)).status]).toEqual([path, 401]);
    }
    expect((await jar.get("/account").set(OFFICE)).status).toBe(401);
    expect((await jar.verify(alice.phone.code(target.clock()))).status).toBe(200);
    expect((await jar.get("/account")).body).toMatchObject({ user: { name: "alice" } });
  });

  test("sets nothing up in a login of that session", async () => {
    const target = testApp(tokens);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const answer = await jar.post("/2fa/totp/enroll").set(tokenOf("carol"));
    expect([answer.status, answer.body.code]).toEqual([401, "login-required"]);
    expect((await jar.get("/2fa")).body.status).toBe("verified");
  });
});

test("a login that another one takes the place of is asked for its own factor", async () => {
  const target = testApp(tokens);
  const [, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
  const jar = await pending(target, "alice");
  await jar.post("/login", { username: "mallory", password: passwordOf("mallory") });
  expect((await jar.verify(mallory.phone.code(target.clock()))).status).toBe(200);
  expect((await jar.get("/account")).body).toMatchObject({ user: { name: "mallory" } });
});
