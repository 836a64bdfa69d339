// What makes the wait of a recovery shorter, by configuration, and what of it is no factor for all that.
import { randomBytes } from "node:crypto";
import { describe, expect, jest, test } from "@jest/globals";
import {
  backupCodes,
  type ConfigurationError,
  emailCode,
  type RecoveryRequest,
  secondFactor,
  smsCode,
  totp,
} from "express-second-factor";
import { outbox } from "express-second-factor/testing";
import { ORIGIN, TEST_KEYS, testApp, type TestApp, userNamed } from "../support/app.js";
import { STEP } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import {
  alice,
  aliceOnTwoChannels,
  click,
  completed,
  confirmed,
  COUNTING,
  HOUR,
  MINUTE,
  ofKind,
  type Recovering,
  RECOVERY,
  run,
  SECOND,
  shortened,
  stateOf,
  told,
  tokenOf,
  vouchOf,
} from "../support/recovery.js";
import { reported } from "../support/reports.js";

const REFUSED = { status: 401, body: { code: "invalid-code" } };
const EXPIRED = { status: 410, body: { code: "expired" } };

/** Nobody's. */
const STRANGE = "0000-0000-0000-0000";

async function waitOf(here: Recovering): Promise<number> {
  const { body } = await click(here, "confirm", await tokenOf(here, "confirm"));
  return (Date.parse((body as { completesAt: string }).completesAt) - here.target.clock()) / HOUR;
}

function replaced(here: Recovering): Promise<readonly string[] | undefined> {
  return here.target.mfa.accounts.regenerateBackupCodes("u1");
}

/** Shows a code with a request, in a login of its own. */
async function askWith(here: Recovering, backupCode: unknown): Promise<{ status: number }> {
  const jar = await pending(here.target, "alice");
  return jar.post(RECOVERY, { backupCode });
}

async function owner(here: Recovering): Promise<Jar> {
  here.target.clock.advance(STEP);
  return full(here.target, "alice", here.phone);
}

