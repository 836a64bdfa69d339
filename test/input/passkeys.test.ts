import { createHash } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { ORIGIN, testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { HOUR, storedAccount, storedFactors } from "../support/attack.js";
import { assertion, attestation } from "../support/routes.js";
import { expectProblem } from "../support/problems.js";

const RUNS = 60;

async function verified(): Promise<{ readonly target: TestApp; readonly jar: Jar }> {
  const target = testApp();
  const { phone } = await enrolled(target, "alice");
  return { target, jar: await full(target, "alice", phone) };
}

function encoded(data: string | Uint8Array): string {
  return Buffer.from(data).toString("base64url");
}

/** Client data as a browser writes them for this challenge: what comes after them is looked at. */
function clientData(type: "webauthn.get" | "webauthn.create", challenge: string, more: object = {}): string {
  return encoded(JSON.stringify({ type, challenge, origin: ORIGIN, crossOrigin: false, ...more }));
}

/** Data of an authenticator that begin as they should, and go on as they may. */
function authenticatorData(rest: Uint8Array, flags: number): Buffer {
  const host = createHash("sha256").update("localhost").digest();
  return Buffer.concat([host, Buffer.from([flags, 0, 0, 0, 0]), rest]);
}

const NO_CREDENTIALS: readonly unknown[] = [
  undefined,
  null,
  7,
  true,
  [],
  {},
  "",
  "credential",
  '{"id":',
  [assertion()],
  assertion({ clientDataJSON: 7 }),
  assertion({ clientDataJSON: "" }),
  assertion({ clientDataJSON: "not base64url!" }),
  assertion({ clientDataJSON: ["e30"] }),
  assertion({ signature: null }),
  assertion({ authenticatorData: {} }),
  assertion({ userHandle: 7 }),
  { ...assertion(), id: undefined },
  { ...assertion(), id: ["x"] },
  { ...assertion(), type: "password" },
  { ...assertion(), response: undefined },
  { ...assertion(), response: [] },
];

describe("passkeys of another shape", () => {
  test("a credential that is none is 400 at the challenge and at the enrollment, and changes nothing", async () => {
    const { target, jar } = await verified();
    const waiting = await pending(target, "alice");
    const before = await storedFactors(target, "alice");
    for (const credential of NO_CREDENTIALS) {
      expectProblem(await waiting.post("/2fa/passkey", { credential }), "invalid-request");
      expectProblem(await jar.post("/2fa/passkey/enroll", { credential }), "invalid-request");
    }
    for (const more of [
      { transports: "usb" },
      { transports: [7] },
      { transports: Array(100).fill("usb") },
      { attestationObject: 7 },
    ]) {
      expectProblem(await jar.post("/2fa/passkey/enroll", { credential: attestation(more) }), "invalid-request");
    }
    for (const label of [7, [], "x".repeat(1_025)]) {
      expectProblem(await jar.post("/2fa/passkey/enroll", { credential: attestation(), label }), "invalid-request");
    }
    expect(await storedFactors(target, "alice")).toEqual(before);
    expect(await waiting.isIn()).toBe(false);
  });

  test("a credential of the right shape with nothing true in it is not accepted, with a challenge and without", async () => {
    const { target, jar } = await verified();
    const waiting = await pending(target, "alice");
    for (const isAsked of [false, true]) {
      if (isAsked) {
        await waiting.post("/2fa/passkey/options");
        await jar.post("/2fa/passkey/enroll/options");
      }
      expectProblem(
        await waiting.post("/2fa/passkey", { credential: assertion() }),
        "invalid-passkey",
        "expired",
        "not-found",
      );
      expectProblem(
        await jar.post("/2fa/passkey/enroll", { credential: attestation() }),
        "invalid-passkey",
        "expired",
        "not-found",
      );
    }
    expect(await waiting.isIn()).toBe(false);
    expect(await target.mfa.accounts.factors("u1")).toHaveLength(1);
  });

  test("one as long as the limit of bodies allows is answered, not choked on", async () => {
    const { jar } = await verified();
    await jar.post("/2fa/passkey/enroll/options");
    const long = "A".repeat(60_000);
    expectProblem(
      await jar.post("/2fa/passkey/enroll", { credential: attestation({ attestationObject: long }) }),
      "invalid-passkey",
      "invalid-request",
    );
    expectProblem(
      await jar.post("/2fa/passkey", { credential: assertion({ clientDataJSON: long }) }),
      "invalid-passkey",
      "invalid-request",
    );
  });
});

const rubbish = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  // The beginnings of CBOR: maps, arrays and strings that promise more than there is, nested and endless ones.
  fc
    .constantFrom(
      "a36366",
      "bf",
      "9f",
      "5f",
      "7f",
      "ffffffff",
      "bbffffffffffffffff",
      "5bffffffffffffffff",
      "a301020326",
      "d9d9f7",
      "f97e00",
    )
    .map((hex) => Buffer.from(hex, "hex")),
  fc.integer({ min: 1, max: 5_000 }).map((depth) => Buffer.alloc(depth, 0x81)),
);

