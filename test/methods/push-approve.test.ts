// An owner is asked on their phone from the application's own code: whoever asks has no session, and shows the number by another way.
import { afterEach, describe, expect, test } from "@jest/globals";
import { ConfigurationError, NotAskedError, push, totp, UnavailableError } from "express-second-factor";
import { testApp, type TestApp } from "../support/app.js";
import { ACTOR, ask, type AskedOwner, endAsking, OPERATION, owner } from "../support/asked-owner.js";
import { MINUTE, storedAccount } from "../support/attack.js";
import { pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { wrongNumber } from "../support/phone.js";

afterEach(endAsking);

/** Every text and number in it, however deep. */
function leavesOf(value: unknown): unknown[] {
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(leavesOf) : [value];
}

async function approvalsOf({ target }: Pick<AskedOwner, "target">): Promise<{ request?: unknown } | undefined> {
  const stored = JSON.parse((await storedAccount(target, "alice"))!) as { approvals?: { request?: unknown } };
  return stored.approvals;
}

describe("mfa.approve", () => {
  test("resolves approved where the owner types the number, who reads what is approved and who asks", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    const typed = await number;
    expect(typed).toMatch(/^[0-9]{2}$/);
    const request = await here.phone.request();
    expect(request).toMatchObject({ text: OPERATION, browser: ACTOR });
    expect(request).not.toHaveProperty("ip");
    await here.phone.approve(typed);
    expect(await outcome).toBe("approved");
    expect(here.target.events.filter(({ action }) => action.startsWith("push-"))).toMatchObject([
      { action: "push-requested", userId: "u1", actor: ACTOR, method: "push" },
      { action: "push-approved", userId: "u1", actor: "u1", factorId: here.phone.factorId },
    ]);
  });

  test("shows an operation that is JSON as mfa.require does, and what cannot be seen in it", async () => {
    const here = await owner();
    const { number } = ask(here.target, { operation: { to: "B\u202en", amount: 5 } });
    await number;
    expect((await here.phone.request()).text).toBe('{"amount":5,"to":"B[U+202E]n"}');
  });

  test("uses the answer up: nothing is left of it, and no session can finish with it", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    const typed = await number;
    const { requestId } = await here.phone.request();
    await here.phone.approve(typed);
    const jar = await pending(here.target, "alice");
    expect((await jar.post("/2fa/push/status", { requestId })).status).toBe(404);
    expect(await outcome).toBe("approved");
    expect((await approvalsOf(here))?.request).toBeUndefined();
    expect((await jar.post("/2fa/push/status", { requestId })).status).toBe(404);
    expect(await jar.isIn()).toBe(false);
  });

  test("resolves denied where the owner denies", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    await number;
    await here.phone.deny();
    expect(await outcome).toBe("denied");
  });

  test("resolves denied after three wrong numbers", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    const wrong = wrongNumber(await number);
    for (let count = 0; count < 3; count += 1) await here.phone.approve(wrong).catch(() => undefined);
    expect(await outcome).toBe("denied");
  });

  test("resolves denied where it was not the owner's doing, and asks nothing more until support lifts that", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    await number;
    await here.phone.notMe();
    expect(await outcome).toBe("denied");
    await expect(ask(here.target).outcome).rejects.toMatchObject({
      name: "NotAskedError",
      code: "frozen",
      status: 403,
    });
    await here.target.mfa.accounts.reopenFactors("u1", { actor: "support:7" });
    const again = ask(here.target);
    await here.phone.approve(await again.number);
    expect(await again.outcome).toBe("approved");
  });

  test("resolves expired after two minutes, or as long as it was given", async () => {
    const here = await owner();
    const short = ask(here.target);
    await short.number;
    here.target.clock.advance(2 * MINUTE);
    expect(await short.outcome).toBe("expired");
    const long = ask(here.target, { timeout: "10m" });
    const number = await long.number;
    here.target.clock.advance(10 * MINUTE - 1);
    await here.phone.approve(number);
    expect(await long.outcome).toBe("approved");
  });

  test("resolves expired once a sign-in of the owner's takes its place", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    const typed = await number;
    const jar = await pending(here.target, "alice");
    const { body } = await jar.post("/2fa/push/send");
    expect(await outcome).toBe("expired");
    expect((await here.phone.request()).requestId).toBe(body.requestId);
    expect(typed).toMatch(/^[0-9]{2}$/);
  });

  test("says where an app asks, as configured and never otherwise", async () => {
    const here = await owner();
    await ask(here.target).number;
    const elsewhere = await owner({ options: { origin: () => ["http://localhost:3000"] } });
    await ask(elsewhere.target).number;
    for (const { channel } of [here, elsewhere])
      while (channel.messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const messages = [here, elsewhere].map(({ channel }) => channel.messages[0]!.message);
    expect(messages).toEqual([
      { requestId: expect.any(String), origin: "http://localhost:3000" },
      { requestId: expect.any(String) },
    ]);
  });

  test("has one outcome, thirty decisions at once: the one that was taken", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    const typed = await number;
    const request = await here.phone.request();
    const bodies = await Promise.all([
      ...Array.from({ length: 15 }, () => here.phone.decideBody(request, "approve", typed)),
      ...Array.from({ length: 15 }, () => here.phone.decideBody(request, "deny")),
    ]);
    const jar = await pending(here.target, "mallory");
    const answers = await Promise.all(bodies.map((body) => jar.post("/2fa/push/decide", body)));
    const taken = answers.flatMap(({ status }, index) => (status === 204 ? [bodies[index]!["decision"]] : []));
    expect(taken).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 410)).toHaveLength(29);
    expect(await outcome).toBe(taken[0] === "approve" ? "approved" : "denied");
  });

  test("keeps the number out of events, errors, messages, the store and what the device is told", async () => {
    const here = await owner();
    const { number, outcome } = ask(here.target);
    const typed = await number;
    const request = await here.phone.request();
    const stored = await storedAccount(here.target, "alice");
    await here.phone.approve(wrongNumber(typed)).catch(() => undefined);
    await here.phone.approve(typed);
    await outcome;
    const { errors, events } = here.target;
    const told = leavesOf([events, errors, here.channel.messages, request, JSON.parse(stored!)]);
    expect(told.filter((each) => String(each) === typed)).toEqual([]);
  });
});

