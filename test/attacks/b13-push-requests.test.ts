import { describe, expect, test } from "@jest/globals";
import { copyOf, countIn, distantStore, told, twoServers } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import { wrongNumber } from "../support/phone.js";
import { pushMethods, stateOf, status, TestChannel, waitingFor, withChannel, withPhone } from "../support/push.js";

const WIDTH = 30;
const UNLIMITED = { address: { limit: 10_000, window: "15m" } } as const;

/** Two servers over one distant store, and a user with a phone. */
async function servers(options: object = {}) {
  const channel = new TestChannel();
  const { store, lost } = distantStore();
  const pair = twoServers({ store, options: { methods: pushMethods(channel), limits: UNLIMITED, ...options } });
  const [one, two] = [withChannel(channel, pair[0]), withChannel(channel, pair[1])];
  const phone = await withPhone(one);
  return { one, two, lost, channel, phone };
}

function half(index: number): boolean {
  return index % 2 === 0;
}

describe("thirty simultaneous requests about one approval, half at each of two servers", () => {
  test("B13 thirty polls of one login finish it once", async () => {
    const { lost, one, phone, two } = await servers();
    const { jar, sent } = await waitingFor(one);
    await phone.approve(sent.number);
    const copies = Array.from({ length: WIDTH }, (_none, index) =>
      copyOf(jar as Jar, undefined, half(index) ? one : two),
    );
    const answers = await Promise.all(copies.map((copy) => status(copy as never, sent.requestId)));
    expect(answers.filter(({ body, status: code }) => code === 200 && body.status === "verified")).toHaveLength(1);
    expect(answers.filter(({ status: code }) => code >= 500)).toEqual([]);
    expect(await countIn(copies)).toBe(1);
    expect(told("factor-verified", one, two)).toBe(1);
    expect(told("factor-failed", one, two)).toBe(0);
    expect(lost()).toBeGreaterThan(0);
  });

  test("B13 fifteen approvals and fifteen denials of one request: one is taken, and everybody is told the same", async () => {
    const { lost, one, phone, two } = await servers();
    const outcomes = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const { jar, sent } = await waitingFor(one);
      const request = await phone.request();
      const bodies = await Promise.all(
        Array.from({ length: WIDTH }, (_none, index) =>
          (index + round) % 2 === 0
            ? phone.decideBody(request, "approve", sent.number)
            : phone.decideBody(request, "deny"),
        ),
      );
      const answers = await Promise.all(
        bodies.map((body, index) => new Jar(half(index >> 1) ? one : two).post("/2fa/push/decide", body)),
      );
      const codes = answers.map(({ status: code }) => code).toSorted();
      expect(codes).toEqual([204, ...Array<number>(WIDTH - 1).fill(410)]);
      const taken = answers.findIndex(({ status: code }) => code === 204);
      const state = bodies[taken]!.decision === "approve" ? "approved" : "denied";
      outcomes.add(state);
      expect(await stateOf(jar, sent.requestId)).toBe(state);
      const finished = (await status(jar, sent.requestId)).body as { status?: string };
      expect([finished.status, await jar.isIn()]).toEqual(
        state === "approved" ? ["verified", true] : [undefined, false],
      );
      one.clock.advance(5 * 60_000);
    }
    expect(told("push-approved", one, two) + told("push-denied", one, two)).toBe(3);
    expect(lost()).toBeGreaterThan(0);
  });

  test("B13 thirty wrong numbers at once are three tries, and the right one among them is taken in one of these or not at all", async () => {
    const { one, phone, two } = await servers();
    const { jar, sent } = await waitingFor(one);
    const request = await phone.request();
    const numbers = Array.from({ length: WIDTH }, (_none, index) =>
      index === 15 ? sent.number : wrongNumber(sent.number),
    );
    const bodies = await Promise.all(numbers.map((number) => phone.decideBody(request, "approve", number)));
    const answers = await Promise.all(
      bodies.map((body, index) => new Jar(half(index) ? one : two).post("/2fa/push/decide", body)),
    );
    expect(answers.filter(({ status: code }) => code === 401).length).toBeLessThanOrEqual(3);
    expect(answers.filter(({ status: code }) => ![204, 401, 410].includes(code))).toEqual([]);
    const isApproved = answers[15]!.status === 204;
    expect(await stateOf(jar, sent.requestId)).toBe(isApproved ? "approved" : "denied");
    expect(told("push-approved", one, two) + told("push-denied", one, two)).toBe(1);
  });

  test("B13 thirty requests at once are five, and one of them is open", async () => {
    const { channel, one, phone, two } = await servers();
    const jars = await Promise.all(
      Array.from({ length: WIDTH }, (_none, index) => pending(half(index) ? one : two, "alice")),
    );
    const answers = await Promise.all(jars.map((jar) => jar.post("/2fa/push/send")));
    const asked = answers.flatMap((answer, index) => (answer.status === 202 ? [{ answer, jar: jars[index]! }] : []));
    expect([asked.length, channel.messages.length]).toEqual([5, 5]);
    const states = await Promise.all(asked.map(({ answer, jar }) => stateOf(jar, answer.body.requestId as string)));
    expect(states.toSorted()).toEqual([...Array<string>(4).fill("expired"), "waiting"]);
    expect(await phone.requests()).toHaveLength(1);
  });

  test("B13 an approval beside the request that takes its place: what is approved is never the other one", async () => {
    const { one, phone, two } = await servers();
    const { jar, sent } = await waitingFor(one);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    const [decided, again] = await Promise.all([
      new Jar(two).post("/2fa/push/decide", body),
      jar.post("/2fa/push/send"),
    ]);
    expect([204, 410]).toContain(decided.status);
    expect(again.status).toBe(202);
    expect(await stateOf(jar, again.body.requestId as string)).toBe("waiting");
    expect(await stateOf(jar, sent.requestId)).toBe("expired");
    expect((await status(jar, sent.requestId)).body.status).toBeUndefined();
    expect(await jar.isIn()).toBe(false);
  });
});
