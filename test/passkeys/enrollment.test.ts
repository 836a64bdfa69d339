import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import { ORIGIN, testApp, userNamed } from "../support/app.js";
import { expectDenied, HOUR, MINUTE, passworded, storedAccount, trusted } from "../support/attack.js";
import { enrolled, full } from "../support/browser.js";
import { faultyKeys, faultyStore, REJECTS } from "../support/faults.js";
import { actions } from "../support/observe.js";
import { NOBODYS_ID } from "../support/routes.js";
import { randomText } from "./lies.js";
import { answerWith, creationOptions, enrollWith, holder, passkeyApp, passwordGiven, storedPasskeys } from "./stage.js";
import { codesOn, submit } from "../support/pages.js";

const GOOGLE = "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4";

describe("what a browser is asked to make", () => {
  test("is what the configuration says", async () => {
    const jar = await passwordGiven(testApp(), "alice");
    const options = await creationOptions(jar);
    expect(options).toMatchObject({
      rp: { id: "localhost", name: "Acme" },
      user: { name: "alice@acme.test", displayName: "alice@acme.test" },
      timeout: 300_000,
      attestation: "none",
      excludeCredentials: [],
      authenticatorSelection: { userVerification: "preferred", residentKey: "preferred" },
    });
    expect(options.pubKeyCredParams).toEqual([-8, -7, -257].map((alg) => ({ alg, type: "public-key" })));
    expect(Buffer.from(options.challenge, "base64url").length).toBeGreaterThanOrEqual(32);
  });

  test("follows the options of passkeys()", async () => {
    const given = { rpId: "example.test", residentKey: "required", userVerification: "required" } as const;
    const target = passkeyApp(given, { options: { origin: "https://app.example.test" } });
    const options = await creationOptions(await passwordGiven(target, "alice"));
    expect(options.rp.id).toBe("example.test");
    expect(options.authenticatorSelection).toMatchObject({ residentKey: "required", userVerification: "required" });
  });

  test("the strict preset asks for user verification", async () => {
    const options = await creationOptions(await passwordGiven(testApp({ options: { preset: "strict" } }), "alice"));
    expect(options.authenticatorSelection?.userVerification).toBe("required");
  });

  test("does not depend on any header", async () => {
    const jar = await passwordGiven(testApp({ options: { origin: [ORIGIN, "https://acme.example"] } }), "alice");
    for (const headers of [
      { Host: "acme.example" },
      { Host: "evil.test", "X-Forwarded-Host": "evil.test", "X-Forwarded-Proto": "https" },
      { Origin: "https://acme.example" },
    ]) {
      const { body } = await jar.post("/2fa/passkey/enroll/options").set(headers);
      expect(body.rp.id).toBe("localhost");
    }
  });

  test("the user handle is 64 random bytes, the same for a user each time, and no two users'", async () => {
    const target = testApp();
    const handles: string[] = [];
    for (const name of ["alice", "alice", "mallory"]) {
      handles.push((await creationOptions(await passwordGiven(target, name))).user.id);
    }
    const { device, jar } = await holder(target, "alice");
    handles.push((await creationOptions(jar)).user.id, device.passkeys[0]!.userHandle);
    expect(handles.map((handle) => Buffer.from(handle, "base64url").length)).toEqual([64, 64, 64, 64, 64]);
    expect([handles[1], handles[3], handles[4]]).toEqual([handles[0], handles[0], handles[0]]);
    expect(handles[2]).not.toBe(handles[0]);
    const { id, name, email } = userNamed("alice");
    const bytes = Buffer.from(handles[0]!, "base64url").toString("latin1");
    for (const personal of [name, email, `"${id}"`]) expect(bytes).not.toContain(personal);
  });

  test("each user's handle is another in another application", async () => {
    const handles = [];
    for (let times = 0; times < 2; times += 1) {
      handles.push((await creationOptions(await passwordGiven(testApp(), "alice"))).user.id);
    }
    expect(handles[0]).not.toBe(handles[1]);
  });
});