describe("mfa.approve asks nobody, and rejects,", () => {
  async function refusal(target: Pick<TestApp, "mfa">, options = {}): Promise<NotAskedError> {
    const error: unknown = await ask(target, options).outcome.catch((reason: unknown) => reason);
    if (!(error instanceof NotAskedError)) throw error;
    return error;
  }

  test("where the user has no device, or not this one: not-found", async () => {
    const bare = testApp({ options: { methods: [totp(), push({ channels: [] })] } });
    expect(await refusal(bare)).toMatchObject({ code: "not-found", status: 404 });
    expect(await refusal((await owner()).target, { factorId: "another" })).toMatchObject({ code: "not-found" });
  });

  test("where sign-ins and calls together have asked five times in fifteen minutes: 429, with the time to wait", async () => {
    const here = await owner();
    for (let count = 0; count < 3; count += 1) {
      expect((await (await pending(here.target, "alice")).post("/2fa/push/send")).status).toBe(202);
    }
    for (let count = 0; count < 2; count += 1) await ask(here.target).number;
    const { code, retryAfter, status } = await refusal(here.target);
    expect({ code, status }).toEqual({ code: "too-many-attempts", status: 429 });
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(15 * 60);
    expect((await (await pending(here.target, "alice")).post("/2fa/push/send")).status).toBe(429);
  });

  test("for five minutes after two that were denied, unless support lifts it", async () => {
    const here = await owner();
    for (let count = 0; count < 2; count += 1) {
      const { number, outcome } = ask(here.target);
      await number;
      await here.phone.deny();
      expect(await outcome).toBe("denied");
    }
    expect(await refusal(here.target)).toMatchObject({ code: "too-many-attempts", retryAfter: 300 });
    expect(await here.target.mfa.accounts.reopenFactors("u1", { actor: "support:7" })).toBe(true);
    expect(here.target.events.at(-1)).toMatchObject({
      ...{ action: "factor-reopened", reason: "back-off" },
      ...{ actor: "support:7", factorId: here.phone.factorId },
    });
    await ask(here.target).number;
  });

  test("where the message is not taken: delivery-failed, and nothing waits or is counted", async () => {
    const here = await owner();
    here.channel.fault = REJECTS;
    for (let count = 0; count < 6; count += 1)
      expect(await refusal(here.target)).toMatchObject({ code: "delivery-failed" });
    expect(await here.phone.requests()).toEqual([]);
  });

  test("where nobody can be shown the number, with what onNumber threw; the device hears nothing", async () => {
    const here = await owner();
    const lost = new Error("The caller has hung up");
    await expect(ask(here.target, { onNumber: () => Promise.reject(lost) }).outcome).rejects.toBe(lost);
    const thrown = (): never => {
      throw lost;
    };
    await expect(ask(here.target, { onNumber: thrown }).outcome).rejects.toBe(lost);
    expect([await here.phone.requests(), here.channel.messages]).toEqual([[], []]);
  });

  test("where onNumber does not answer: UnavailableError, and the device hears nothing", async () => {
    const here = await owner();
    const silent = ask(here.target, { onNumber: () => new Promise(() => undefined), timeout: "50ms" });
    await expect(silent.outcome).rejects.toThrow(UnavailableError);
    await expect(silent.outcome).rejects.toThrow(/onNumber did not answer within 50 ms/);
    expect([await here.phone.requests(), here.channel.messages]).toEqual([[], []]);
  });

  test("with the signal's reason once that is aborted: nobody can approve it any more", async () => {
    const here = await owner();
    const controller = new AbortController();
    const { number, outcome } = ask(here.target, { signal: controller.signal });
    const typed = await number;
    const request = await here.phone.request();
    controller.abort(new Error("The caller has hung up"));
    await expect(outcome).rejects.toThrow("The caller has hung up");
    const body = await here.phone.decideBody(request, "approve", typed);
    expect((await (await pending(here.target, "mallory")).post("/2fa/push/decide", body)).status).toBe(410);
    await expect(ask(here.target, { signal: AbortSignal.abort() }).outcome).rejects.toMatchObject({
      name: "AbortError",
    });
    expect(await here.phone.requests()).toEqual([]);
  });

  test("where the store does not answer, before it is asked or while it waits: UnavailableError", async () => {
    const store = faultyStore();
    const here = await owner({ store });
    const { number, outcome } = ask(here.target);
    await number;
    store.fail("read", REJECTS);
    await expect(outcome).rejects.toMatchObject({ name: "UnavailableError", code: "unavailable" });
    await expect(ask(here.target).outcome).rejects.toThrow(UnavailableError);
  });

  test("where no method asks devices: ConfigurationError that says which one does", async () => {
    const bare = testApp({ options: { methods: [totp()] } });
    await expect(ask(bare).outcome).rejects.toThrow(ConfigurationError);
    await expect(ask(bare).outcome).rejects.toThrow(/methods: \[\.\.\., push\(\{ channels \}\)\]/);
  });
});

