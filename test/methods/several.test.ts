// Several factors of one kind: what holds for one holds for each, whichever was there first.
import { describe, expect, test } from "@jest/globals";
import { authenticatorApp, type AuthenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import { answerWith, enrollWith, requestOptions } from "../passkeys/stage.js";
import { testApp, type TestApp } from "../support/app.js";
import { HOUR, MINUTE, NO_LIMITS, STEP } from "../support/attack.js";
import { enrolled, full, type Jar, pending } from "../support/browser.js";

const SECRETS = ["A", "B", "C"].map((letter) => `JBSWY3DPEHPK3PXPJBSWY3DPEHPK3P${letter}A`);
const PLACES = [0, 1, 2];

interface Three {
  readonly target: TestApp;
  readonly phones: readonly AuthenticatorApp[];
  readonly ids: readonly string[];
}

/** Alice with three authenticators, in the order of their ids. */
async function three(options: object = { limits: NO_LIMITS }): Promise<Three> {
  const target = testApp({ options });
  const ids: string[] = [];
  for (const [index, secret] of SECRETS.entries()) {
    const { id } = await target.mfa.accounts.importTotp("u1", { secret, label: `Phone ${index}` });
    ids.push(id);
  }
  const phones = SECRETS.map((secret) => authenticatorApp(`otpauth://totp/Acme:alice?secret=${secret}&issuer=Acme`));
  return { target, phones, ids };
}

function disabled({ mfa }: TestApp): Promise<readonly string[]> {
  return mfa.accounts.status("u1").then((status) => status.disabled);
}

/** So many wrong codes, each in a login of its own where twenty would end it. */
async function guess(jar: Jar, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < times; count += 1) statuses.push((await jar.verify("000000")).status);
  return statuses;
}

describe("of three authenticators", () => {
  test.each(PLACES)("number %i opens a login, and is the one that was used", async (place) => {
    const { ids, phones, target } = await three();
    const jar = await pending(target, "alice");
    expect((await jar.verify(phones[place]!.code(target.clock()))).status).toBe(200);
    const used = (await target.mfa.accounts.factors("u1")).filter(({ lastUsedAt }) => lastUsedAt !== null);
    expect(used.map(({ id }) => id)).toEqual([ids[place]]);
  });

  test.each(PLACES)("the secret of number %i is not imported again", async (place) => {
    const { target } = await three();
    const again = target.mfa.accounts.importTotp("u1", { secret: SECRETS[place]! });
    await expect(again).rejects.toThrow(/already enrolled/);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(3);
  });

  test("a wrong code counts on each that is open, in a login and in one that is verified", async () => {
    const { ids, phones, target } = await three();
    const inside = await pending(target, "alice");
    await inside.verify(phones[0]!.code(target.clock()));
    expect(await guess(inside, 49)).not.toContain(429);
    expect(await disabled(target)).toEqual([]);
    await guess(inside, 1);
    expect(await disabled(target)).toEqual(ids);
    expect((await inside.verify(phones[2]!.code(target.clock()))).status).toBe(429);
    const outside = await pending(target, "alice");
    await guess(outside, 50);
    expect((await outside.verify(phones[1]!.code(target.clock()))).status).toBe(429);
    expect(await disabled(target)).toEqual(ids);
  });

  test("a right code clears the count of its own alone", async () => {
    const { ids, phones, target } = await three();
    const jar = await pending(target, "alice");
    await guess(jar, 49);
    await jar.verify(phones[1]!.code(target.clock()));
    await guess(await pending(target, "alice"), 1);
    expect(await disabled(target)).toEqual([ids[0], ids[2]]);
  });

  test.each([
    ["reopenFactors", ({ accounts }: TestApp["mfa"]) => accounts.reopenFactors("u1")],
    ["passwordChanged", ({ accounts }: TestApp["mfa"]) => accounts.passwordChanged("u1", { reopen: true })],
  ])("each that was closed is opened by %s", async (_says, reopen) => {
    const { phones, target } = await three();
    await guess(await pending(target, "alice"), 50);
    expect(await disabled(target)).toHaveLength(3);
    await reopen(target.mfa);
    expect(await disabled(target)).toEqual([]);
    for (const phone of phones) {
      const jar = await pending(target, "alice");
      expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
      target.clock.advance(STEP);
    }
  });

  test("each that was closed is opened by a login with another kind", async () => {
    const { phones, target } = await three();
    const [code] = (await target.mfa.accounts.regenerateBackupCodes("u1"))!;
    const jar = await pending(target, "alice");
    await guess(jar, 50);
    expect((await jar.post("/2fa/backup-code", { code })).status).toBe(200);
    expect(await disabled(target)).toEqual([]);
    for (const phone of phones) {
      const login = await pending(target, "alice");
      expect((await login.verify(phone.code(target.clock()))).status).toBe(200);
      target.clock.advance(STEP);
    }
  });

  test.each(PLACES)("number %i is renamed, found again and removed by itself", async (place) => {
    const { ids, phones, target } = await three();
    const jar = await pending(target, "alice");
    await jar.verify(phones[(place + 1) % 3]!.code(target.clock()));
    const id = ids[place]!;
    expect((await jar.post(`/2fa/factors/${id}/rename`, { label: "Mine" })).status).toBe(200);
    const at = target.clock() + 10 * MINUTE;
    const codes = [phones[place]!.code(at), phones[place]!.code(at + STEP)];
    expect((await jar.post("/2fa/totp/resync", { factorId: id, codes })).status).toBe(200);
    const factors = await target.mfa.accounts.factors("u1");
    expect(factors.map(({ label }) => label)).toEqual(
      PLACES.map((each) => (each === place ? "Mine" : `Phone ${each}`)),
    );
    target.clock.advance(MINUTE);
    const drifted = await pending(target, "alice");
    expect((await drifted.verify(phones[place]!.code(target.clock() + 10 * MINUTE))).status).toBe(200);
    expect((await jar.post(`/2fa/factors/${id}/remove`)).status).toBe(204);
    const left = (await target.mfa.accounts.factors("u1")).map((factor) => factor.id);
    expect(left).toEqual(ids.filter((each) => each !== id));
    target.clock.advance(MINUTE);
    for (const [index, phone] of phones.entries()) {
      const login = await pending(target, "alice");
      const { status } = await login.verify(phone.code(target.clock() + (index === place ? 10 * MINUTE : 0)));
      expect([index, status]).toEqual([index, index === place ? 401 : 200]);
      target.clock.advance(STEP);
    }
  });

  test("each code opens once, whichever of them it is of", async () => {
    const { phones, target } = await three();
    const codes = phones.map((phone) => phone.code(target.clock()));
    for (const status of [200, 401]) {
      for (const code of codes) {
        expect((await (await pending(target, "alice")).verify(code)).status).toBe(status);
      }
    }
  });
});

