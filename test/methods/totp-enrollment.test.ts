import { describe, expect, test } from "@jest/globals";
import { type KeyProvider, memoryStore } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { MINUTE, STEP } from "../support/attack.js";
import { testApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyKeys } from "../support/faults.js";
import { interruptible } from "../support/interruptible.js";
import { base32 } from "../support/routes.js";

async function loggedIn(target = testApp()): Promise<Jar> {
  const jar = new Jar(target);
  await jar.login("alice");
  return jar;
}

interface Begun {
  readonly factorId: string;
  readonly secret: string;
  readonly uri: string;
  readonly qr: string;
}

async function begin(jar: Jar, label?: string): Promise<Begun> {
  const answer = await jar.post("/2fa/totp/enroll", label === undefined ? {} : { label });
  expect(answer.status).toBe(201);
  return answer.body as Begun;
}

function confirm(jar: Jar, { factorId, uri }: Begun, offset = 0) {
  const code = authenticatorApp(uri).code(jar.target.clock() + offset);
  return jar.post("/2fa/totp/enroll/confirm", { factorId, code });
}

describe("asking for QR codes without end", () => {
  test("is stopped after sixty in fifteen minutes, in whatever session, and nothing else is by it", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(15 * MINUTE);
    const jars = [await full(target, "alice", phone), await full(target, "alice", phone)];
    for (let asked = 0; asked < 60; asked += 1) await begin(jars[asked % 2]!);
    const answer = await jars[0]!.post("/2fa/totp/enroll");
    expect([answer.status, answer.body.code]).toEqual([429, "too-many-attempts"]);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(800);
    expect((await jars[0]!.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await jars[0]!.post("/2fa/passkey/enroll/options")).status).toBe(200);
    target.clock.advance(15 * MINUTE);
    await begin(await full(target, "alice", phone));
  });

  test("costs one drawing, however often what it began must be written anew", async () => {
    const [store, vault] = [interruptible(memoryStore()), faultyKeys()];
    let secrets = 0;
    const keys: KeyProvider = {
      ...vault,
      encrypt(plaintext, context) {
        if (context.purpose === "totp-secret") secrets += 1;
        return vault.encrypt(plaintext, context);
      },
    };
    const jar = await loggedIn(testApp({ store, options: { keys } }));
    let lost = 0;
    const loseNext = (): void =>
      store.once("before write", async () => {
        lost += 1;
        await jar.target.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
        if (lost < 3) loseNext();
      });
    loseNext();
    const begun = await begin(jar);
    expect([lost, secrets]).toEqual([3, 1]);
    expect((await confirm(jar, begun)).status).toBe(201);
  });
});