const ARGUMENTS: readonly (readonly [options: unknown, says: RegExp])[] = [
  [{ operation: undefined }, /operation: must be text or JSON of at most 500 characters .*, and is undefined/],
  [{ operation: " " }, /operation: /],
  [{ operation: "x".repeat(501) }, /operation: .* at most 500 characters/],
  [{ operation: new Date() }, /operation: .* an object \(Date\)/],
  [{ actor: 7 }, /actor: .* a number/],
  [{ onNumber: undefined }, /onNumber: must be a function, and is undefined/],
  [{ onNumber: "log" }, /onNumber: must be a function, and is text/],
  [{ timeout: 120 }, /timeout: must be a duration of at most 10 minutes.*, and is a number/],
  [{ timeout: "11m" }, /timeout: /],
  [{ factorId: 7 }, /factorId: must be text/],
  [{ signal: {} }, /signal: must be an AbortSignal/],
  [
    { onnumber: 1 },
    /onnumber: there is no such option; there are operation, actor, onNumber, timeout, factorId, signal/,
  ],
];

describe("arguments of mfa.approve that nobody can mean", () => {
  const right = { operation: OPERATION, actor: ACTOR, onNumber: () => undefined };

  test.each(ARGUMENTS)("%j reject with what is wrong, and nobody is asked", async (options, says) => {
    const { events, mfa } = testApp({ options: { methods: [totp(), push({ channels: [] })] } });
    const given = { ...right, ...(options as object) };
    const refused = mfa.approve("u1", given);
    await expect(refused).rejects.toThrow(TypeError);
    await expect(refused).rejects.toThrow(/^mfa\.approve: /);
    await expect(refused).rejects.toThrow(says);
    expect(events).toEqual([]);
  });

  test("are named all at once", async () => {
    const { mfa } = testApp({ options: { methods: [totp(), push({ channels: [] })] } });
    const wrong = mfa.approve(NaN as unknown as string, { ...right, operation: "", timeout: "1h" });
    await expect(wrong).rejects.toThrow(/user's id must be.*NaN; operation: .*; timeout: /);
  });

  test("somebody must ask, and nobody themselves: ConfigurationError", async () => {
    const { mfa } = testApp({ options: { methods: [totp(), push({ channels: [] })] } });
    const { actor: _nobody, ...unnamed } = right;
    const calls = [
      mfa.approve("u1", unnamed as typeof right),
      mfa.approve("u1", undefined as unknown as typeof right),
      mfa.approve("u1", { ...right, actor: null as unknown as string }),
      mfa.approve("u1", { ...right, actor: "" }),
      mfa.approve("u1", { ...right, actor: " \u202e" }),
      mfa.approve("u1", { ...right, actor: "u1" }),
      mfa.approve("u1", { ...right, actor: " U\u200b1" }),
    ];
    for (const call of calls) {
      await expect(call).rejects.toThrow(ConfigurationError);
      await expect(call).rejects.toThrow(/mfa\.approve: actor: /);
    }
  });
});