describe("several passkeys of one user", () => {
  test("are each excluded from the next, with their transports, and each opens", async () => {
    const target = testApp();
    const { device, jar } = await holder(target, "alice");
    const devices = [
      device,
      softwareAuthenticator({ algorithm: "EdDSA" }),
      softwareAuthenticator({ algorithm: "RS256" }),
    ];
    for (const each of devices.slice(1)) expect((await enrollWith(jar, each)).status).toBe(201);
    const ids = devices.map((each) => each.passkeys[0]!.id);
    const { excludeCredentials } = await creationOptions(jar);
    expect(excludeCredentials).toEqual(ids.map((id) => ({ id, type: "public-key", transports: ["internal"] })));
    for (const each of devices) {
      const login = await passwordGiven(target, "alice");
      expect((await answerWith(login, each)).status).toBe(200);
    }
  });

  test("one authenticator makes no second", async () => {
    const { device, jar } = await holder(testApp(), "alice");
    await expect(enrollWith(jar, device)).rejects.toThrow("InvalidStateError");
  });

  test("are named after their maker, numbered, or as their owner says", async () => {
    const names = { "11111111-2222-3333-4444-555555555555": "Acme Key" };
    const target = passkeyApp({ names });
    const { jar } = await holder(target, "alice", { aaguid: GOOGLE });
    await enrollWith(jar, softwareAuthenticator({ aaguid: GOOGLE }));
    await enrollWith(jar, softwareAuthenticator({ aaguid: Object.keys(names)[0]! }));
    await enrollWith(jar, softwareAuthenticator({ aaguid: "99999999-2222-3333-4444-555555555555" }));
    const credential = softwareAuthenticator().create(await creationOptions(jar));
    await jar.post("/2fa/passkey/enroll", { credential, label: "My\u0000key" });
    const labels = (await storedPasskeys(target, "alice")).map(({ label }) => label);
    const google = "Google Password Manager";
    expect(labels).toEqual([google, `${google} 2`, "Acme Key", "Passkey", "My key"]);
  });

  test("there is an end to them", async () => {
    const target = testApp();
    const { jar } = await holder(target, "alice");
    const statuses: number[] = [];
    for (let count = 0; count < 40 && !statuses.includes(409); count += 1) {
      const asked = await jar.post("/2fa/passkey/enroll/options");
      statuses.push(asked.status);
      if (asked.status !== 200) break;
      await jar.post("/2fa/passkey/enroll", { credential: softwareAuthenticator().create(asked.body) });
    }
    expect(statuses.at(-1)).toBe(409);
  });
});

describe("the first factor", () => {
  test("brings ten backup codes, the second none", async () => {
    const target = testApp();
    const { backupCodes, jar } = await holder(target, "alice");
    expect(new Set(backupCodes).size).toBe(10);
    expect((await enrollWith(jar, softwareAuthenticator())).body.backupCodes).toBeUndefined();
    const login = await passwordGiven(target, "alice");
    expect((await login.post("/2fa/backup-code", { code: backupCodes[3] })).status).toBe(200);
  });

  test("ends every other login and every trusted browser", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const other = await trusted(target, "alice", phone);
    const jar = await full(target, "alice", phone);
    actions(target);
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
    expect(actions(target)).toEqual(["factor-enrolled"]);
    expect([await jar.isIn(), await other.isIn()]).toEqual([true, false]);
    await other.login("alice");
    await expectDenied(other);
  });

  test("holds no secret: what is stored of it is the public key", async () => {
    const target = testApp();
    const { device } = await holder(target, "alice");
    const { state } = (
      JSON.parse((await storedAccount(target, "alice"))!) as { factors: { type: string; state: object }[] }
    ).factors.find(({ type }) => type === "passkey")!;
    expect(state).toMatchObject({ credentialId: device.passkeys[0]!.id, counter: 0, backupEligible: true });
  });
});

describe("who may not", () => {
  test("a pending login, a stale one, nobody", async () => {
    const target = testApp();
    const { jar } = await holder(target, "alice");
    const waiting = await passworded(target, "JSON", "alice");
    expect((await waiting.post("/2fa/passkey/enroll/options")).body.code).toBe("second-factor-required");
    const options = await creationOptions(jar);
    target.clock.advance(HOUR);
    for (const path of ["/2fa/passkey/enroll/options", "/2fa/passkey/enroll"]) {
      const body = { credential: softwareAuthenticator().create(options) };
      expect((await jar.post(path, body)).body.code).toBe("step-up-required");
    }
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });

  test("a login whose proof went stale between options and answer", async () => {
    const target = testApp();
    const { jar } = await holder(target, "alice");
    target.clock.advance(13 * MINUTE);
    const options = await creationOptions(jar);
    target.clock.advance(3 * MINUTE);
    const answer = await jar.post("/2fa/passkey/enroll", { credential: softwareAuthenticator().create(options) });
    expect(answer.body.code).toBe("step-up-required");
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });
});

