import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, jest, test } from "@jest/globals";
import session from "express-session";
import {
  backupCodes,
  emailCode,
  type EmailCodeMessage,
  memoryStore,
  type Notice,
  smsCode,
  type Store,
  totp,
} from "express-second-factor";
import { testApp, type TestAppOptions } from "../support/app.js";
import { copyOf, MINUTE } from "../support/attack.js";
import { enrolled, Jar } from "../support/browser.js";
import { until } from "../support/programs.js";
import {
  addDestination,
  ADDRESS,
  type CodeApp,
  emailApp,
  Outbox,
  waitingForCode,
  withDestination,
} from "../support/message-codes.js";

const PATH = "/2fa/email-code";
const SMS = "/2fa/sms-code";
const NUMBER = "+4915112345678";
const MANY = { limit: 1_000, window: "1s" } as const;

/** Deliveries that end when they are told to, and how. */
class Slow {
  readonly outbox = new Outbox();
  readonly waiting: { readonly message: EmailCodeMessage; end(isTaken: boolean): void }[] = [];
  isSlow = false;

  readonly send = (message: EmailCodeMessage, terms: { readonly signal: AbortSignal }): Promise<unknown> => {
    if (!this.isSlow) return this.outbox.send(message, terms);
    return new Promise<void>((resolve, reject) => {
      const end = (isTaken: boolean): void => (isTaken ? resolve() : reject(new Error("550")));
      this.waiting.push({ message, end });
    });
  };

  /** Asks for a code; answers its delivery and the answer to come. */
  async begin(jar: Jar<CodeApp>, route = "send") {
    this.isSlow = true;
    const before = this.waiting.length;
    const begun = jar.post(`${PATH}/${route}`, route === "enroll" ? { address: ADDRESS } : {}).then((each) => each);
    const answer = begun.then(({ status }) => status);
    await until("it is handed over", async () => this.waiting.length > before);
    return { ...this.waiting[before]!, answer, begun };
  }
}

function slowApp(limits: object): { readonly slow: Slow; readonly target: CodeApp } {
  const slow = new Slow();
  const methods = [emailCode({ send: slow.send }), totp(), backupCodes()];
  return { slow, target: emailApp(slow.outbox, { options: { limits: { emailCooldown: MANY, ...limits } } }, methods) };
}

function smsApp(sms: object, { options, ...given }: TestAppOptions = {}) {
  const sent: unknown[] = [];
  const send = async (message: unknown) => void sent.push(message);
  const methods = [smsCode({ send, countries: ["DE"], ...sms }), totp(), backupCodes()];
  return { ...testApp({ ...given, options: { methods, ...options } }), sent };
}

type SmsApp = ReturnType<typeof smsApp>;

async function waitingForText(target: SmsApp): Promise<Jar<SmsApp>> {
  await target.mfa.accounts.enrollPhone("u1", { phone: NUMBER, verifiedAt: target.clock() });
  const jar = new Jar(target);
  await jar.login("alice");
  return jar;
}