describe("of three passkeys", () => {
  async function passkeys() {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const devices = PLACES.map(() => softwareAuthenticator({ counter: true }));
    for (const device of devices) await enrollWith(jar, device);
    return { target, jar, devices };
  }

  test.each(PLACES)("number %i is asked for, opens, and is told apart when it was copied", async (place) => {
    const { devices, target } = await passkeys();
    const jar = await pending(target, "alice");
    const { allowCredentials } = await requestOptions(jar);
    expect(allowCredentials?.map(({ id }) => id)).toEqual(devices.map((device) => device.passkeys[0]!.id));
    expect((await answerWith(jar, devices[place]!, { counter: 9 })).status).toBe(200);
    const copy = await answerWith(await pending(target, "alice"), devices[place]!, { counter: 9 });
    expect(copy.status).toBe(401);
    const other = await answerWith(await pending(target, "alice"), devices[(place + 1) % 3]!, { counter: 1 });
    expect(other.status).toBe(200);
  });
});

describe("of three trusted browsers", () => {
  test.each(PLACES)("number %i is revoked by itself, and is the one that is told of", async (place) => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jars: Jar[] = [];
    for (const name of ["Firefox/1.0", "Chrome/1.0", "Edg/1.0"]) {
      const jar = await pending(target, "alice");
      const body = { code: phone.code(target.clock()), trustDevice: true };
      await jar.post("/2fa/totp", body).set("User-Agent", `Mozilla/5.0 (X11; Linux x86_64) ${name}`);
      target.clock.advance(STEP);
      jars.push(jar);
    }
    const owner = await full(target, "alice", phone);
    const { devices } = (await owner.get("/2fa/settings")).body as { devices: { id: string; label: string }[] };
    const ordered = devices.toReversed();
    expect((await owner.post(`/2fa/devices/${ordered[place]!.id}/revoke`)).status).toBe(204);
    const [latest] = (await owner.get("/2fa/settings")).body.activity as { action: string; label?: string }[];
    expect(latest).toMatchObject({ action: "device-revoked", label: ordered[place]!.label });
    for (const [index, jar] of jars.entries()) {
      await jar.post("/logout");
      await jar.login("alice");
      expect([index, await jar.isIn()]).toEqual([index, index !== place]);
    }
    target.clock.advance(HOUR);
  });
});
