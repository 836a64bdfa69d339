import { describe, expect, test } from "@jest/globals";
import { bindTransfer, asked, opens, routesFor, SEND } from "../step-up/stage.js";
import { expectDenied, harmless, HOUR, MINUTE } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import { type Phone, wrongNumber } from "../support/phone.js";
import {
  answeredBy,
  askedBy,
  pushApp,
  type PushApp,
  type PushJar,
  type Sent,
  stateOf,
  status,
  waitingFor,
  withPhone,
} from "../support/push.js";

const DECIDE = "/2fa/push/decide";
const REQUESTS = "/2fa/push/requests";
const FORGED = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP", "True-Client-IP"];

/** Numbers, one after the other, until one is no guess any more. */
async function guessed(target: PushApp, phone: Phone, { number }: Sent): Promise<number> {
  const request = await phone.request();
  for (let tries = 0; ; tries += 1) {
    const body = await phone.decideBody(request, "approve", wrongNumber(number));
    const answer = await new Jar(target).post(DECIDE, body);
    if (answer.status !== 401) return tries;
  }
}

describe("guessing the number of a request, with the device in hand", () => {
  test("B16 has three tries over its life", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    expect(await guessed(target, phone, sent)).toBe(3);
    await expectDenied(jar);
  });

  test("B17 two hundred at once, of all numbers there are: three are compared at most", async () => {
    const target = pushApp({ options: { limits: { address: { limit: 1_000, window: "15m" } } } });
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    const request = await phone.request();
    const bodies = await Promise.all(
      Array.from({ length: 200 }, (_none, index) =>
        phone.decideBody(request, "approve", String(index % 100).padStart(2, "0")),
      ),
    );
    const answers = await Promise.all(bodies.map((body) => new Jar(target).post(DECIDE, body)));
    const compared = answers.filter(({ status: code }) => code === 401 || code === 204);
    expect(compared.length).toBeLessThanOrEqual(3);
    const isApproved = answers.some(({ status: code }) => code === 204);
    expect(await stateOf(jar, sent.requestId)).toBe(isApproved ? "approved" : "denied");
  });

  test("B18 has no more of them by new logins and new requests: each denied one counts, and after two nothing is asked", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    let tries = 0;
    for (let login = 0; login < 10; login += 1) {
      const jar = await pending(target, "alice");
      const answer = await jar.post("/2fa/push/send");
      if (answer.status === 202) tries += await guessed(target, phone, answer.body as Sent);
      else expect(answer.status).toBe(429);
    }
    expect(tries).toBe(6);
    target.clock.advance(HOUR);
    const { sent } = await waitingFor(target);
    expect(await guessed(target, phone, sent)).toBe(3);
    expect((await (await pending(target, "alice")).post("/2fa/push/send")).status).toBe(429);
  });

  test("B16 without its key: signatures that are none are 401 until the address has to wait, and use no try of the owner's", async () => {
    const target = pushApp({ options: { limits: { address: { limit: 20, window: "15m" } } } });
    const phone = await withPhone(target);
    const stranger = await withPhone(target, "mallory");
    const { jar, sent } = await waitingFor(target);
    const request = await phone.request();
    const codes: number[] = [];
    for (let times = 0; times < 30; times += 1) {
      const body = await stranger.decideBody(request, "approve", sent.number);
      codes.push((await new Jar(target).post(DECIDE, body)).status);
    }
    expect(codes).toEqual([...Array<number>(20).fill(401), ...Array<number>(10).fill(429)]);
    expect(await stateOf(jar, sent.requestId)).toBe("waiting");
    // Whoever is signed in, or about to be, is counted apart.
    expect((await status(jar, sent.requestId)).status).toBe(200);
    target.clock.advance(MINUTE);
    await askedBy(jar);
  });

  test("B16 the ids of requests and devices cannot be guessed: the address has to wait", async () => {
    const target = pushApp({ options: { limits: { address: { limit: 10, window: "15m" } } } });
    const phone = await withPhone(target);
    const codes: number[] = [];
    for (let times = 0; times < 15; times += 1) {
      const body = await phone.decideBody({ requestId: `guess-${times}`, text: "" }, "approve", "00");
      codes.push((await new Jar(target).post(DECIDE, body)).status);
    }
    expect(codes).toEqual([...Array<number>(10).fill(404), ...Array<number>(5).fill(429)]);
    const listed = await new Jar(target).post(REQUESTS, await phone.requestsBody());
    expect([listed.status, Number(listed.headers["retry-after"]) > 0]).toEqual([429, true]);
  });

  test.each([false, 1, true])("B19 an invented address brings no try back, with trust proxy %s", async (trust) => {
    const target = pushApp({ before: (app) => void app.set("trust proxy", trust) });
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    const request = await phone.request();
    const codes: number[] = [];
    for (let index = 0; index < 10; index += 1) {
      const forged = Object.fromEntries(FORGED.map((name) => [name, `203.0.113.${index}`]));
      const body = await phone.decideBody(request, "approve", wrongNumber(sent.number));
      codes.push((await new Jar(target).post(DECIDE, body).set(forged)).status);
    }
    expect(codes).toEqual([...Array<number>(3).fill(401), ...Array<number>(7).fill(410)]);
    const forged = { "X-Forwarded-For": "203.0.113.200" };
    for (let times = 0; times < 4; times += 1) await jar.post("/2fa/push/send").set(forged);
    expect((await jar.post("/2fa/push/send").set(forged)).status).toBe(429);
    await expectDenied(jar);
  });
});