test("whatever bytes follow a right challenge, a new passkey is refused as one and nothing else", async () => {
  const { target, jar } = await verified();
  const before = (await target.mfa.accounts.factors("u1")).length;
  await fc.assert(
    fc.asyncProperty(rubbish, fc.nat(255), fc.boolean(), async (bytes, flags, isWrapped) => {
      const { body } = await jar.post("/2fa/passkey/enroll/options");
      const data = authenticatorData(bytes, flags);
      // {"fmt": "none", "attStmt": {}, "authData": bytes}
      const head = Buffer.from(
        `a363666d74646e6f6e656761747453746d74a068617574684461746159${data.length.toString(16).padStart(4, "0")}`,
        "hex",
      );
      const object = isWrapped ? Buffer.concat([head, data]) : Buffer.from(bytes);
      const response = {
        clientDataJSON: clientData("webauthn.create", body.challenge),
        attestationObject: encoded(object) || "AA",
      };
      expectProblem(
        await jar.post("/2fa/passkey/enroll", { credential: attestation(response) }),
        "invalid-passkey",
        "invalid-request",
      );
    }),
    { numRuns: RUNS },
  );
  expect(await target.mfa.accounts.factors("u1")).toHaveLength(before);
});

test("whatever bytes follow a right challenge, a passkey nobody has proves nothing", async () => {
  const { target } = await verified();
  let jar = await pending(target, "alice");
  await fc.assert(
    fc.asyncProperty(rubbish, rubbish, fc.nat(255), async (data, signature, flags) => {
      const { body } = await jar.post("/2fa/passkey/options");
      const response = {
        clientDataJSON: clientData("webauthn.get", String(body.challenge ?? "none")),
        authenticatorData: encoded(authenticatorData(data, flags)),
        signature: encoded(signature) || "AA",
      };
      const answer = await jar.post("/2fa/passkey", { credential: assertion(response) });
      expect(answer.status).toBeLessThan(500);
      expectProblem(answer);
      expect(await jar.isIn()).toBe(false);
    }),
    { numRuns: RUNS },
  );
  // Guessing at passkeys locks nothing else.
  target.clock.advance(HOUR);
  jar = await pending(target, "alice");
  expect((await jar.get("/2fa")).body.status).toBe("pending");
  expect(await storedAccount(target, "alice")).toContain('"totp"');
});

test("a challenge for nobody, asked for a thousand ways, stays small and opens nothing", async () => {
  const target = testApp();
  const jar = new Jar(target);
  for (let count = 0; count < 40; count += 1) expect((await jar.post("/2fa/passkey/options")).status).toBe(200);
  expectProblem(await jar.post("/2fa/passkey", { credential: assertion() }), "login-required", "invalid-passkey");
  expect(await jar.isIn()).toBe(false);
  expect((await jar.get("/")).body.status).toBe("anonymous");
});