describe("two messages with one code, on their way at once", () => {
  test.each([
    ["first", 0],
    ["second", 1],
  ])("of which the %s is refused after the other was taken, leave it good", async (_which, refused) => {
    const { slow, target } = slowApp({});
    const jar = await waitingForCode(target);
    const both = [await slow.begin(jar), await slow.begin(jar)];
    expect(both[0]!.message.code).toBe(both[1]!.message.code);
    both[1 - refused]!.end(true);
    expect(await both[1 - refused]!.answer).toBe(202);
    both[refused]!.end(false);
    expect(await both[refused]!.answer).toBe(503);
    expect((await jar.post(PATH, { code: both[0]!.message.code })).status).toBe(200);
  });

  test("of which none is taken leave no code that is good", async () => {
    const { slow, target } = slowApp({});
    const jar = await waitingForCode(target);
    const both = [await slow.begin(jar), await slow.begin(jar)];
    for (const each of both) each.end(false);
    for (const each of both) expect(await each.answer).toBe(503);
    expect((await jar.post(PATH, { code: both[0]!.message.code })).status).toBe(401);
  });

  test("to set an address up, of which the first is refused, leave what the second is for", async () => {
    const { slow, target } = slowApp({});
    const jar: Jar<CodeApp> = new Jar(target);
    await jar.login("alice");
    const both = [await slow.begin(jar, "enroll"), await slow.begin(jar, "enroll")];
    both[1]!.end(true);
    const { factorId } = (await both[1]!.begun).body as { factorId: string };
    both[0]!.end(false);
    expect(await both[0]!.answer).toBe(503);
    const { code } = both[1]!.message;
    expect((await jar.post(`${PATH}/enroll/confirm`, { factorId, code })).status).toBe(201);
  });

  test("are counted each in its own window: what is refused later gives nothing back of the next", async () => {
    const { slow, target } = slowApp({ emailSend: { limit: 1, window: "30m" } });
    const jar = await waitingForCode(target);
    const late = await slow.begin(jar);
    target.clock.advance(30 * MINUTE);
    const other = new Jar(target);
    await other.login("alice");
    const next = await slow.begin(other);
    next.end(true);
    expect(await next.answer).toBe(202);
    late.end(false);
    expect(await late.answer).toBe(503);
    expect((await other.post(`${PATH}/send`)).status).toBe(429);
  });
});

describe("an enrollment begun again while another message of the account cools down", () => {
  test("is refused once its code is over, and says nothing of a code that nobody was sent", async () => {
    const target = emailApp();
    const { jar } = await withDestination(target);
    target.clock.advance(2 * MINUTE);
    const body = { address: "second@home.test" };
    expect((await jar.post(`${PATH}/enroll`, body)).status).toBe(202);
    target.clock.advance(5 * MINUTE - 10_000);
    const other = new Jar(target);
    await other.login("alice");
    expect((await other.post(`${PATH}/send`)).status).toBe(202);
    const sent = target.outbox.messages.length;
    // The code that it has is in the mailbox by now.
    expect((await jar.post(`${PATH}/enroll`, body)).status).toBe(202);
    target.clock.advance(20_000);
    const again = await jar.post(`${PATH}/enroll`, body);
    expect([again.status, again.body.code, again.body.reason]).toEqual([429, "too-many-attempts", "sending"]);
    expect(again.headers["retry-after"]).toBeDefined();
    expect(target.outbox.messages).toHaveLength(sent);
  });
});

describe("what all accounts share", () => {
  test("is given back of one budget where the next does not answer", async () => {
    const inner = memoryStore();
    let isBroken = false;
    const store: Store = {
      read: (key) => (isBroken && key.startsWith("sent:smsDay") ? Promise.reject(new Error("gone")) : inner.read(key)),
      write: (key, value, options) => inner.write(key, value, options),
      remove: (key, options) => inner.remove(key, options),
      useClock: (clock) => inner.useClock?.(clock),
    };
    const target = smsApp({}, { store, options: { limits: { smsDestination: { limit: 1, window: "1h" } } } });
    const jar = await waitingForText(target);
    isBroken = true;
    for (let tries = 0; tries < 2; tries += 1) {
      const refused = await jar.post(`${SMS}/send`);
      expect([refused.status, refused.body.code]).toEqual([503, "unavailable"]);
    }
    isBroken = false;
    expect((await jar.post(`${SMS}/send`)).status).toBe(202);
  });

  test("is told as nearly used up once it is, not by a text that another ceiling stops", async () => {
    const limits = {
      smsSend: { limit: 1_000, window: "30m" },
      smsCooldown: MANY,
      smsDestination: { limit: 1_000, window: "48h" },
      smsCountry: { limit: 3, window: "48h" },
    } as const;
    const target = smsApp({ ceilings: { day: 2 } }, { options: { limits } });
    const jar = await waitingForText(target);
    const near = () => target.events.filter(({ action }) => action === "sms-ceiling-near").map(({ reason }) => reason);
    for (const status of [202, 202, 429]) expect((await jar.post(`${SMS}/send`)).status).toBe(status);
    expect(near()).toEqual(["day"]);
    target.clock.advance(24 * 60 * MINUTE);
    const next = new Jar(target);
    await next.login("alice");
    expect((await next.post(`${SMS}/send`)).status).toBe(202);
    expect(near()).toEqual(["day", "country:DE"]);
  });
});

