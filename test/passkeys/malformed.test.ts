import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { softwareAuthenticator } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { NO_LIMITS, passworded } from "../support/attack.js";
import type { Jar } from "../support/browser.js";
import { base64url } from "./lies.js";
import { answerWith, creationOptions, enrollWith, holder, requestOptions, storedPasskeys } from "./stage.js";

const RUNS = { numRuns: 80 };
const options = { limits: NO_LIMITS };

type Json = Record<string, unknown>;

const bytes = fc.uint8Array({ maxLength: 400 }).map(base64url);
const clientData = fc.oneof(
  bytes,
  fc.string().map((text) => base64url(Buffer.from(text))),
  fc.json().map((text) => base64url(Buffer.from(text))),
  fc
    .record(
      { type: fc.constantFrom("webauthn.get", "webauthn.create"), challenge: fc.string(), origin: fc.webUrl() },
      { requiredKeys: [] },
    )
    .map((data) => base64url(Buffer.from(JSON.stringify(data)))),
);
const anything = fc.oneof(
  bytes,
  clientData,
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.base64String(),
  fc.constantFrom("", "=", "====", "A", "AA==", "\u0000", "null", "__proto__", "9".repeat(400)),
);

/** One byte of a genuine value changed, cut off or added: CBOR that says other lengths, flags that promise more. */
function damaged(genuine: string): fc.Arbitrary<string> {
  const whole = Buffer.from(genuine, "base64url");
  const at = fc.nat({ max: whole.length - 1 });
  return fc.oneof(
    fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([index, mask]) => {
      const copy = Buffer.from(whole);
      copy[index] = copy[index]! ^ mask;
      return base64url(copy);
    }),
    at.map((length) => base64url(whole.subarray(0, length))),
    fc
      .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 9 }))
      .map(([index, more]) => base64url(Buffer.concat([whole.subarray(0, index), more, whole.subarray(index)]))),
  );
}

async function expectNoHarm(jar: Jar, path: string, body: object): Promise<number> {
  const { status, text } = await jar.post(path, body);
  if (status >= 500) throw new Error(`${path} answered ${status}: ${text}`);
  return status;
}

async function waiting() {
  const target = testApp({ options });
  const { device } = await holder(target, "alice");
  // Twenty wrong answers end a login, so each run has one of its own.
  const again = () => passworded(target, "JSON", "alice");
  return { target, device, jar: await again(), again };
}

describe("/2fa/passkey takes nothing but a genuine answer", () => {
  test.each(["authenticatorData", "signature", "clientDataJSON"] as const)("%s damaged", async (part) => {
    const { device, jar, again } = await waiting();
    const template = device.get(await requestOptions(jar));
    await fc.assert(
      fc.asyncProperty(damaged(template.response[part]), fc.boolean(), async (spoilt, isFresh) => {
        const other = await again();
        const fresh = isFresh && part !== "clientDataJSON" ? device.get(await requestOptions(other)) : template;
        fc.pre(spoilt !== fresh.response[part]);
        const credential = { ...fresh, response: { ...fresh.response, [part]: spoilt } };
        expect([400, 401]).toContain(await expectNoHarm(other, "/2fa/passkey", { credential }));
      }),
      RUNS,
    );
    expect(await jar.isIn()).toBe(false);
    expect((await answerWith(jar, device)).status).toBe(200);
  });

  test("members of other shapes", async () => {
    const { device, jar, again } = await waiting();
    const member = fc.constantFrom(
      "id",
      "rawId",
      "type",
      "clientDataJSON",
      "authenticatorData",
      "signature",
      "userHandle",
    );
    await fc.assert(
      fc.asyncProperty(member, fc.oneof(anything, fc.jsonValue()), async (name, value) => {
        const other = await again();
        fc.pre(!(name === "userHandle" && (value === null || value === "")) && value !== "public-key");
        const genuine = device.get(await requestOptions(other));
        const credential: Json =
          name in genuine
            ? { ...genuine, [name]: value }
            : { ...genuine, response: { ...genuine.response, [name]: value } };
        expect([400, 401]).toContain(await expectNoHarm(other, "/2fa/passkey", { credential }));
      }),
      RUNS,
    );
    expect(await jar.isIn()).toBe(false);
  });

  test("bodies of anything at all", async () => {
    const { jar, again } = await waiting();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), anything), async (credential) => {
        const other = await again();
        expect([400, 401]).toContain(await expectNoHarm(other, "/2fa/passkey", { credential }));
      }),
      RUNS,
    );
    expect(await jar.isIn()).toBe(false);
  });
});

