// Who asks for a recovery, how often, and what the answer says.
import { describe, expect, test } from "@jest/globals";
import { ConfigurationError, secondFactor, type SecondFactorOptions } from "express-second-factor";
import { DAY, MINUTE, STEP, trusted } from "../support/attack.js";
import { ORIGIN, TEST_KEYS } from "../support/app.js";
import { full, Jar, pending } from "../support/browser.js";
import { alice, click, confirmed, HOUR, ofKind, RECOVERY, run, stateOf, told, tokenOf } from "../support/recovery.js";

describe("asking for a recovery", () => {
  test("is for whoever has given the first factor and no more", async () => {
    const here = await alice();
    expect(await new Jar(here.target).post(RECOVERY)).toMatchObject({ status: 401, body: { code: "login-required" } });
    const carol = new Jar(here.target);
    await carol.login("carol");
    const conflict = { status: 409, body: { code: "conflict" } };
    expect(await carol.post(RECOVERY)).toMatchObject(conflict);
    here.target.clock.advance(STEP);
    const owner = await full(here.target, "alice", here.phone);
    expect(await owner.post(RECOVERY)).toMatchObject(conflict);
    expect(await stateOf(here)).toBe("none");
  });

  test("can be done in a trusted browser, which shortens the wait where that is said", async () => {
    const here = await alice({ options: { recovery: { evidence: { trustedBrowser: "4h" } } } });
    here.target.clock.advance(STEP);
    const jar = await trusted(here.target, "alice", here.phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.post(RECOVERY)).status).toBe(202);
    const { body } = await click(here, "confirm", await tokenOf(here, "confirm"));
    expect(body).toEqual({ completesAt: new Date(here.target.clock() + 4 * HOUR).toISOString() });
    here.target.clock.advance(4 * HOUR);
    await run(here);
    // Whoever signs in there again is not asked for a factor, and has given the first one for all that.
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.post(`${RECOVERY}/complete`, { token: await tokenOf(here, "complete") })).status).toBe(200);
    expect(await jar.isIn()).toBe(false);
    await jar.enroll();
    expect(await jar.isIn()).toBe(true);

    const plain = await alice({ options: { recovery: { evidence: { trustedBrowser: "4h" } } } });
    await confirmed(plain);
    const { recovery } = await plain.target.mfa.accounts.export("u1");
    expect(recovery?.completesAt).toBe(new Date(plain.target.clock() + 24 * HOUR).toISOString());
  });

  test("is done three times in 24 hours, and no more, whatever comes of it", async () => {
    const here = await alice();
    for (let count = 0; count < 3; count += 1) {
      const jar = await pending(here.target, "alice");
      expect((await jar.post(RECOVERY)).status).toBe(202);
    }
    here.target.clock.advance(DAY - 1);
    const jar = await pending(here.target, "alice");
    const refused = await jar.post(RECOVERY);
    expect(refused).toMatchObject({
      status: 429,
      body: { code: "too-many-attempts" },
      headers: { "retry-after": "1" },
    });
    here.target.clock.advance(1);
    expect((await jar.post(RECOVERY)).status).toBe(202);
  });

  test("is answered the same where the owner wants none, no address is known, or one waits already", async () => {
    const withoutAddress = { user: { email: () => undefined } };
    const unverified = { user: { emailVerified: () => false } };
    const answers: unknown[] = [];
    const linked: number[] = [];
    for (const options of [{}, withoutAddress, unverified]) {
      const here = await alice({ options });
      const jar = await pending(here.target, "alice");
      const asked = await jar.post(RECOVERY);
      const seen = await jar.get("/2fa");
      answers.push([asked.status, Object.keys(asked.body as object), (seen.body as { recovery: unknown }).recovery]);
      await told();
      linked.push(here.notices.filter(({ links, to }) => to !== undefined && links.confirm !== undefined).length);
    }
    expect(linked).toEqual([1, 0, 0]);
    const here = await alice();
    here.target.clock.advance(STEP);
    const owner = await full(here.target, "alice", here.phone);
    expect((await owner.post(`${RECOVERY}/opt-out`, { optedOut: true })).status).toBe(204);
    expect((await owner.get("/2fa/settings")).body).toMatchObject({ recovery: { state: "none", optedOut: true } });
    const jar = await pending(here.target, "alice");
    const asked = await jar.post(RECOVERY);
    const seen = await jar.get("/2fa");
    answers.push([asked.status, Object.keys(asked.body as object), (seen.body as { recovery: unknown }).recovery]);
    expect(answers).toEqual(Array(4).fill([202, ["expiresAt"], { state: "requested" }]));
    await told();
    expect(here.notices.flatMap(({ links }) => [links.confirm, links.complete]).filter(Boolean)).toEqual([]);
    expect(here.target.events.at(-1)).toMatchObject({ action: "recovery-refused", reason: "opted-out" });
    expect((await owner.post(`${RECOVERY}/opt-out`, { optedOut: false })).status).toBe(204);
    expect((await jar.post(RECOVERY)).status).toBe(202);
    expect(await stateOf(here)).toBe("requested");
  });

  test("says on the challenge page when this login last asked for a link, and says it to no other", async () => {
    const { target } = await alice();
    const jar = await pending(target, "alice");
    const askedAt = async (): Promise<string | undefined> =>
      /Last asked for at <time datetime="([^"]+)"/.exec((await jar.page("/2fa")).text)?.[1];
    expect(await askedAt()).toBeUndefined();
    for (let times = 0; times < 2; times += 1) {
      expect((await jar.form(RECOVERY)).status).toBe(303);
      expect(await askedAt()).toBe(new Date(target.clock()).toISOString());
      target.clock.advance(MINUTE);
    }
    const later = await pending(target, "alice");
    expect((await later.page("/2fa")).text).not.toContain("Last asked for at");
  });

  test("keeps the time of one that waits", async () => {
    const here = await alice();
    await confirmed(here);
    const { recovery } = await here.target.mfa.accounts.export("u1");
    here.target.clock.advance(HOUR);
    const jar = await pending(here.target, "alice");
    expect((await jar.post(RECOVERY)).status).toBe(202);
    await told();
    expect(ofKind(here, "recovery-requested")).toHaveLength(1);
    expect((await here.target.mfa.accounts.export("u1")).recovery).toEqual(recovery);
  });

  test("switching it off needs a proof of the last five minutes", async () => {
    const here = await alice();
    here.target.clock.advance(STEP);
    const owner = await full(here.target, "alice", here.phone);
    here.target.clock.advance(5 * 60_000 + 1);
    expect((await owner.post(`${RECOVERY}/opt-out`, { optedOut: true })).status).toBe(401);
    expect((await owner.post(`${RECOVERY}/opt-out`, { optedOut: "maybe" })).status).toBe(400);
    const waiting = await pending(here.target, "alice");
    expect((await waiting.post(`${RECOVERY}/opt-out`, { optedOut: true })).status).toBe(401);
  });

  test("is not there where the application does without", async () => {
    for (const options of [{ recovery: false as const }, { notify: undefined as never }]) {
      const here = await alice({ options });
      const jar = await pending(here.target, "alice");
      expect((await jar.post(RECOVERY)).status).toBe(404);
      expect((await jar.get(`${RECOVERY}/confirm?token=x`)).status).toBe(404);
      expect((await jar.get("/2fa")).body).not.toHaveProperty("recovery");
      expect((await jar.page("/2fa")).text).not.toContain("/2fa/recovery");
    }
  });

  test("is configured in words that are checked at start, all problems at once", () => {
    const options = { issuer: "Acme", origin: ORIGIN, keys: TEST_KEYS, notify: () => undefined };
    const problems = (recovery: unknown, more: Partial<SecondFactorOptions> = {}): readonly string[] => {
      try {
        secondFactor({ ...options, ...more, recovery: recovery as never });
        return [];
      } catch (error) {
        return (error as ConfigurationError).problems;
      }
    };
    expect(problems({ wait: "48h" })).toEqual([]);
    expect(problems({ wait: "0s", approve: () => true })).toEqual([]);
    expect(problems({ wait: "0s" })).toEqual([expect.stringContaining("recovery.approve")]);
    expect(problems({ wait: 5, approve: 5, evidence: { trustedBrowser: "soon" }, extra: 1 })).toHaveLength(4);
    expect(problems({ evidence: { backupCode: "4h" } })).toHaveLength(1);
    expect(problems(true)).toHaveLength(1);
    expect(problems({}, { notify: undefined as never })).toEqual([expect.stringContaining("notify")]);
  });
});
