import { describe, expect, test } from "@jest/globals";
import session from "express-session";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { type Enrolled, Jar } from "../support/browser.js";
import { deviceCookie, STEP } from "../support/attack.js";
import { recordingStore } from "../support/recording-store.js";
import { found, spellings } from "../support/routes.js";
import { authenticatorApp } from "express-second-factor/testing";

/** A session store that remembers every row ever written to it. */
class RecordingSessions extends session.MemoryStore {
  readonly written: string[] = [];

  override set(sid: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    this.written.push(`${sid} ${JSON.stringify(data)}`);
    super.set(sid, data, callback);
  }
}

function encodings(text: string): string[] {
  const bytes = Buffer.from(text);
  return [text, bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url")];
}

interface Rows {
  readonly target: TestApp;
  readonly sessions: RecordingSessions;
  readonly store: ReturnType<typeof recordingStore>;
  readonly needles: readonly string[];
}

/** Everything a user does, with everything that must not be left behind by it. */
async function lifetime(): Promise<Rows> {
  const [store, sessions] = [recordingStore(), new RecordingSessions()];
  const target = testApp({
    store,
    sessionStore: sessions,
    options: { verifyPassword: async (user, password) => password === passwordOf(user.name) },
  });
  const { clock } = target;
  const codes: string[] = [];
  const jar = new Jar(target);
  await jar.login("alice");
  const begun = await jar.post("/2fa/totp/enroll", { password: passwordOf("alice") });
  const phone = authenticatorApp(begun.body.uri);
  const code = (): string => {
    const now = phone.code(clock());
    codes.push(now);
    clock.advance(STEP);
    return now;
  };
  const done = await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code: code() });
  const factor: Enrolled = { phone, factorId: begun.body.factorId, backupCodes: done.body.backupCodes };
  await jar.post("/logout");
  await jar.page("/account");
  await jar.login("alice");
  await jar.post("/2fa/totp", { code: "000000" });
  expect((await jar.verify(code(), { trustDevice: true })).status).toBe(200);
  const tokens = [deviceCookie(jar)[1]];
  await jar.post("/logout");
  await jar.login("alice");
  tokens.push(deviceCookie(jar)[1]);
  expect((await jar.verify(code())).status).toBe(200);
  const minted = await jar.post("/2fa/backup-codes");
  await jar.post("/logout");
  const paper = new Jar(target);
  await paper.login("alice");
  expect((await paper.post("/2fa/backup-code", { code: minted.body.backupCodes[0] })).status).toBe(200);
  const imported = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ";
  await target.mfa.accounts.importTotp("u2", { secret: imported });

  const secrets = tokens.flatMap((token) => [token, token.split(".")[1]!]);
  const given = [passwordOf("alice"), imported, ...minted.body.backupCodes, ...secrets] as string[];
  // Six digits occur by chance in times and digests; as a value of their own they do not.
  const typed = codes.map((each) => `"${each}"`);
  return { target, sessions, store, needles: [...spellings(factor), ...given.flatMap(encodings), ...typed] };
}

describe("B36 secrets left in the stores", () => {
  test("B36 no row of the account store ever held a password, a secret, a code or a token", async () => {
    const { store, needles } = await lifetime();
    expect(store.written.length).toBeGreaterThan(10);
    expect(needles.length).toBeGreaterThan(150);
    expect(found(store.written.join("\n"), needles)).toEqual([]);
  });

  test("B36 no session row ever held one", async () => {
    const { sessions, needles } = await lifetime();
    expect(sessions.written.length).toBeGreaterThan(10);
    expect(found(sessions.written.join("\n"), [...needles, "secret", "digest", "otpauth"])).toEqual([]);
    expect(sessions.written.join("\n")).toContain('"secondFactor"');
  });

  test("B36 a session row says nothing of the user but the id the application put there", async () => {
    const { sessions } = await lifetime();
    expect(found(sessions.written.join("\n"), ["alice", "acme.test", "127.0.0.1", "Authenticator"])).toEqual([]);
  });

  test("B36 equal secrets and equal codes of two people look different at rest", async () => {
    const store = recordingStore();
    const target = testApp({ store });
    const secret = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ";
    await target.mfa.accounts.importTotp("u1", { secret });
    await target.mfa.accounts.importTotp("u2", { secret });
    const sealed = await Promise.all(
      ["u1", "u2"].map(async (id) => {
        const entry = await store.read(`account:${id}`);
        return (JSON.parse(entry!.value) as { factors: { state: { secret: string } }[] }).factors[0]!.state.secret;
      }),
    );
    expect(sealed[0]).not.toBe(sealed[1]);
    expect(sealed.join()).not.toContain(secret);
  });

  test("B36 a sealed secret moved to another user's row does not open there", async () => {
    const store = recordingStore();
    const target = testApp({ store });
    const secret = "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ";
    await target.mfa.accounts.importTotp("u2", { secret });
    const stolen = await store.read("account:u2");
    await store.write("account:u1", stolen!.value.replaceAll('"u2"', '"u1"'), { expect: null });
    const jar = new Jar(target);
    await jar.login("alice");
    const phone = authenticatorApp(`otpauth://totp/Acme:alice?secret=${secret}&issuer=Acme`);
    const answer = await jar.verify(phone.code(target.clock()));
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    expect((await jar.get("/account")).text).not.toContain("canary");
  });
});