describe("/2fa/passkey/enroll takes nothing but a genuine answer", () => {
  test("an attestation object damaged anywhere, with the envelope of another passkey", async () => {
    const target = testApp({ options });
    const jar = await passworded(target, "JSON", "alice");
    const template = softwareAuthenticator().create(await creationOptions(jar));
    await fc.assert(
      fc.asyncProperty(damaged(template.response.attestationObject), async (attestationObject) => {
        const fresh = softwareAuthenticator().create(await creationOptions(jar));
        const credential = { ...fresh, response: { ...fresh.response, attestationObject } };
        expect([400, 401]).toContain(await expectNoHarm(jar, "/2fa/passkey/enroll", { credential }));
      }),
      RUNS,
    );
    expect(await storedPasskeys(target, "alice")).toEqual([]);
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
  });

  // From the counter on nothing binds the bytes to anything: attestation "none" signs nothing.
  test("one bit changed in what comes before the flags: the frame, the format, the site", async () => {
    const target = testApp({ options });
    const jar = await passworded(target, "JSON", "alice");
    const device = softwareAuthenticator();
    const site = createHash("sha256").update("localhost").digest();
    const length =
      Buffer.from(device.create(await creationOptions(jar)).response.attestationObject, "base64url").indexOf(site) + 32;
    for (let bit = 0; bit < length * 8; bit += 3) {
      const made = device.create(await creationOptions(jar));
      const object = Buffer.from(made.response.attestationObject, "base64url");
      object[bit >> 3] = object[bit >> 3]! ^ (1 << (bit & 7));
      const credential = { ...made, response: { ...made.response, attestationObject: base64url(object) } };
      expect([bit, await expectNoHarm(jar, "/2fa/passkey/enroll", { credential })]).toEqual([bit, 401]);
    }
    expect(await storedPasskeys(target, "alice")).toEqual([]);
  });

  test("client data and attestation objects of anything at all", async () => {
    const target = testApp({ options });
    const jar = await passworded(target, "JSON", "alice");
    await fc.assert(
      fc.asyncProperty(clientData, anything, fc.boolean(), async (data, object, both) => {
        const { response, ...genuine } = softwareAuthenticator().create(await creationOptions(jar));
        const spoilt = { ...response, attestationObject: object, ...(both ? { clientDataJSON: data } : {}) };
        const credential = { ...genuine, response: spoilt };
        expect([400, 401]).toContain(await expectNoHarm(jar, "/2fa/passkey/enroll", { credential }));
      }),
      RUNS,
    );
    expect(await storedPasskeys(target, "alice")).toEqual([]);
  });

  test("transports and labels of anything at all do no harm", async () => {
    const target = testApp({ options });
    const jar = await passworded(target, "JSON", "alice");
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (transports, type) => {
        fc.pre(type !== "public-key");
        const made = softwareAuthenticator().create(await creationOptions(jar));
        const credential = { ...made, type, response: { ...made.response, transports } };
        expect(await expectNoHarm(jar, "/2fa/passkey/enroll", { credential })).toBe(400);
      }),
      { numRuns: 40 },
    );
    expect(await storedPasskeys(target, "alice")).toEqual([]);
  });
});