describe("a sender that rejects without a word", () => {
  test("has refused, and is given back to", async () => {
    const outbox = new Outbox();
    let isBroken = false;
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as such senders do
    const send: typeof outbox.send = (...given) => (isBroken ? Promise.reject() : outbox.send(...given));
    const target = emailApp(outbox, {}, [emailCode({ send }), totp(), backupCodes()]);
    const jar = await waitingForCode(target);
    isBroken = true;
    for (let tries = 0; tries < 4; tries += 1) expect((await jar.post(`${PATH}/send`)).status).toBe(503);
    isBroken = false;
    expect((await jar.post(`${PATH}/send`)).status).toBe(202);
  });
});

describe("what a vendor says of a message that it does not take", () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test("is not printed where nobody listens: it repeats where the message goes, and what is in it", async () => {
    const printed = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const outbox = new Outbox();
    const send = async (message: EmailCodeMessage): Promise<void> => {
      if (message.purpose === "enroll") {
        await outbox.send(message, { signal: AbortSignal.timeout(1_000) });
        return;
      }
      const words = `550 <${message.to.address}> unknown: ${message.text}`;
      throw Object.assign(new Error(words), { code: "EENVELOPE", response: words, hint: words });
    };
    const target = emailApp(outbox, {}, [emailCode({ send }), totp(), backupCodes()]);
    target.mfa.events.removeAllListeners("error");
    const jar = await waitingForCode(target);
    expect((await jar.post(`${PATH}/send`)).status).toBe(503);
    const said = JSON.stringify(printed.mock.calls);
    expect(said).toContain("sender failed: DeliveryError: A message was not taken (EENVELOPE)");
    for (const secret of [ADDRESS, "550 <", "sign in"]) expect(said).not.toContain(secret);
  });
});

describe("an address that was sealed by a key that is gone", () => {
  test("keeps nobody from setting up another one", async () => {
    const shared = { store: memoryStore(), sessionStore: new session.MemoryStore() };
    const ring = (): object => ({ keys: `k${randomBytes(4).toString("hex")}:${randomBytes(32).toString("base64")}` });
    const before = emailApp(new Outbox(), { ...shared, options: ring() });
    const { jar, factorId } = await withDestination(before);
    before.clock.advance(2 * MINUTE);
    const notices: Notice[] = [];
    const options = { ...ring(), notify: async (notice: Notice) => void notices.push(notice) };
    const after = emailApp(new Outbox(), { ...shared, clock: before.clock, options });
    const moved = copyOf(jar, undefined, after) as Jar<CodeApp>;
    const body = { address: "second@home.test" };
    expect((await moved.post(`${PATH}/enroll`, body)).status).toBe(202);
    expect(after.outbox.last.to).toEqual(body);
    // In its place too, of which at least the account's own address hears.
    expect((await moved.post(`${PATH}/enroll`, { ...body, replaces: factorId })).status).toBe(202);
    await addDestination(moved, { ...body, replaces: factorId });
    const replaced = () => notices.filter(({ kind }) => kind === "factor-replaced").map(({ to }) => to);
    await until("it is told", async () => replaced().length > 0);
    expect(replaced()).toEqual([{ address: "alice@acme.test" }]);
  });
});

describe("a code of a kind that somebody has no factor of", () => {
  test("is 404 as sending one is, counts nothing, and lets nobody in", async () => {
    const target = emailApp();
    const newcomer = new Jar(target);
    await newcomer.login("mallory");
    expect((await newcomer.post(PATH, { code: "123456" })).status).toBe(404);
    const { phone } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.login("alice");
    for (let tries = 0; tries < 20; tries += 1) {
      const answer = await jar.post(PATH, { code: "123456" });
      expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
    }
    expect(await jar.isIn()).toBe(false);
    expect(await target.mfa.accounts.verify("u1", { method: "email-code", code: "123456" })).toEqual({
      ok: false,
      code: "not-found",
    });
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });
});
