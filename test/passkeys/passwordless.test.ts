import type { Tampering } from "express-second-factor/testing";
import { describe, expect, test } from "@jest/globals";
import { passkeys } from "express-second-factor";
import { testApp, type TestApp, USERS } from "../support/app.js";
import { cookies, copyOf, expectDenied, MINUTE, NO_LIMITS, putCookie, twoServers } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { actions } from "../support/observe.js";
import { randomText, UV } from "./lies.js";
import {
  answerWith,
  discoverable,
  type Holder,
  holder,
  passwordless,
  passwordlessApp,
  requestOptions,
} from "./stage.js";

const WITHOUT_UV = { flags: (flags: number) => flags & ~UV };

interface Field extends Holder {
  readonly target: TestApp;
}

async function field(): Promise<Field> {
  const target = passwordlessApp();
  return { target, ...(await holder(target, "alice")) };
}

describe("options before anybody logged in", () => {
  test("ask for any passkey with user verification, and name none", async () => {
    const { target } = await field();
    const options = await requestOptions(new Jar(target));
    expect(options).toMatchObject({ rpId: "localhost", userVerification: "required", timeout: 300_000 });
    expect(options.allowCredentials ?? []).toEqual([]);
    expect(Buffer.from(options.challenge, "base64url").length).toBeGreaterThanOrEqual(32);
  });

  test("are new each time", async () => {
    const jar = new Jar((await field()).target);
    const challenges = await Promise.all(Array.from({ length: 50 }, () => requestOptions(jar)));
    expect(new Set(challenges.map(({ challenge }) => challenge)).size).toBe(50);
  });
});

describe("a passkey with user verification is the whole login", () => {
  test("complete at once, and not asked for anything again", async () => {
    const { target, device } = await field();
    const jar = new Jar(target);
    actions(target);
    const answer = await passwordless(jar, device);
    expect([answer.status, answer.body.user.name, answer.body.status]).toEqual([200, "alice", "verified"]);
    expect(actions(target)).toEqual(["factor-verified"]);
    expect(await jar.isIn()).toBe(true);
    expect((await jar.get("/2fa")).body.status).toBe("verified");
  });

  test("lists one login, under a session id that is new", async () => {
    const { target, device, jar: before } = await field();
    await before.post("/logout");
    const jar = new Jar(target);
    const credential = await discoverable(jar, device);
    const old = copyOf(jar);
    expect((await jar.post("/login/passkey", { credential })).status).toBe(200);
    await expectDenied(old);
    expect((await jar.get("/2fa/settings")).body.sessions).toHaveLength(1);
  });

  test("replaces the login another user had in the browser only when that one logged out", async () => {
    const { target, device } = await field();
    const jar = new Jar(target);
    await jar.login("mallory");
    const credential = device.get({ ...(await requestOptions(new Jar(target))) });
    const answer = await jar.post("/login/passkey", { credential });
    expect(answer.body.user?.name ?? "mallory").toBe("mallory");
    await jar.post("/logout");
    expect((await passwordless(jar, device)).body.user.name).toBe("alice");
  });
});

