import { describe, expect, test } from "@jest/globals";
import { backupCodes, memoryStore, passkeys, totp } from "express-second-factor";
import { movableClock, softwareAuthenticator } from "express-second-factor/testing";
import { storedAccount } from "../support/attack.js";
import { testApp, type TestAppOptions } from "../support/app.js";
import { Jar, pending } from "../support/browser.js";
import { answerWith, creationOptions, enrollWith, expectRefused, holder, requestOptions } from "./stage.js";

const LATER: readonly (readonly [string, TestAppOptions["options"]])[] = [
  ["passkeys({ userVerification })", { methods: [totp(), backupCodes(), passkeys({ userVerification: "required" })] }],
  ["the strict preset", { preset: "strict" }],
];

/** The application as it was, and as it is from now on, over one store. */
function stage(later: TestAppOptions["options"] = LATER[0]![1]) {
  const shared = { clock: movableClock(), store: memoryStore() };
  return { before: testApp(shared), after: testApp({ ...shared, options: { ...later } }) };
}

async function stateOf(target: ReturnType<typeof testApp>): Promise<object> {
  const { factors } = JSON.parse((await storedAccount(target, "alice"))!) as {
    factors: { type: string; state: object }[];
  };
  return factors.find(({ type }) => type === "passkey")!.state;
}

describe.each(LATER)("where %s makes user verification compulsory later", (_name, later) => {
  test("a passkey that never showed any is not asked for: what else there is, and the page says why", async () => {
    const { after, before } = stage(later);
    const { factorId, jar: inside } = await holder(before, "alice", { userVerification: false });
    const { phone } = await inside.enroll();
    const jar = await pending(after, "alice");
    const { body } = await jar.get("/2fa");
    expect(body.methods.map(({ type }: { type: string }) => type)).toEqual(["totp", "backup-code"]);
    expect(body.preferred).toBe("totp");
    expect(body.unusable).toEqual([{ id: factorId, type: "passkey", label: "Passkey", reason: "user-verification" }]);
    const { text } = await jar.page("/2fa");
    expect(text).toContain("None of your passkeys asks for a PIN, fingerprint or face");
    expect(text).not.toContain("method=passkey");
    const refused = await jar.post("/2fa/passkey/options");
    expect([refused.status, refused.body.reason]).toEqual([404, "user-verification"]);
    expect((await jar.verify(phone.code(after.clock()))).status).toBe(200);
    const settings = await jar.get("/2fa/settings");
    expect(settings.body.factors[0]).toMatchObject({ id: factorId, unusable: "user-verification" });
    expect((await jar.page("/2fa/settings")).text).toContain("a PIN, fingerprint or face is required now");
  });

  test("a passkey that showed it when it was made is asked for as ever", async () => {
    const { after, before } = stage(later);
    const { device } = await holder(before, "alice");
    const jar = await pending(after, "alice");
    expect((await jar.get("/2fa")).body).not.toHaveProperty("unusable");
    expect((await answerWith(jar, device)).status).toBe(200);
  });

  test("one key among two is left out, and the page does not speak of it", async () => {
    const { after, before } = stage(later);
    const { jar: inside } = await holder(before, "alice", { userVerification: false });
    const good = softwareAuthenticator();
    expect((await enrollWith(inside, good)).status).toBe(201);
    const jar = await pending(after, "alice");
    expect((await requestOptions(jar)).allowCredentials?.map(({ id }) => id)).toEqual([good.passkeys[0]!.id]);
    expect((await jar.page("/2fa")).text).not.toContain("None of your passkeys");
    expect((await answerWith(jar, good)).status).toBe(200);
  });
});

test("what a passkey showed is kept: when it was made, and at each use", async () => {
  const { before } = stage();
  const { device, jar: inside } = await holder(before, "alice", { userVerification: false });
  expect(await stateOf(before)).toMatchObject({
    userVerified: false,
    backedUp: true,
    backupEligible: true,
    rpId: "localhost",
  });
  device.passkeys[0]!.backedUp = false;
  expect((await answerWith(inside, device, { flags: (flags) => flags | 0x04 })).status).toBe(200);
  expect(await stateOf(before)).toMatchObject({ userVerified: true, backedUp: false });
  // What it can do it can do, whether it did it this time or not.
  expect((await answerWith(inside, device)).status).toBe(200);
  expect(await stateOf(before)).toMatchObject({ userVerified: true });
});

test("a passkey that showed it at a use after it was made is asked for when it is compulsory", async () => {
  const { after, before } = stage();
  const { device, jar: inside } = await holder(before, "alice", { userVerification: false });
  expect((await answerWith(inside, device, { flags: (flags) => flags | 0x04 })).status).toBe(200);
  const jar = await pending(after, "alice");
  expect((await requestOptions(jar)).allowCredentials).toHaveLength(1);
});

test("a passkey from before this was kept is asked for, and by its next use it is known what it shows", async () => {
  const { after, before } = stage();
  const { device, jar: inside } = await holder(before, "alice");
  const key = "account:u1";
  const entry = (await before.store.read(key))!;
  const old = entry.value.replace(/,"userVerified":true/, "").replace(/,"rpId":"localhost"/, "");
  expect(old).not.toContain("userVerified");
  await before.store.write(key, old, { expect: entry.version });
  const jar = await pending(after, "alice");
  expect((await requestOptions(jar)).allowCredentials).toHaveLength(1);
  expectRefused(await answerWith(jar, device, { flags: (flags) => flags & ~0x04 }));
  expect((await answerWith(jar, device)).status).toBe(200);
  expect(await stateOf(after)).toMatchObject({ userVerified: true });
  expect((await inside.get("/2fa/settings")).status).toBe(200);
});

test("the key can be set up anew once it has a PIN: the old one is not in the way", async () => {
  const { after, before } = stage();
  const { backupCodes: codes, jar: _inside } = await holder(before, "alice", { userVerification: false });
  const jar = new Jar(after);
  await jar.login("alice");
  await jar.post("/2fa/backup-code", { code: codes[0]! });
  expect((await creationOptions(jar)).excludeCredentials).toEqual([]);
  expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
});
