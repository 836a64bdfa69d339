import { randomBytes } from "node:crypto";
import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { copyOf } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import {
  ACTS_AND_HANGS,
  type Fault,
  faultyKeys,
  faultyStore,
  HANGS,
  named,
  REJECTS,
  THROWS,
} from "../support/faults.js";
import type { Phone } from "../support/phone.js";
import {
  askedBy,
  pushApp,
  type PushApp,
  type PushJar,
  stateOf,
  status,
  TestChannel,
  waitingFor,
  withPhone,
} from "../support/push.js";

const SEND = "/2fa/push/send";

async function begun(): Promise<{ target: PushApp; phone: Phone; jar: PushJar }> {
  const target = pushApp({}, new TestChannel(), { timeout: "100ms" });
  const phone = await withPhone(target);
  return { target, phone, jar: await pending(target, "alice") };
}

function actions({ events }: PushApp): string[] {
  return events.map(({ action }) => action).filter((action) => /^(push|delivery)-/.test(action));
}

describe("a channel that", () => {
  test.each([REJECTS, THROWS])(
    "%j does not take a message is 503: nothing is asked, and it was not counted",
    async (fault) => {
      const { jar, phone, target } = await begun();
      target.channel.fault = fault;
      for (let times = 0; times < 8; times += 1) {
        const answer = await jar.post(SEND);
        expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
        expect(await phone.requests()).toEqual([]);
      }
      expect(new Set(actions(target))).toEqual(new Set(["delivery-failed"]));
      expect(target.errors.map(({ place }) => place)).toContain("sender");
      target.channel.fault = undefined;
      for (let times = 0; times < 5; times += 1) await askedBy(jar);
      expect((await jar.post(SEND)).status).toBe(429);
    },
  );

  test("refuses message after message is asked ten times in a quarter of an hour", async () => {
    const { jar, target } = await begun();
    target.channel.fault = REJECTS;
    for (let times = 0; times < 10; times += 1) expect((await jar.post(SEND)).status).toBe(503);
    const refused = await jar.post(SEND);
    expect([refused.status, refused.body.code, refused.headers["retry-after"]]).toEqual([
      429,
      "too-many-attempts",
      "900",
    ]);
    target.channel.fault = undefined;
    expect((await jar.post(SEND)).status).toBe(429);
    target.clock.advance(15 * 60_000);
    expect((await (await pending(target, "alice")).post(SEND)).status).toBe(202);
  });

  test.each([HANGS, ACTS_AND_HANGS])(
    "%j is 503 in its time, and told by its signal; nothing is asked, and it stays counted",
    async (fault) => {
      const { jar, phone, target } = await begun();
      target.channel.fault = fault;
      for (let times = 0; times < 5; times += 1) {
        const before = Date.now();
        const answer = await jar.post(SEND);
        expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
        expect(Date.now() - before).toBeLessThan(2_000);
        expect(await phone.requests()).toEqual([]);
      }
      expect(target.channel.signals.map(({ aborted }) => aborted)).toEqual(Array<boolean>(5).fill(true));
      target.channel.fault = undefined;
      expect((await jar.post(SEND)).status).toBe(429);
    },
  );

  test("does not answer is told by its name, so that of several it is known which", async () => {
    const { jar, target } = await begun();
    const told: string[] = [];
    target.mfa.events.on("error", ({ error }) => void told.push(String(error)));
    target.channel.fault = HANGS;
    await jar.post(SEND);
    expect(told).toEqual([expect.stringMatching(/: The channel "[a-z-]+" did not answer within \d+ ms$/)]);
  });

  test("fails leaves the request before it cancelled too: what is on its way is not approved", async () => {
    const { jar, phone, target } = await begun();
    const sent = await askedBy(jar);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    target.channel.fault = REJECTS;
    expect((await jar.post(SEND)).status).toBe(503);
    expect((await new Jar(target).post("/2fa/push/decide", body)).status).toBe(410);
    expect(await stateOf(jar, sent.requestId)).toBe("expired");
  });

  test("says that nobody is there any more is not asked again: the device is asked without a message from then on", async () => {
    const { jar, phone, target } = await begun();
    target.channel.isGone = true;
    expect((await jar.post(SEND)).status).toBe(503);
    expect(actions(target)).toEqual(["delivery-failed", "push-unreachable"]);
    const sent = await askedBy(jar);
    expect([target.channel.signals.length, target.channel.messages.length]).toEqual([1, 0]);
    const told = async (): Promise<unknown> => (await phone.device()).requests();
    expect(await told()).toMatchObject({ status: "listed", reached: false });
    await (await phone.device()).renew("test", { token: "another" });
    expect(await told()).toMatchObject({ status: "listed", reached: true });
    await phone.approve(sent.number);
    expect((await status(jar, sent.requestId)).body.status).toBe("verified");
  });

  test("is configured no more wakes nobody: the device finds what it is asked by itself", async () => {
    const { target: before, phone } = await begun();
    const { app, clock, store } = before;
    expect(app).toBeDefined();
    const target = pushApp({ clock, store }, Object.assign(new TestChannel(), { name: "another" }));
    const { jar, sent } = await waitingFor(target);
    expect([before.channel.messages.length, target.channel.messages.length]).toEqual([0, 0]);
    await phone.approve(sent.number);
    expect(await stateOf(jar, sent.requestId)).toBe("approved");
  });
});