describe("setting an authenticator up", () => {
  test("begins with a secret of 20 bytes, its URI and its QR code, and nothing else", async () => {
    const begun = await begin(await loggedIn());
    expect(Object.keys(begun).sort()).toEqual(["factorId", "qr", "secret", "uri"]);
    expect(begun.secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(base32(begun.secret)).toHaveLength(20);
    expect(authenticatorApp(begun.uri).secret).toBe(begun.secret);
  });

  test("is done with a right code: the factor, and ten backup codes with the first one", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar, "Phone");
    const answer = await confirm(jar, begun);
    expect(answer.status).toBe(201);
    const now = new Date(jar.target.clock()).toISOString();
    expect(answer.body).toEqual({
      factor: { id: begun.factorId, type: "totp", label: "Phone", createdAt: now, lastUsedAt: now },
      backupCodes: expect.any(Array),
    });
    expect(answer.body.backupCodes).toHaveLength(10);
    expect((await jar.get("/")).body.status).toBe("verified");
  });

  test("opens no login with what is not proved yet, and asks no login for it", async () => {
    const jar = await loggedIn();
    const { uri } = await begin(jar);
    const other = await loggedIn(jar.target);
    expect(await other.isIn()).toBe(true);
    expect((await other.get("/")).body.status).toBe("not-enrolled");
    const proof = await other.verify(authenticatorApp(uri).code(jar.target.clock()));
    expect([proof.status, proof.body.code]).toEqual([401, "invalid-code"]);
    expect((await other.get("/2fa/settings")).body.factors).toEqual([]);
    expect(await jar.target.mfa.accounts.status("u1")).toMatchObject({ enrolled: false, methods: [] });
  });

  test("a further authenticator that is not proved opens nothing beside the active one", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const { uri } = await begin(jar);
    const waiting = await pending(target, "alice");
    expect((await waiting.verify(authenticatorApp(uri).code(target.clock()))).status).toBe(401);
    expect((await waiting.verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("refuses a wrong code as invalid-code, and takes the right one afterwards", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    const wrong = await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code: "000000" });
    expect([wrong.status, wrong.body.code]).toEqual([401, "invalid-code"]);
    expect((await confirm(jar, begun)).status).toBe(201);
  });

  test.each([
    ["one millisecond before ten minutes are over, is taken", 10 * MINUTE - 1, 201, undefined],
    ["after ten minutes, is over", 10 * MINUTE, 410, "expired"],
  ])("a proof %s", async (_name, wait, status, code) => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    jar.target.clock.advance(wait);
    const answer = await confirm(jar, begun);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test("begun anew after it was cancelled, only the latest secret can be proved", async () => {
    const jar = await loggedIn();
    const first = await begin(jar);
    await jar.post("/2fa/totp/enroll/cancel");
    const second = await begin(jar);
    expect(second.secret).not.toBe(first.secret);
    expect((await confirm(jar, first)).status).toBe(404);
    const crossed = await jar.post("/2fa/totp/enroll/confirm", {
      factorId: second.factorId,
      code: authenticatorApp(first.uri).code(jar.target.clock()),
    });
    expect(crossed.status).toBe(401);
    expect((await confirm(jar, second)).status).toBe(201);
  });

  test("proved twice, it is one factor", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    expect((await confirm(jar, begun)).status).toBe(201);
    jar.target.clock.advance(STEP);
    expect((await confirm(jar, begun)).status).toBe(404);
    expect((await jar.get("/2fa/settings")).body.factors).toHaveLength(1);
  });

  test("belongs to the login that began it", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    const other = await loggedIn(jar.target);
    expect((await confirm(other, begun)).status).toBe(404);
    expect((await confirm(jar, begun)).status).toBe(201);
  });

  test("gives another user nothing to prove", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    const mallory = new Jar(jar.target);
    await mallory.login("mallory");
    expect((await confirm(mallory, begun)).status).toBe(404);
  });

  test("uses the code of its proof up", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    await confirm(jar, begun);
    const other = await pending(jar.target, "alice");
    expect((await other.verify(authenticatorApp(begun.uri).code(jar.target.clock()))).status).toBe(401);
  });

  test("gives each of several authenticators a name of its own, and each opens the account", async () => {
    const target = testApp();
    const first = await enrolled(target, "alice");
    const jar = await full(target, "alice", first.phone);
    const second = await jar.enroll();
    expect(second.backupCodes).toEqual([]);
    const named = await begin(jar, "Watch\u0000\u202E");
    await confirm(jar, named);
    const labels = (await jar.get("/2fa/settings")).body.factors.map(({ label }: { label: string }) => label);
    expect(labels).toEqual(["Authenticator app", "Authenticator app 2", "Watch"]);
    for (const phone of [first.phone, second.phone, authenticatorApp(named.uri)]) {
      target.clock.advance(STEP);
      const login = await pending(target, "alice");
      expect((await login.verify(phone.code(target.clock()))).status).toBe(200);
    }
  });

  test("leaves the active factor and its codes as they are until it is proved", async () => {
    const target = testApp();
    const { phone, backupCodes } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await begin(jar);
    expect((await jar.get("/2fa/settings")).body).toMatchObject({ backupCodes: { remaining: 10 }, factors: [{}] });
    const other = await pending(target, "alice");
    expect((await other.post("/2fa/backup-code", { code: backupCodes[0]! })).status).toBe(200);
  });

  test("ends every other login of the account", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const [jar, other] = [await full(target, "alice", phone), await full(target, "alice", phone)];
    await jar.enroll();
    expect([await jar.isIn(), await other.isIn()]).toEqual([true, false]);
  });

  test("makes another secret each time: fifty of them are all different", async () => {
    const jar = await loggedIn();
    const secrets = new Set<string>();
    for (let count = 0; count < 50; count += 1) {
      secrets.add((await begin(jar)).secret);
      await jar.post("/2fa/totp/enroll/cancel");
    }
    expect(secrets.size).toBe(50);
    expect([...secrets].every((secret) => base32(secret).length === 20)).toBe(true);
  });

  test("shows the secret in the answer that makes it and in no other", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    const later = [
      await confirm(jar, begun),
      await jar.get("/2fa/settings"),
      await jar.get("/2fa"),
      await jar.page("/2fa/settings"),
    ];
    for (const { text } of later) expect(text).not.toContain(begun.secret);
  });
});

describe("a phone whose clock is off", () => {
  test.each([
    [5, "ahead"],
    [-5, "behind"],
    [90, "ahead"],
    [-90, "behind"],
  ])("%i min: the enrollment says by how much it is %s", async (minutes) => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    const answer = await confirm(jar, begun, minutes * MINUTE);
    expect([answer.status, answer.body]).toEqual([
      401,
      expect.objectContaining({ code: "invalid-code", clockOffMinutes: minutes }),
    ]);
    expect((await jar.get("/2fa/settings")).body.factors).toEqual([]);
  });

  test("a code that is right at no time of these hours says nothing of clocks", async () => {
    const jar = await loggedIn();
    const begun = await begin(jar);
    const answer = await confirm(jar, begun, 5 * 60 * MINUTE);
    expect(answer.status).toBe(401);
    expect(answer.body).not.toHaveProperty("clockOffMinutes");
  });

  test("is never spoken of at a login", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const answer = await jar.verify(phone.code(target.clock() + 5 * MINUTE));
    expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    expect(answer.text).not.toContain("clock");
    const page = await jar.form("/2fa/totp", { code: phone.code(target.clock() + 6 * MINUTE) });
    expect(page.status).toBe(401);
    expect(page.text).not.toMatch(/clock/i);
  });
});