describe("a code of the set of backup codes before the present one", () => {
  test("makes the wait shorter, is used up by that, and opens nothing", async () => {
    const approve = jest.fn((_request: RecoveryRequest) => true);
    const recovery = { evidence: { oldBackupCode: "12h" }, approve } as const;
    const here = await alice({ options: { recovery } });
    const present = await replaced(here);
    const [old = "", other = ""] = here.backupCodes;
    const jar = await pending(here.target, "alice");
    expect(await jar.post("/2fa/backup-code", { code: old })).toMatchObject(REFUSED);
    expect(await jar.post(RECOVERY, { backupCode: old.toLowerCase().replaceAll("-", " ") })).toMatchObject({
      status: 202,
      body: { expiresAt: new Date(here.target.clock() + 30 * MINUTE).toISOString() },
    });
    expect((await jar.get("/2fa")).body).toMatchObject({ status: "pending", recovery: { state: "requested" } });
    expect(await jar.isIn()).toBe(false);
    expect(await jar.post(RECOVERY, { backupCode: old })).toMatchObject(REFUSED);
    // Its own login asks again, as for a mail that did not come.
    expect((await jar.post(RECOVERY)).status).toBe(202);
    expect(await waitOf(here)).toBe(12);
    await told();
    for (const kind of ["recovery-requested", "recovery-confirmed"])
      expect(here.target.events.findLast(({ action }) => action === kind)).toMatchObject({ reason: "old-backup-code" });
    here.target.clock.advance(12 * HOUR);
    await run(here);
    expect(approve.mock.calls).toMatchObject([[{ evidence: ["old-backup-code"] }]]);
    expect(await stateOf(here)).toBe("ready");
    expect((await jar.post("/2fa/backup-code", { code: other })).status).toBe(410);
    const again = await pending(here.target, "alice");
    expect((await again.post("/2fa/backup-code", { code: present![0] })).status).toBe(200);
  });

  test("counts for the login that showed it alone", async () => {
    const here = await alice(COUNTING);
    await replaced(here);
    expect((await askWith(here, here.backupCodes[0])).status).toBe(202);
    expect((await askWith(here, null)).status).toBe(202);
    expect(await waitOf(here)).toBe(24);
  });

  const ENROLL = async (here: Recovering, jar: Jar): Promise<Jar> => {
    await jar.enroll();
    expect((await here.target.mfa.accounts.status("u1")).enrolled).toBe(true);
    return jar;
  };

  test.each<[string, number, (here: Recovering) => Promise<unknown>]>([
    ["in the settings", 202, async (here) => (await owner(here)).post("/2fa/backup-codes")],
    ["by staff", 202, replaced],
    [
      "by switching it all off and on again",
      202,
      async (here) => {
        const jar = await owner(here);
        await jar.post("/2fa/disable");
        await ENROLL(here, jar);
      },
    ],
    [
      "twice: one set back, and no further",
      401,
      async (here) => {
        await replaced(here);
        await replaced(here);
      },
    ],
    [
      "by a reset",
      401,
      async (here) => {
        await replaced(here);
        await here.target.mfa.accounts.reset("u1");
        await ENROLL(here, await pending(here.target, "alice"));
      },
    ],
    [
      "and reported",
      401,
      async (here) => {
        await replaced(here);
        await reported(here.target);
      },
    ],
    [
      "by a recovery",
      401,
      async (here) => {
        await replaced(here);
        const jar = await completed(here);
        await ENROLL(here, jar);
        here.target.clock.advance(48 * HOUR);
      },
    ],
  ])("is one of a set that was replaced %s: %d", async (_how, status, replace) => {
    const here = await alice(COUNTING);
    const [old] = here.backupCodes;
    await replace(here);
    expect((await askWith(here, old)).status).toBe(status);
  });

  test("that is wrong asks for nothing, and is counted as backup codes are", async () => {
    const here = await alice(COUNTING);
    const jar = await pending(here.target, "alice");
    // No set was replaced: the answer does not say so.
    expect(await jar.post(RECOVERY, { backupCode: STRANGE })).toMatchObject(REFUSED);
    expect(await jar.post(RECOVERY, { backupCode: here.backupCodes[1] })).toMatchObject(REFUSED);
    const present = await replaced(here);
    const signedIn = await pending(here.target, "alice");
    await signedIn.post("/2fa/backup-code", { code: present![0] });
    for (const code of [STRANGE, present![0], present![1]])
      expect(await jar.post(RECOVERY, { backupCode: code })).toMatchObject(REFUSED);
    expect(await stateOf(here)).toBe("none");
    expect(ofKind(here, "recovery-requested")).toEqual([]);
    for (const backupCode of ["one", 5, ["x"], { code: "x" }])
      expect(await jar.post(RECOVERY, { backupCode })).toMatchObject({ status: 400 });
    for (let count = 5; count < 10; count += 1) await jar.post("/2fa/backup-code", { code: STRANGE });
    const limited = { status: 429, headers: { "retry-after": expect.any(String) } };
    expect(await jar.post(RECOVERY, { backupCode: here.backupCodes[0] })).toMatchObject(limited);
    expect(await jar.post("/2fa/backup-code", { code: present![2] })).toMatchObject(limited);
    // What needs no code is not kept waiting, and nothing of the code was used up.
    here.target.clock.advance(HOUR);
    expect((await askWith(here, here.backupCodes[0])).status).toBe(202);
  });

  test("is used up where nothing comes of the request, so that the answers tell nothing", async () => {
    for (const options of [{}, { user: { email: () => undefined } }]) {
      const here = await alice({ options: { ...COUNTING.options, ...options } });
      await replaced(here);
      const [old] = here.backupCodes;
      expect([(await askWith(here, old)).status, (await askWith(here, old)).status]).toEqual([202, 401]);
    }
    const here = await alice(COUNTING);
    await (await owner(here)).post(`${RECOVERY}/opt-out`, { optedOut: true });
    await replaced(here);
    const [old] = here.backupCodes;
    expect([(await askWith(here, old)).status, (await askWith(here, old)).status]).toEqual([202, 401]);
    expect(await stateOf(here)).toBe("none");
  });

  test("is not looked at where it does not count, and has no field on the page", async () => {
    const here = await alice();
    await replaced(here);
    expect((await askWith(here, STRANGE)).status).toBe(202);
    expect((await askWith(here, 5)).status).toBe(400);
    expect(await waitOf(here)).toBe(24);
    const plain = await alice();
    expect((await (await pending(plain.target, "alice")).page("/2fa")).text).not.toContain('name="backupCode"');
  });

  test("is one still once the keys were rotated and the older ones are gone", async () => {
    const here = await alice({ ...COUNTING });
    await replaced(here);
    const { clock, store } = here.target;
    const newer = `newer:${randomBytes(32).toString("base64")}`;
    const withKeys = (keys: string): TestApp =>
      testApp({ store, clock, options: { ...COUNTING.options, notify: () => undefined, keys } });
    expect(await withKeys(`${newer},${TEST_KEYS}`).mfa.rotateKeys()).toMatchObject({ left: {}, unreadable: 0 });
    const jar = await pending(withKeys(newer), "alice");
    expect((await jar.post(RECOVERY, { backupCode: here.backupCodes[0] })).status).toBe(202);
  });

  test("is guessed from one address in no more accounts than any code is", async () => {
    const here = await alice({ options: { ...COUNTING.options, limits: { address: { limit: 2, window: "15m" } } } });
    await replaced(here);
    for (const name of ["carol", "dave"]) {
      await enrolled(here.target, name);
      const jar = await pending(here.target, name);
      expect((await jar.post(RECOVERY, { backupCode: STRANGE })).status).toBe(401);
    }
    expect((await askWith(here, here.backupCodes[0])).status).toBe(429);
  });

  test("is typed on the challenge page, which says what was wrong with it", async () => {
    const here = await alice(COUNTING);
    await replaced(here);
    const jar = await pending(here.target, "alice");
    expect((await jar.page("/2fa")).text).toContain('name="backupCode"');
    const wrong = await jar.form(RECOVERY, { backupCode: STRANGE });
    expect([wrong.status, wrong.text.includes("that is no unused code")]).toEqual([401, true]);
    expect(wrong.text).toMatch(/<details[^>]* open/);
    expect((await jar.form(RECOVERY, { backupCode: "" })).status).toBe(303);
    expect((await jar.form(RECOVERY, { backupCode: here.backupCodes[0] })).status).toBe(303);
    expect(await waitOf(here)).toBe(12);
  });
});

