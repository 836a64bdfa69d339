import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import {
  countIn,
  distantStore,
  expectDenied,
  MINUTE,
  MODES,
  NO_LIMITS,
  passworded,
  send,
  told,
  cookies,
  putCookie,
  SESSION_COOKIE,
  storedAccount,
  twoServers,
} from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { answerWith, expectRefused, holder, requestOptions } from "../passkeys/stage.js";

const WIDTH = 30;

async function recorded() {
  const target = testApp();
  const { device } = await holder(target, "alice");
  const jar = await passworded(target, "JSON", "alice");
  const credential = device.get(await requestOptions(jar));
  return { target, device, jar, credential };
}

describe("B38 a good assertion, recorded", () => {
  test.each(MODES)("posted again in the same jar (%s)", async (mode) => {
    const { jar, credential, target } = await recorded();
    const body = { credential: JSON.stringify(credential) };
    const first = await send(jar, mode, "/2fa/passkey", body);
    expect([first.status, await jar.isIn()]).toEqual([mode === "JSON" ? 200 : 303, true]);
    expect((await send(jar, mode, "/2fa/passkey", body)).status).toBe(401);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await send(jar, mode, "/2fa/passkey", body)).status).toBe(401);
    await expectDenied(jar);
    expect(told("factor-verified", target)).toBe(1);
  });

  test("posted in a new pending jar, before and after its own use", async () => {
    const { jar, credential, target } = await recorded();
    const other = await passworded(target, "JSON", "alice");
    expectRefused(await other.post("/2fa/passkey", { credential }));
    await expectDenied(other);
    expectRefused(await jar.post("/2fa/passkey", { credential }));
    await expectDenied(jar);
  });

  test("posted after a failed try with its challenge", async () => {
    const { jar, credential, device } = await recorded();
    const signature = "AAAA";
    const broken = { ...credential, response: { ...credential.response, signature } };
    expectRefused(await jar.post("/2fa/passkey", { credential: broken }));
    expectRefused(await jar.post("/2fa/passkey", { credential }));
    await expectDenied(jar);
    expect((await answerWith(jar, device)).status).toBe(200);
  });

  test("posted after five minutes", async () => {
    const { jar, credential, target } = await recorded();
    target.clock.advance(5 * MINUTE);
    expectRefused(await jar.post("/2fa/passkey", { credential }));
    await expectDenied(jar);
  });

  test("posted with a challenge the client chose, wherever it is written", async () => {
    const { jar, device, target } = await recorded();
    const options = await requestOptions(jar);
    const chosen = Buffer.alloc(32, 7).toString("base64url");
    const credential = device.get({ ...options, challenge: chosen });
    const more = { challenge: chosen, expectedChallenge: chosen, options: { challenge: chosen } };
    expectRefused(await jar.post("/2fa/passkey", { credential, ...more }));
    expectRefused(await jar.post("/2fa/passkey", { credential: { ...credential, ...more } }));
    expectRefused(await jar.post(`/2fa/passkey?challenge=${chosen}`, { credential }));
    await expectDenied(jar);
    const asked = await jar.post("/2fa/passkey/options", { challenge: chosen });
    expect(asked.body.challenge).not.toBe(chosen);
    expect(told("factor-verified", target)).toBe(0);
  });

  test("is not in the session, where a client that can write sessions could choose it", async () => {
    const { jar, target } = await recorded();
    const { challenge } = await requestOptions(jar);
    const sessions = JSON.stringify((target.sessionStore as unknown as { sessions: object }).sessions);
    expect(sessions).not.toContain(challenge);
  });

  test("a thousand challenges are 32 bytes each at least, and all different", async () => {
    const { jar } = await recorded();
    const challenges = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      const all = await Promise.all(Array.from({ length: 100 }, () => requestOptions(jar)));
      for (const { challenge } of all) challenges.add(challenge);
    }
    expect(challenges.size).toBe(1000);
    expect([...challenges].every((text) => Buffer.from(text, "base64url").length >= 32)).toBe(true);
  });
});

describe("B13 thirty simultaneous uses of one assertion, half at each of two servers", () => {
  test("in copies of the login it was made for: one rises", async () => {
    const { store } = distantStore();
    const servers = twoServers({ store, options: { limits: NO_LIMITS } });
    const { device } = await holder(servers[0], "alice");
    const jar = await passworded(servers[0], "JSON", "alice");
    const credential = device.get(await requestOptions(jar));
    const jars = Array.from({ length: WIDTH }, (_none, index) => {
      const copy = new Jar(servers[index % 2]!);
      putCookie(copy, SESSION_COOKIE, cookies(jar)[SESSION_COOKIE]!);
      return copy;
    });
    const answers = await Promise.all(jars.map((each) => each.post("/2fa/passkey", { credential })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.every(({ status }) => status < 500)).toBe(true);
    expect(await countIn(jars)).toBe(1);
    expect(told("factor-verified", ...servers)).toBe(1);
    const { logins } = JSON.parse((await storedAccount(servers[0], "alice"))!) as { logins: object[] };
    expect(logins).toHaveLength(2);
  });

  test("in thirty logins: none but the one it was made for", async () => {
    const servers = twoServers({ options: { limits: NO_LIMITS } });
    const { device } = await holder(servers[0], "alice");
    const jars = await Promise.all(
      Array.from({ length: WIDTH }, (_none, index) => passworded(servers[index % 2]!, "JSON", "alice")),
    );
    const credential = device.get(await requestOptions(jars[7]!));
    const answers = await Promise.all(jars.map((each) => each.post("/2fa/passkey", { credential })));
    const opened = answers.filter(({ status }) => status === 200).length;
    expect(opened).toBeLessThanOrEqual(1);
    expect(await countIn(jars)).toBe(opened);
  });
});
