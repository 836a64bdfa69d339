import { createHmac } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { UnavailableError } from "express-second-factor";
import { authenticatorApp } from "express-second-factor/testing";
import { testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, pending } from "../support/browser.js";
import { logIn, passworded, storedAccount, trusted, wrongCode } from "../support/attack.js";
import { answers, type Fault, type FaultyKeys, faultyKeys, HANGS, named, REJECTS, THROWS } from "../support/faults.js";
import { expectProblem } from "../support/problems.js";

interface Prepared {
  readonly target: TestApp;
  readonly keys: FaultyKeys;
  readonly factor: Enrolled;
}

async function prepared(): Promise<Prepared> {
  const keys = faultyKeys();
  const target = testApp({ options: { keys, storeTimeout: "50ms" } });
  return { target, keys, factor: await enrolled(target, "alice") };
}

function list(faults: readonly Fault[]): [string, Fault][] {
  return faults.map((fault) => [named(fault), fault]);
}

const SILENT = [THROWS, REJECTS, HANGS];
const NO_TEXT = list([
  ...SILENT,
  answers(null),
  answers(undefined),
  answers(""),
  answers(7),
  answers({}),
  answers(new Uint8Array(32)),
]);
const NO_BYTES = list([
  ...SILENT,
  answers(null),
  answers(undefined),
  answers("text"),
  answers([1, 2, 3]),
  answers({}),
  answers(new Uint8Array(0)),
  answers(new Uint8Array(3)),
]);

