import { describe, expect, test } from "@jest/globals";
import { asked, bindTransfer, LARGE, opens, routesFor, SEND, waiting } from "../step-up/stage.js";
import { guarded } from "../support/app.js";
import { cookies, copyOf, dropCookie, MINUTE } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import type { Phone } from "../support/phone.js";
import {
  answeredBy,
  askedBy,
  pushApp,
  type PushApp,
  type PushJar,
  stateOf,
  status,
  waitingFor,
  withPhone,
} from "../support/push.js";

const DECIDE = "/2fa/push/decide";

interface Inside {
  readonly target: PushApp;
  readonly phone: Phone;
  /** alice, who came in by her phone. */
  readonly jar: PushJar;
}

async function inside(): Promise<Inside> {
  const rows = {
    "/transfer": { bind: bindTransfer },
    "/fresh": { maxAge: "5m" },
    "/by-totp": { bind: bindTransfer, methods: ["totp"] },
  } as const;
  const target = pushApp({ routes: routesFor(rows) });
  const phone = await withPhone(target);
  await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" });
  const { jar, sent } = await waitingFor(target);
  await phone.approve(sent.number);
  await status(jar, sent.requestId);
  return { target, phone, jar };
}

describe("an operation that a device approves", () => {
  test("is shown there word for word as where it is asked for, and opens by that once, and nothing else does", async () => {
    const { jar, phone } = await inside();
    const { id: operation, text } = await asked(jar);
    const sent = await askedBy(jar, { operation });
    expect((await phone.request()).text).toBe(text);
    const page = await jar.page(`/2fa/push/wait?operation=${operation}`);
    expect([page.text.includes(text), page.text.includes(sent.number)]).toEqual([true, true]);
    await phone.approve(sent.number);
    const done = await status(jar, sent.requestId);
    expect([done.status, done.body.status]).toEqual([200, "verified"]);
    expect(await opens(jar as Jar, "/transfer", LARGE)).toBe(false);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(true);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(false);
  });

  test("is the one that was asked about, whatever the body names or leaves out; one that names another is 410", async () => {
    const { jar, phone } = await inside();
    const [one, other] = [await asked(jar), await asked(jar, LARGE)];
    const sent = await askedBy(jar, { operation: one.id });
    await phone.approve(sent.number);
    expect((await status(jar, sent.requestId, { operation: other.id })).status).toBe(410);
    expect((await waiting(jar as Jar)).map(({ id }) => id)).toEqual([one.id, other.id]);
    expect((await status(jar, sent.requestId, { operation: one.id })).status).toBe(200);
    expect((await waiting(jar as Jar)).map(({ id }) => id)).toEqual([other.id]);
  });

  test("is none by an approval of the sign-in, nor the other way round", async () => {
    const { jar, phone, target } = await inside();
    const { id: operation } = await asked(jar);
    const plain = await askedBy(jar);
    await phone.approve(plain.number);
    expect((await status(jar, plain.requestId, { operation })).status).toBe(410);
    expect((await status(jar, plain.requestId)).status).toBe(200);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(false);
    target.clock.advance(6 * MINUTE);
    expect(await opens(jar as Jar, "/fresh")).toBe(false);
    const { id } = await asked(jar, LARGE);
    const bound = await askedBy(jar, { operation: id });
    await phone.approve(bound.number);
    expect((await status(jar, bound.requestId)).status).toBe(200);
    expect(await opens(jar as Jar, "/fresh")).toBe(false);
    expect(await opens(jar as Jar, "/transfer", LARGE)).toBe(true);
  });

  test("is asked about only while it waits, in its own login, and where its route takes a device: nothing is counted otherwise", async () => {
    const { jar, target } = await inside();
    const { id: operation } = await asked(jar);
    const { id: byTotp } = await asked(jar, SEND, "/by-totp");
    expect((await jar.post("/2fa/push/send", { operation: byTotp })).status).toBe(400);
    expect((await jar.post("/2fa/push/send", { operation: "unknown" })).status).toBe(410);
    const other = await pending(target, "alice");
    expect((await other.post("/2fa/push/send", { operation })).status).toBe(410);
    await jar.post("/2fa/cancel", { operation });
    expect((await jar.post("/2fa/push/send", { operation })).status).toBe(410);
    expect(target.channel.messages).toHaveLength(1);
  });

  test("is turned away from while the device is asked: its approval opens nothing", async () => {
    const { jar, phone } = await inside();
    const { id: operation } = await asked(jar);
    const sent = await askedBy(jar, { operation });
    await phone.approve(sent.number);
    await jar.post("/2fa/cancel", { operation });
    expect((await status(jar, sent.requestId)).status).toBe(410);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(false);
  });

  test("is confirmed on pages too: from the number by the button to where it leads", async () => {
    const { jar, phone } = await inside();
    const { id: operation } = await asked(jar);
    const begun = await jar.form("/2fa/push/send", { operation });
    expect([begun.status, begun.headers.location]).toEqual([303, `/2fa/push/wait?operation=${operation}`]);
    const { number, requestId } = (await jar.get(begun.headers.location!)).body as {
      number: string;
      requestId: string;
    };
    const early = await jar.form("/2fa/push/status", { requestId, operation });
    expect([early.status, early.text.includes(number)]).toEqual([200, true]);
    await phone.approve(number);
    expect((await jar.form("/2fa/push/status", { requestId, operation })).status).toBe(303);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(true);
  });
});