describe("a second channel of the account", () => {
  test("is asked once the wait has begun, and makes it shorter", async () => {
    const approve = jest.fn((_request: RecoveryRequest) => true);
    const recovery = { evidence: { secondChannel: "6h" }, approve } as const;
    const here = await aliceOnTwoChannels({ options: { ...COUNTING.options, recovery } });
    const { clock } = here.target;
    const begun = clock();
    await confirmed(here);
    const token = await vouchOf(here);
    clock.advance(HOUR);
    const completesAt = new Date(begun + 6 * HOUR).toISOString();
    const stranger = new Jar(here.target);
    const page = await stranger.page(`${RECOVERY}/confirm?token=${token}`);
    expect([page.status, page.text.includes(completesAt), page.text.includes("alice")]).toEqual([200, true, false]);
    const looked = await stranger.get(`${RECOVERY}/confirm?token=${token}`);
    expect(looked.body).toEqual({
      state: "waiting",
      completesAt: new Date(begun + 24 * HOUR).toISOString(),
      shortensTo: completesAt,
    });
    for (const way of ["cancel", "complete"]) expect(await click(here, way, token)).toMatchObject(EXPIRED);
    expect(await click(here, "confirm", token)).toMatchObject({ status: 200, body: { completesAt } });
    expect(await click(here, "confirm", token)).toMatchObject(EXPIRED);
    await told();
    const places = ofKind(here, "recovery-shortened").map(({ to }) => to);
    expect(places).toEqual([{ address: "alice@acme.test" }, { address: SECOND }]);
    expect(here.target.events.at(-1)).toMatchObject({ action: "recovery-shortened", reason: "second-channel" });
    clock.advance(2 * HOUR);
    await run(here);
    expect(ofKind(here, "recovery-half-time")).toHaveLength(2);
    clock.advance(3 * HOUR);
    await run(here);
    expect(approve.mock.calls).toMatchObject([[{ completesAt, evidence: ["second-channel"] }]]);
    expect(await stateOf(here)).toBe("ready");
  });

  test("that answers late makes it ready at once, and never the wait longer", async () => {
    const here = await aliceOnTwoChannels();
    await confirmed(here);
    here.target.clock.advance(12 * HOUR);
    await run(here);
    const form = await new Jar(here.target).form(`${RECOVERY}/confirm`, { token: await vouchOf(here) });
    expect([form.status, form.text.includes("The waiting time is shorter now")]).toEqual([200, true]);
    await told();
    expect(await stateOf(here)).toBe("ready");
    const [link] = ofKind(here, "recovery-ready").filter(({ links }) => links.complete !== undefined);
    expect(link).toMatchObject({ to: { address: "alice@acme.test" } });

    const over = await aliceOnTwoChannels();
    await confirmed(over);
    over.target.clock.advance(24 * HOUR);
    expect(await click(over, "confirm", await vouchOf(over))).toMatchObject(EXPIRED);
  });

  test("is asked for nothing where something else has made the wait as short", async () => {
    const here = await aliceOnTwoChannels({
      options: { ...COUNTING.options, recovery: { evidence: { oldBackupCode: "6h", secondChannel: "6h" } } },
    });
    await replaced(here);
    await askWith(here, here.backupCodes[0]);
    expect(await waitOf(here)).toBe(6);
    expect(await vouchOf(here)).toBe("");
  });

  test("is none that the owner's mail goes to, now or when it was asked, however that is written, nor one that was reported or is newer", async () => {
    const sent = outbox();
    let email = "Alice@ACME.test";
    const methods = [totp(), emailCode({ send: sent.send }), smsCode({ send: sent.send, countries: ["DE"] })];
    const here = await alice({
      options: {
        ...COUNTING.options,
        methods,
        recovery: { evidence: { secondChannel: "6h" } },
        user: { load: async () => userNamed("alice"), email: () => email },
      },
    });
    const { accounts } = here.target.mfa;
    const verifiedAt = new Date(here.target.clock());
    await accounts.enrollEmail("u1", { address: "alice@acme.test", verifiedAt });
    await accounts.enrollEmail("u1", { address: "evil@other.test", verifiedAt });
    const suspect = (await accounts.factors("u1")).find(({ hint }) => hint?.startsWith("e"));
    await reported(here.target, { factorId: suspect!.id });
    await accounts.enrollPhone("u1", { phone: "+49 151 23456789", verifiedAt });
    await told();
    const jar = await pending(here.target, "alice");
    await jar.post(RECOVERY);
    const token = await tokenOf(here, "confirm");
    email = "now@other.test";
    await accounts.enrollEmail("u1", { address: "NOW@other.test", verifiedAt });
    here.target.clock.advance(1);
    await accounts.enrollEmail("u1", { address: "late@other.test", verifiedAt });
    expect((await click(here, "confirm", token)).status).toBe(200);
    await told();
    const asked = ofKind(here, "recovery-confirmed").filter(({ links }) => links.confirm !== undefined);
    expect(asked.map(({ to }) => to)).toEqual(["+4915123456789"]);
  });

  test.each([
    ["alice@acme.test", "alice+codes@acme.test"],
    ["Alice+Shop@acme.test", "alice@acme.test"],
    ["a.lice@acme.test", "al.ice+2@ACME.test"],
    ["alice@acme.test.", "alice@acme.test"],
    ["Alice <alice@acme.test>", "alice@acme.test"],
    ['"alice"@acme.test', "alice@acme.test"],
    ["alice@b\u00fccher.test", "ALICE@xn--bcher-kva.test"],
  ])("is none that many hosts take for the mailbox on file: %s, and codes to %s", async (email, address) => {
    const here = await alice({ options: { ...COUNTING.options, user: { email: () => email } } });
    await here.target.mfa.accounts.enrollEmail("u1", { address, verifiedAt: new Date(here.target.clock()) });
    await confirmed(here);
    await told();
    const asked = ofKind(here, "recovery-confirmed");
    expect(asked).toHaveLength(2);
    expect(asked.filter(({ links }) => links.confirm !== undefined)).toEqual([]);
  });

  test("is not led any further than to that, and ends the recovery where its code is used to sign in", async () => {
    const sent = outbox();
    const methods = [totp(), backupCodes(), emailCode({ send: sent.send })];
    const here = await aliceOnTwoChannels({ options: { ...COUNTING.options, methods } });
    await shortened(here);
    here.target.clock.advance(6 * HOUR);
    await run(here);
    const beside = here.notices.filter(({ to }) => typeof to === "object" && to.address === SECOND);
    expect(beside.filter(({ links }) => links.complete !== undefined)).toEqual([]);
    expect(await stateOf(here)).toBe("ready");
    const jar = await pending(here.target, "alice");
    await jar.post("/2fa/email-code/send");
    expect((await jar.post("/2fa/email-code", { code: sent.last.code })).status).toBe(200);
    expect(await stateOf(here)).toBe("none");
    // It opens nothing by which the lost one could be replaced.
    expect(await jar.post("/2fa/totp/enroll")).toMatchObject({ status: 401, body: { code: "step-up-required" } });
  });
});

test("what counts is checked at start: no longer than the wait, and with methods that can show it", () => {
  const problems = (recovery: object, methods = [totp(), backupCodes(), emailCode({ send: outbox().send })]) => {
    try {
      secondFactor({ issuer: "Acme", origin: ORIGIN, keys: TEST_KEYS, notify: () => undefined, methods, recovery });
      return [];
    } catch (error) {
      return (error as ConfigurationError).problems;
    }
  };
  const all = { trustedBrowser: "24h", oldBackupCode: "24h", secondChannel: "24h" };
  expect(problems({ evidence: all })).toEqual([]);
  expect(problems({ wait: "12h", evidence: all })).toEqual(Array(3).fill(expect.stringContaining("recovery.wait")));
  expect(problems({ evidence: { ...all, secondChannel: 5 } })).toEqual([expect.stringContaining("secondChannel")]);
  expect(problems({ evidence: all }, [totp()] as never)).toEqual([
    expect.stringContaining("backupCodes()"),
    expect.stringContaining("emailCode()"),
  ]);
});