describe.each(NO_BYTES)("a key provider whose decrypt %s", (_name, fault) => {
  test("answers every code of an authenticator with 503, opens nothing, and takes the right one afterwards", async () => {
    const { target, keys, factor } = await prepared();
    const jar = await pending(target, "alice");
    const code = factor.phone.code(target.clock());
    keys.fail("decrypt", fault);
    expectProblem(await jar.verify(wrongCode(factor.phone, target.clock())), "unavailable");
    expectProblem(await jar.verify(code), "unavailable");
    await expect(target.mfa.accounts.verify("u1", { method: "totp", code })).rejects.toThrow();
    expect(await jar.isIn()).toBe(false);
    keys.heal();
    expect((await jar.verify(code)).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
  });

  test("proves no enrollment, and lets it be proved afterwards", async () => {
    const { target, keys } = await prepared();
    const jar = await passworded(target, "JSON", "carol");
    const { body } = await jar.post("/2fa/totp/enroll");
    const proof = { factorId: body.factorId, code: authenticatorApp(body.uri).code(target.clock()) };
    keys.fail("decrypt", fault);
    expectProblem(await jar.post("/2fa/totp/enroll/confirm", proof), "unavailable");
    expect((await target.mfa.accounts.status("u3")).enrolled).toBe(false);
    keys.heal();
    expect((await jar.post("/2fa/totp/enroll/confirm", proof)).status).toBe(201);
  });

  test("leaves open what needs no secret: logins that are full", async () => {
    const { target, keys, factor } = await prepared();
    const owner = await full(target, "alice", factor.phone);
    keys.fail("decrypt", fault);
    expect(await owner.isIn()).toBe(true);
  });

  test("takes no backup code, uses none up, and takes the same one afterwards", async () => {
    const { target, keys, factor } = await prepared();
    const jar = await pending(target, "alice");
    const [code] = factor.backupCodes;
    keys.fail("decrypt", fault);
    expectProblem(await jar.post("/2fa/backup-code", { code }), "unavailable");
    expect(await jar.isIn()).toBe(false);
    keys.heal();
    expect((await jar.post("/2fa/backup-code", { code })).body.remaining).toBe(9);
    expect(await jar.isIn()).toBe(true);
  });

  test("neither believes nor forgets a trusted browser", async () => {
    const { target, keys, factor } = await prepared();
    const jar = await trusted(target, "alice", factor.phone);
    await jar.post("/logout");
    keys.fail("decrypt", fault);
    expect((await jar.login("alice")).status).toBe(503);
    expect(await jar.isIn()).toBe(false);
    keys.heal();
    expect(await jar.isIn()).toBe(false);
    await logIn(jar, "JSON", "alice");
    expect((await jar.get("/")).body.status).toBe("trusted-device");
  });
});

test("a secret that opens to nothing has no code that anybody could work out", async () => {
  const { target, keys } = await prepared();
  keys.fail("decrypt", answers(new Uint8Array(0)));
  const jar = await pending(target, "alice");
  for (const step of [-1, 0, 1]) {
    const code = codeWithoutSecret(Math.floor(target.clock() / 30_000) + step);
    expect((await jar.verify(code)).status).not.toBe(200);
    expect(await jar.isIn()).toBe(false);
  }
});

/** RFC 4226 with nothing for a secret. */
function codeWithoutSecret(step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", "").update(counter).digest();
  const offset = digest[19]! & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

describe.each(NO_TEXT)("a key provider whose encrypt %s", (_name, fault) => {
  test("begins no enrollment, stores no secret, and does afterwards", async () => {
    const { target, keys } = await prepared();
    const jar = await passworded(target, "JSON", "carol");
    keys.fail("encrypt", fault);
    expectProblem(await jar.post("/2fa/totp/enroll"), "unavailable");
    await expect(target.mfa.accounts.importTotp("u3", { secret: "JBSWY3DPEHPK3PXPGEZDGNBVGY3TQOJQ" })).rejects.toThrow(
      UnavailableError,
    );
    expect(JSON.parse((await storedAccount(target, "carol"))!)).toMatchObject({ factors: [], enrollments: [] });
    keys.heal();
    await jar.enroll();
    expect((await target.mfa.accounts.status("u3")).enrolled).toBe(true);
  });

  test("mints no backup codes and leaves the old ones good", async () => {
    const { target, keys, factor } = await prepared();
    const jar = await full(target, "alice", factor.phone);
    expect(await jar.isIn()).toBe(true);
    const before = await storedAccount(target, "alice");
    keys.fail("encrypt", fault);
    expectProblem(await jar.post("/2fa/backup-codes"), "unavailable");
    expect(await storedAccount(target, "alice")).toBe(before);
    keys.heal();
    const next = await pending(target, "alice");
    expect((await next.post("/2fa/backup-code", { code: factor.backupCodes[0] })).status).toBe(200);
  });

  test("a right code with the wish to be trusted is not used up for nothing", async () => {
    const { target, keys, factor } = await prepared();
    const jar = await pending(target, "alice");
    const code = factor.phone.code(target.clock());
    keys.fail("encrypt", fault);
    expectProblem(await jar.verify(code, { trustDevice: true }), "unavailable");
    expect(await jar.isIn()).toBe(false);
    keys.heal();
    expect((await jar.verify(code, { trustDevice: true })).status).toBe(200);
  });
});

describe.each(NO_TEXT)("a key provider that %s", (_name, fault) => {
  test("asks for no operation, lets none be done, and the same one afterwards", async () => {
    const keys = faultyKeys();
    const target = testApp({
      options: { keys, storeTimeout: "50ms" },
      routes(app, { require }) {
        app.post("/transfer", require({ bind: () => "Pay 100 to Ann" }), (_req, res) => res.json({ done: true }));
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    keys.fail("encrypt", fault);
    expectProblem(await jar.post("/transfer"), "unavailable");
    keys.heal();
    const asked = await jar.post("/transfer");
    expectProblem(asked, "step-up-required");
    const { id: operation } = (asked.body as { operation: { id: string } }).operation;
    expect((await jar.verify(phone.code(target.clock()), { operation })).status).toBe(200);
    keys.fail("decrypt", fault);
    const refused = await jar.post("/transfer");
    expect([401, 503]).toContain(refused.status);
    expect(refused.body).not.toHaveProperty("done");
    keys.heal();
    expect((await jar.post("/transfer")).body).toEqual({ done: true });
    expectProblem(await jar.post("/transfer"), "step-up-required");
  });
});

test("a vault that is away for a while uses up no attempts", async () => {
  const { target, keys, factor } = await prepared();
  const jar = await pending(target, "alice");
  const code = factor.phone.code(target.clock());
  keys.fail("decrypt", REJECTS);
  const during = [];
  for (let attempt = 0; attempt < 8; attempt += 1) during.push((await jar.verify(code)).status);
  expect(during).toEqual(Array(8).fill(503));
  keys.heal();
  expect((await jar.verify(code)).status).toBe(200);
});