describe("the browser that asks", () => {
  test("approves nothing: neither in its session, nor by its cookie without one; and no try of the number is used", async () => {
    const target = pushApp();
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    const request = await phone.request();
    const body = await phone.decideBody(request, "approve", sent.number);
    const browser = Object.keys(cookies(jar)).find((name) => name.includes("2fa-browser"))!;
    for (const names of [[browser], ["connect.sid"], ["connect.sid", browser]]) {
      const answer = await copyOf(jar, names).post(DECIDE, body);
      expect([names, answer.status, answer.body.code]).toEqual([names, 403, "same-browser"]);
    }
    expect(await stateOf(jar, sent.requestId)).toBe("waiting");
    expect((await answeredBy(target, phone, "approve", sent.number)).status).toBe(204);
  });

  test("approves nothing for its operations either", async () => {
    const { jar, phone } = await inside();
    const { id: operation } = await asked(jar);
    const sent = await askedBy(jar, { operation });
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    dropCookie(jar, "2fa-browser");
    expect((await jar.post(DECIDE, body)).body.code).toBe("same-browser");
  });

  test.each(["deny", "not-me"] as const)("may well %s", async (decision) => {
    const target = pushApp();
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    expect((await answeredBy(target, phone, decision, undefined, jar)).status).toBe(204);
    expect(await stateOf(jar, sent.requestId)).toBe("denied");
  });

  test("is no other browser of the same user: that one may approve, signed in or not", async () => {
    const { jar, phone, target } = await inside();
    const { jar: second, sent } = await waitingFor(target);
    expect((await answeredBy(target, phone, "approve", sent.number, jar)).status).toBe(204);
    expect((await status(second, sent.requestId)).status).toBe(200);
  });
});

describe("mfa.strategy(push)", () => {
  function strategyApp(): PushApp {
    return pushApp({
      options: { exempt: ["/login", "/logout", "/approved"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("push"));
        app.post("/approved", authenticator.authenticate("push"), guarded);
      },
    });
  }

  test("fails with 401 while the device is waited for, and completes the login once it has approved", async () => {
    const target = strategyApp();
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    const { requestId } = sent;
    for (let polls = 0; polls < 25; polls += 1) expect((await jar.post("/approved", { requestId })).status).toBe(401);
    await phone.approve(sent.number);
    expect((await jar.post("/approved", { requestId })).status).toBe(200);
    expect(await jar.isIn()).toBe(true);
    const other = await pending(target, "alice");
    expect((await other.post("/approved", { requestId })).status).toBe(401);
    expect(await other.isIn()).toBe(false);
  });

  test.each([
    ["denied", (phone: Phone) => phone.deny()],
    ["left alone", async (_phone: Phone, target: PushApp) => target.clock.advance(2 * MINUTE)],
  ])("fails where it was %s, and goes on failing", async (_what, act) => {
    const target = strategyApp();
    const phone = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    await act(phone, target);
    for (let polls = 0; polls < 25; polls += 1)
      expect((await jar.post("/approved", { requestId: sent.requestId })).status).toBe(401);
    expect(await jar.isIn()).toBe(false);
  });

  test.each([undefined, null, 1, {}, ["x"], "", "nonsense"])("fails for %p", async (requestId) => {
    const target = strategyApp();
    await withPhone(target);
    const { jar } = await waitingFor(target);
    expect((await jar.post("/approved", { requestId })).status).toBe(401);
    expect(await jar.isIn()).toBe(false);
  });
});