describe("a store that does not answer", () => {
  const FAULTS: readonly Fault[] = [REJECTS, HANGS];

  test.each(FAULTS.map((fault) => [named(fault), fault] as const))(
    "(%s) is 503 wherever it is asked, and nothing is let through, used up or lost",
    async (_name, fault) => {
      const store = faultyStore();
      const target = pushApp({ store, options: { storeTimeout: "100ms" } });
      const phone = await withPhone(target);
      const jar = await pending(target, "alice");
      const closed = async (path: string, body: object, by = jar): Promise<void> => {
        for (const verb of ["read", "write"] as const) {
          // Reading alone is done by whoever only looks.
          if (verb === "write" && path.endsWith("requests")) continue;
          store.fail(verb, fault);
          const answer = await by.post(path, body);
          store.heal();
          expect([path, verb, answer.status, answer.body.code]).toEqual([path, verb, 503, "unavailable"]);
        }
      };
      await closed(SEND, {});
      expect(await phone.requests()).toEqual([]);
      const sent = await askedBy(jar);
      const device = new Jar(target);
      await closed("/2fa/push/requests", await phone.requestsBody(), device);
      const { requestId } = sent;
      const approval = await phone.decideBody(await phone.request(), "approve", sent.number);
      await closed("/2fa/push/decide", approval, device);
      expect(await stateOf(jar, requestId)).toBe("waiting");
      expect((await device.post("/2fa/push/decide", approval)).status).toBe(204);
      await closed("/2fa/push/status", { requestId });
      expect(await jar.isIn()).toBe(false);
      expect((await status(jar, requestId)).body.status).toBe("verified");
    },
  );

  test("a key provider that does not answer is 503 as well, and nothing is lost", async () => {
    const keys = faultyKeys();
    const target = pushApp({ options: { keys } });
    const phone = await withPhone(target);
    const jar = await pending(target, "alice");
    for (const verb of ["encrypt", "decrypt"] as const) {
      keys.fail(verb, REJECTS);
      expect((await jar.post(SEND)).status).toBe(503);
      keys.heal();
    }
    const sent = await askedBy(jar);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    keys.fail("decrypt", REJECTS);
    expect((await new Jar(target).post("/2fa/push/decide", body)).status).toBe(503);
    expect((await status(jar, sent.requestId)).status).toBe(503);
    expect((await jar.get("/2fa/push/wait")).status).not.toBe(200);
    keys.heal();
    expect((await new Jar(target).post("/2fa/push/decide", body)).status).toBe(204);
    expect((await status(jar, sent.requestId)).body.status).toBe("verified");
  });

  test("a request that a key has sealed which left the ring is over, and so is what wakes its device: another one works at once", async () => {
    const ring = (id: string): string => `${id}:${randomBytes(32).toString("base64")}`;
    const [old, next] = [ring("old"), ring("new")];
    const { clock, sessionStore, store } = testApp();
    const parts = { clock, sessionStore, store };
    const before = pushApp({ ...parts, options: { keys: old } });
    const phone = await withPhone(before);
    const { jar, sent } = await waitingFor(before);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    // With a bare memory of the account: no server of the new ring starts while anything is sealed by the old one.
    const after = pushApp({ ...parts, options: { keys: next } });
    const same = copyOf(jar, undefined, after) as PushJar;
    expect((await new Jar(after).post("/2fa/push/decide", body)).status).toBe(404);
    expect((await status(same, sent.requestId)).status).toBe(404);
    expect((await same.get("/2fa/push/wait")).status).toBe(404);
    const again = await askedBy(same);
    expect(after.channel.messages).toEqual([]);
    const [open] = (await new Jar(after).post("/2fa/push/requests", await phone.requestsBody())).body.requests;
    const approval = await phone.decideBody(open, "approve", again.number);
    expect((await new Jar(after).post("/2fa/push/decide", approval)).status).toBe(204);
    expect((await status(same, again.requestId)).body.status).toBe("verified");
  });
});