describe("an owner", () => {
  test("renames and removes; unknown ids are not found", async () => {
    const target = testApp();
    const { factorId, jar } = await holder(target, "alice");
    const renamed = await jar.post(`/2fa/factors/${factorId}/rename`, { label: "Work laptop" });
    expect([renamed.status, renamed.body.factor]).toMatchObject([
      200,
      { id: factorId, label: "Work laptop", hint: "synced" },
    ]);
    for (const verb of ["rename", "remove"]) {
      expect((await jar.post(`/2fa/factors/${NOBODYS_ID}/${verb}`, { label: "x" })).status).toBe(404);
    }
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).status).toBe(204);
    expect((await target.mfa.accounts.status("u1")).enrolled).toBe(false);
  });

  test.each(["remove", "disable", "reset", "erase", "removeFactor"])(
    "has the credential id free again after %s",
    async (how) => {
      const target = testApp();
      const { factorId, jar } = await holder(target, "alice");
      const id = randomText(32);
      const made = await enrollWith(jar, softwareAuthenticator(), { id, attestedId: id });
      const ids = [factorId, made.body.factor.id as string];
      const { accounts } = target.mfa;
      if (how === "remove") for (const each of ids) await jar.post(`/2fa/factors/${each}/remove`);
      else if (how === "disable") await jar.post("/2fa/disable");
      else if (how === "removeFactor") for (const each of ids) await accounts.removeFactor("u1", each);
      else if (how === "reset") await accounts.reset("u1");
      else await accounts.erase("u1");
      expect(await storedPasskeys(target, "alice")).toEqual([]);
      const again = await passwordGiven(target, "alice");
      expect((await enrollWith(again, softwareAuthenticator(), { id, attestedId: id })).status).toBe(201);
    },
  );

  test("another user's attempt at the id frees nothing of it", async () => {
    const target = testApp();
    const { device, jar } = await holder(target, "alice");
    const { id } = device.passkeys[0]!;
    const mallory = await holder(target, "mallory");
    await enrollWith(mallory.jar, softwareAuthenticator(), { id, attestedId: id });
    await mallory.jar.post("/2fa/disable");
    const carol = await passwordGiven(target, "carol");
    expect((await enrollWith(carol, softwareAuthenticator(), { id, attestedId: id })).status).toBe(409);
    expect(await jar.isIn()).toBe(true);
  });
});

describe("while the store or the keys fail", () => {
  test.each(["read", "write"] as const)("%s: 503, nothing enrolled, and possible again after", async (verb) => {
    const store = faultyStore();
    const target = testApp({
      store,
      options: { keys: `test:${Buffer.from(randomText(32), "base64url").toString("base64")}` },
    });
    const jar = await passwordGiven(target, "alice");
    const credential = softwareAuthenticator().create(await creationOptions(jar));
    store.fail(verb, REJECTS);
    const answer = await jar.post("/2fa/passkey/enroll", { credential });
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
    store.heal();
    expect(await storedPasskeys(target, "alice")).toEqual([]);
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
  });

  test("keys: 503, because there would be no backup codes", async () => {
    const keys = faultyKeys();
    const target = testApp({ options: { keys } });
    const jar = await passwordGiven(target, "alice");
    const credential = softwareAuthenticator().create(await creationOptions(jar));
    for (const verb of ["encrypt", "mac"] as const) keys.fail(verb, REJECTS);
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(503);
    keys.heal();
    expect(await storedPasskeys(target, "alice")).toEqual([]);
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
  });
});

test("a credential may come as JSON text in a form, as from a page without scripts of its own", async () => {
  const target = testApp();
  const jar = await passwordGiven(target, "alice");
  const credential = JSON.stringify(softwareAuthenticator().create(await creationOptions(jar)));
  const { page } = await submit(jar, "/2fa/passkey/enroll", { credential });
  expect(codesOn(page)).toHaveLength(10);
  expect(await storedPasskeys(target, "alice")).toHaveLength(1);
});