describe("a passkey without user verification is a first step", () => {
  test("a further factor is due, which the same passkey is not", async () => {
    const { target, device, backupCodes } = await field();
    const jar = new Jar(target);
    const answer = await passwordless(jar, device, WITHOUT_UV);
    expect([answer.status, answer.body.code]).toEqual([401, "second-factor-required"]);
    await expectDenied(jar);
    const again = await jar.post("/2fa/passkey/options");
    if (again.status === 200) {
      const credential = device.get(again.body);
      expect((await jar.post("/2fa/passkey", { credential })).status).toBe(401);
    }
    await expectDenied(jar);
    expect((await jar.post("/2fa/backup-code", { code: backupCodes[0] })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("not through the strategy either, and not without user verification a second time", async () => {
    const { target, device } = await field();
    const jar = new Jar(target);
    await passwordless(jar, device, WITHOUT_UV);
    const options = await requestOptions(jar);
    for (const lie of [{}, WITHOUT_UV]) {
      expect((await jar.post("/login/passkey", { credential: device.get(options, lie) })).status).toBe(401);
    }
    await expectDenied(jar);
  });

  test("what is offered next does not hold the passkey", async () => {
    const { target, device } = await field();
    const jar = new Jar(target);
    const answer = await passwordless(jar, device, WITHOUT_UV);
    const types = (body: { methods: { type: string }[] }): string[] => body.methods.map(({ type }) => type);
    expect(types((await jar.get("/2fa")).body)).toEqual(["backup-code"]);
    expect(types(answer.body)).toEqual(["backup-code"]);
    expect(types((await jar.get("/account")).body)).toEqual(["backup-code"]);
  });

  test("with userVerification: required it is no step at all", async () => {
    const target = passwordlessApp({ options: { methods: [passkeys({ userVerification: "required" })] } });
    const { device } = await holder(target, "alice");
    const jar = new Jar(target);
    expect((await passwordless(jar, device, WITHOUT_UV)).status).toBe(401);
    expect((await jar.get("/2fa")).body.code).toBe("login-required");
  });
});

describe("refused", () => {
  test("a handle nobody has and one that somebody has are answered alike", async () => {
    const { target, device } = await field();
    const lies = [
      { userHandle: randomText(64) },
      { userHandle: null },
      { signature: (bytes: Uint8Array) => bytes.slice().fill(7, 9) },
      { clientData: { origin: "https://evil.test" } },
    ];
    const answers: object[] = [];
    for (const lie of lies) {
      const jar = new Jar(target);
      const { status, text, headers } = await passwordless(jar, device, lie);
      answers.push({ status, text, headers: Object.keys(headers).sort() });
      await expectDenied(jar);
    }
    expect(answers[0]).toMatchObject({ status: 401, text: "Unauthorized" });
    expect(answers).toEqual(lies.map(() => answers[0]));
  });

  test("also when asked so often that a limit is reached", async () => {
    const statuses = async (lie: Tampering): Promise<number[]> => {
      const target = passwordlessApp({ options: { limits: { address: { limit: 3, window: "15m" } } } });
      const { device } = await holder(target, "alice");
      const jars = Array.from({ length: 5 }, () => new Jar(target));
      const credentials = await Promise.all(jars.map((jar) => discoverable(jar, device, lie)));
      const told: number[] = [];
      for (const [index, jar] of jars.entries()) {
        told.push((await jar.post("/login/passkey", { credential: credentials[index] })).status);
      }
      return told;
    };
    const unknown = await statuses({ userHandle: randomText(64) });
    expect(unknown).toEqual([401, 401, 401, 429, 429]);
    expect(await statuses({ signature: (bytes) => bytes.slice().fill(7, 9) })).toEqual(unknown);
  });

  test("the challenge of another browser", async () => {
    const { target, device } = await field();
    const [here, there] = [new Jar(target), new Jar(target)];
    await requestOptions(here);
    const credential = await discoverable(there, device);
    expect((await here.post("/login/passkey", { credential })).status).toBe(401);
    expect((await there.post("/login/passkey", { credential })).status).toBe(401);
    await expectDenied(here);
  });

  test("the challenge of a login that gave the password, and the other way round", async () => {
    const { target, device } = await field();
    const jar = new Jar(target);
    const free = device.get(await requestOptions(jar));
    await jar.login("alice");
    expect((await jar.post("/2fa/passkey", { credential: free })).status).toBe(401);
    const bound = device.get(await requestOptions(jar));
    await jar.post("/logout");
    await requestOptions(jar);
    expect((await jar.post("/login/passkey", { credential: bound })).status).toBe(401);
    await expectDenied(jar);
  });

  test("an answer seen before, in this browser and in another", async () => {
    const { target, device } = await field();
    const jar = new Jar(target);
    const credential = await discoverable(jar, device);
    expect((await jar.post("/login/passkey", { credential })).status).toBe(200);
    await jar.post("/logout");
    const other = new Jar(target);
    await requestOptions(other);
    for (const each of [jar, other]) {
      expect((await each.post("/login/passkey", { credential })).status).toBe(401);
      await expectDenied(each);
    }
  });

  test("an answer after five minutes", async () => {
    const { target, device } = await field();
    const jar = new Jar(target);
    const credential = await discoverable(jar, device);
    target.clock.advance(5 * MINUTE);
    expect((await jar.post("/login/passkey", { credential })).status).toBe(401);
    await expectDenied(jar);
  });

  test.each([
    ["Sec-Fetch-Site", "cross-site"],
    ["Sec-Fetch-Site", "same-site"],
    ["Origin", "https://evil.test"],
    ["Origin", "null"],
  ])("a post from another site (%s: %s)", async (name, value) => {
    const { target, device } = await field();
    const jar = new Jar(target);
    const credential = await discoverable(jar, device);
    expect((await jar.post("/login/passkey", { credential }).set(name, value)).status).toBe(401);
    await expectDenied(jar);
    const own = await jar
      .post("/login/passkey", { credential: await discoverable(jar, device) })
      .set("Origin", "http://localhost:3000");
    expect(own.status).toBe(200);
  });

  test.each([{}, { credential: null }, { credential: [] }, { credential: "{" }, { code: "123456" }])(
    "a body of another shape: %j",
    async (body) => {
      const { target } = await field();
      const jar = new Jar(target);
      await requestOptions(jar);
      expect((await jar.post("/login/passkey", body)).status).toBe(401);
    },
  );

  test("another user's handle with one's own key, and one's own handle with another's id", async () => {
    const { target, device } = await field();
    const mallory = await holder(target, "mallory");
    const { id, userHandle } = device.passkeys[0]!;
    for (const lie of [{ userHandle }, { id }, { id, userHandle }]) {
      const jar = new Jar(target);
      expect((await passwordless(jar, mallory.device, lie)).status).toBe(401);
      await expectDenied(jar);
    }
  });

  test("a user the application no longer knows", async () => {
    let gone = false;
    const load = async (id: string) => (gone ? undefined : USERS.find((user) => user.id === id));
    const target = passwordlessApp({ options: { user: { load }, exempt: ["/login", "/login/passkey"] } });
    const { device } = await holder(target, "alice");
    gone = true;
    expect((await passwordless(new Jar(target), device)).status).toBe(401);
    gone = false;
    expect((await passwordless(new Jar(target), device)).status).toBe(200);
  });

  test.each(["removed", "erased"])("a passkey that was %s", async (how) => {
    const { target, device, factorId } = await field();
    if (how === "removed") await target.mfa.accounts.removeFactor("u1", factorId);
    else await target.mfa.accounts.erase("u1");
    const jar = new Jar(target);
    expect((await passwordless(jar, device)).status).toBe(401);
    await expectDenied(jar);
  });
});

test("thirty copies of one answer over two servers: one is a login", async () => {
  const load = async (id: string) => USERS.find((user) => user.id === id);
  const exempt = ["/login", "/logout", "/login/passkey"];
  const servers = twoServers({
    options: { limits: NO_LIMITS, user: { load }, exempt },
    routes(app, mfa, authenticator) {
      authenticator.use(mfa.strategy("passkey"));
      app.post("/login/passkey", authenticator.authenticate("passkey"), (req, res) => {
        res.json({ user: req.user });
      });
    },
  });
  const { device } = await holder(servers[0], "alice");
  const first = new Jar(servers[0]);
  const credential = await discoverable(first, device);
  const jars = Array.from({ length: 30 }, (_none, index) => {
    const jar = new Jar(servers[index % 2]!);
    putCookie(jar, "2fa-browser", cookies(first)["2fa-browser"]!);
    return jar;
  });
  const answers = await Promise.all(jars.map((jar) => jar.post("/login/passkey", { credential })));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(29);
});

test("as a first strategy it needs user.load: without it no challenge is given, and the strategy says so", async () => {
  const target = testApp({
    options: { user: {} },
    routes(app, mfa, authenticator) {
      authenticator.use(mfa.strategy("passkey"));
      app.post("/login/passkey", authenticator.authenticate("passkey"));
    },
  });
  await holder(target, "alice");
  const jar = new Jar(target);
  expect((await jar.post("/2fa/passkey/options")).body.code).toBe("login-required");
  const answer = await jar.post("/login/passkey", {});
  expect([answer.status, answer.body.message]).toEqual([500, expect.stringContaining("user.load")]);
});

test("as a second strategy it finishes the login that is pending", async () => {
  const { target, device } = await field();
  const jar = new Jar(target);
  await jar.login("alice");
  const credential = device.get(await requestOptions(jar));
  const answer = await jar.post("/login/passkey", { credential });
  expect([answer.status, answer.body.status, await jar.isIn()]).toEqual([200, "verified", true]);
});

test("a step-up after a login without password takes the passkey again", async () => {
  const { target, device } = await field();
  const jar = new Jar(target);
  await passwordless(jar, device);
  expect((await answerWith(jar, device)).status).toBe(200);
});