describe("what another may do about a request", () => {
  async function inside(target: PushApp, phone: Phone, name: string): Promise<PushJar> {
    const { jar, sent } = await waitingFor(target, name);
    await phone.approve(sent.number);
    await status(jar, sent.requestId);
    return jar;
  }

  test("B20 nothing: neither another user's login nor their device answers, uses or sees it, and no try of it is used", async () => {
    const target = pushApp();
    const [phone, mallorys] = [await withPhone(target), await withPhone(target, "mallory")];
    const mallory = await inside(target, mallorys, "mallory");
    const { jar, sent } = await waitingFor(target);
    expect((await status(mallory, sent.requestId)).status).toBe(404);
    expect((await mallory.get("/2fa/push/wait")).status).toBe(404);
    expect(await mallorys.requests()).toEqual([]);
    const request = await phone.request();
    const forged = await mallorys.decideBody(request, "approve", sent.number);
    const inSession = await mallory.post(DECIDE, forged);
    expect([inSession.status, inSession.body.code]).toEqual([404, "not-found"]);
    expect((await new Jar(target).post(DECIDE, forged)).status).toBe(401);
    expect((await mallory.post("/2fa/push/send", { factorId: phone.factorId })).status).toBe(404);
    expect(await stateOf(jar, sent.requestId)).toBe("waiting");
    await phone.approve(sent.number);
    expect((await status(mallory, sent.requestId)).status).toBe(404);
    expect((await status(jar, sent.requestId)).body.status).toBe("verified");
  });

  test("B20 an approval of the sign-in opens no operation, sets nothing up and steps nothing up in another login", async () => {
    const target = pushApp({ routes: routesFor({ "/transfer": { bind: bindTransfer } }) });
    const phone = await withPhone(target);
    const jar = await inside(target, phone, "alice");
    const { jar: other, sent } = await waitingFor(target);
    await phone.approve(sent.number);
    const { id: operation } = await asked(jar);
    for (const body of [{}, { operation }]) expect((await status(jar, sent.requestId, body)).status).toBe(404);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(false);
    expect((await other.post("/2fa/totp/enroll")).status).toBe(401);
    expect((await other.verify(sent.number)).status).not.toBe(200);
    expect((await other.post("/2fa/backup-code", { code: sent.number })).status).not.toBe(200);
    await expectDenied(other);
  });
});

describe("what is no text, in the requests of push", () => {
  const WRONG: readonly unknown[] = [
    ...[undefined, null, true, false, 0, -1, 1e6, [], {}, [[]], { $ne: null }, { $gt: "" }, { length: 6 }],
    ...["", " ", "\u0000", "x".repeat(5_000), "nonsense", "bm9uc2Vuc2U", "..", "__proto__"],
  ];

  test("B22 a request id of another type is 400 or 404, to whoever asks and to whoever decides, and nothing is counted", async () => {
    const target = pushApp({ options: { limits: { address: { limit: 1_000, window: "15m" } } } });
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    const decision = await phone.decideBody(await phone.request(), "approve", sent.number);
    for (const requestId of [...WRONG, [sent.requestId], { requestId: sent.requestId }, `${sent.requestId}=`]) {
      const code = typeof requestId === "string" && requestId.length <= 4_096 ? 404 : 400;
      const polled = harmless(await status(jar, requestId));
      expect([requestId, polled.status]).toEqual([requestId, code]);
      const decided = harmless(await new Jar(target).post(DECIDE, { ...decision, requestId }));
      expect([requestId, decided.status]).toEqual([requestId, code]);
    }
    expect(await stateOf(jar, sent.requestId)).toBe("waiting");
    expect((await answeredBy(target, phone, "approve", sent.number)).status).toBe(204);
  });

  test.each(["decision", "signature", "number"] as const)(
    "B22 a %s of another type is refused, and no try is used",
    async (member) => {
      const target = pushApp({ options: { limits: { address: { limit: 1_000, window: "15m" } } } });
      const phone = await withPhone(target);
      const { jar, sent } = await waitingFor(target);
      const decision = await phone.decideBody(await phone.request(), "approve", sent.number);
      for (const wrong of [...WRONG, [decision[member]], `${decision[member]} `, `${decision[member]}\n`]) {
        const answer = harmless(await new Jar(target).post(DECIDE, { ...decision, [member]: wrong }));
        const codes = member === "signature" && typeof wrong === "string" ? [400, 401] : [400];
        expect([wrong, codes.includes(answer.status)]).toEqual([wrong, true]);
      }
      expect(await stateOf(jar, sent.requestId)).toBe("waiting");
      expect((await new Jar(target).post(DECIDE, decision)).status).toBe(204);
    },
  );

  test("B22 no member of a device's question for its list is taken as another type", async () => {
    const target = pushApp({ options: { limits: { address: { limit: 1_000, window: "15m" } } } });
    const phone = await withPhone(target);
    const body = await phone.requestsBody();
    for (const member of ["factorId", "time", "signature"] as const) {
      for (const wrong of WRONG) {
        const answer = harmless(await new Jar(target).post(REQUESTS, { ...body, [member]: wrong }));
        expect([member, wrong, answer.status >= 400]).toEqual([member, wrong, true]);
      }
    }
    expect((await new Jar(target).post(REQUESTS, body)).status).toBe(200);
  });

  test("B22 asking takes no device or operation of another type, and counts nothing then", async () => {
    const target = pushApp();
    await withPhone(target);
    const jar = await pending(target, "alice");
    for (const member of ["factorId", "operation"]) {
      for (const wrong of WRONG) {
        // Left out, or written as nothing, it is not named.
        if (wrong === undefined || wrong === null) continue;
        const answer = harmless(await jar.post("/2fa/push/send", { [member]: wrong }));
        expect([member, wrong, [400, 404, 410].includes(answer.status)]).toEqual([member, wrong, true]);
      }
    }
    for (let times = 0; times < 5; times += 1) await askedBy(jar);
  });
});
