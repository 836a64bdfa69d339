import { describe, expect, test } from "@jest/globals";
import { DAY, MINUTE } from "../support/attack.js";
import { full, Jar, pending } from "../support/browser.js";
import { phone as newPhone, wrongNumber } from "../support/phone.js";
import { reported } from "../support/reports.js";
import { answeredBy, askedBy, pushApp, stateOf, status, SUBSCRIPTION, waitingFor, withPhone } from "../support/push.js";

const SECOND = 1_000;
const DECIDE = "/2fa/push/decide";
const REQUESTS = "/2fa/push/requests";

async function begun(options: Parameters<typeof pushApp>[0] = {}) {
  const target = pushApp(options);
  const phone = await withPhone(target);
  return { target, phone };
}

describe("a device that is asked", () => {
  test("approves with the number that the sign-in shows, and the sign-in that asked goes on by it", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    expect(sent).toEqual({
      requestId: expect.any(String),
      number: expect.stringMatching(/^[0-9]{2}$/),
      expiresAt: new Date(target.clock() + 2 * MINUTE).toISOString(),
    });
    const waiting = await status(jar, sent.requestId);
    expect([waiting.status, waiting.body, waiting.headers["retry-after"]]).toEqual([200, { state: "waiting" }, "2"]);
    expect((await answeredBy(target, phone, "approve", sent.number)).status).toBe(204);
    expect(await stateOf(jar, sent.requestId)).toBe("approved");
    expect(await jar.isIn()).toBe(false);
    const done = await status(jar, sent.requestId);
    const body = { status: "verified", redirectTo: "/account", amr: ["swk", "pop", "mfa"] };
    expect([done.status, done.body]).toEqual([200, body]);
    expect(await jar.isIn()).toBe(true);
  });

  test("is shown what is asked, from where, and no number; it is woken with no more than which request it is", async () => {
    const { target, phone } = await begun();
    const jar = new Jar(target);
    await jar.login("alice");
    const asked = jar
      .post("/2fa/push/send")
      .set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    const sent = (await asked).body as { requestId: string; expiresAt: string };
    expect(await phone.requests()).toEqual([
      {
        requestId: sent.requestId,
        text: "Sign in to Acme",
        browser: "Firefox on Linux",
        ip: expect.stringMatching(/127\.0\.0\.1$/),
        expiresAt: sent.expiresAt,
      },
    ]);
    expect(target.channel.messages).toEqual([
      { subscription: SUBSCRIPTION, message: { requestId: sent.requestId, origin: "http://localhost:3000" } },
    ]);
  });

  test("reads what is asked in the words in force where it was asked", async () => {
    const messages = { methods: { push: { request: { signIn: (issuer: string) => `Bei ${issuer} anmelden` } } } };
    const { target, phone } = await begun({ options: { pages: { messages } } });
    await waitingFor(target);
    expect((await phone.request()).text).toBe("Bei Acme anmelden");
  });

  test("is asked without a message where nothing wakes it, and finds what it is asked by itself", async () => {
    const target = pushApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const phone = await newPhone(target);
    await phone.enroll(jar);
    await jar.post("/logout");
    const { jar: asking, sent } = await waitingFor(target);
    expect(target.channel.messages).toEqual([]);
    await phone.approve(sent.number);
    expect((await status(asking, sent.requestId)).body.status).toBe("verified");
  });

  test.each([undefined, null, "", "7", "007", "٠٧", "0x", 7, ["07"]])(
    "does not approve without the two digits of a number: %p is 400, and no try of it",
    async (number) => {
      const { target, phone } = await begun();
      const { jar, sent } = await waitingFor(target);
      const body = await phone.decideBody(await phone.request(), "approve", "00");
      const answer = await new Jar(target).post(DECIDE, { ...body, number });
      expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
      expect(await stateOf(jar, sent.requestId)).toBe("waiting");
    },
  );

  test.each(["deny", "not-me"] as const)(
    "may say %s with a number or none, also in an empty field",
    async (decision) => {
      for (const number of ["", null, undefined, "07"]) {
        const { target, phone } = await begun();
        const { jar, sent } = await waitingFor(target);
        const body = await phone.decideBody(await phone.request(), decision, number ?? undefined);
        expect([number, (await new Jar(target).post(DECIDE, { ...body, number })).status]).toEqual([number, 204]);
        expect(await stateOf(jar, sent.requestId)).toBe("denied");
      }
    },
  );

  test("has three tries for the number: the third wrong one denies, and the right one is too late then", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    const request = await phone.request();
    for (const state of ["waiting", "waiting", "denied"]) {
      const body = await phone.decideBody(request, "approve", wrongNumber(sent.number));
      const answer = await new Jar(target).post(DECIDE, body);
      expect([answer.status, answer.body.code, answer.body.reason]).toEqual([401, "invalid-code", "wrong-number"]);
      expect(answer.body.detail).toMatch(/^That is not the number/);
      expect(await stateOf(jar, sent.requestId)).toBe(state);
    }
    const late = await new Jar(target).post(DECIDE, await phone.decideBody(request, "approve", sent.number));
    expect([late.status, late.body.code]).toEqual([410, "expired"]);
    expect((await status(jar, sent.requestId)).body).toEqual({ state: "denied" });
    expect(await jar.isIn()).toBe(false);
    expect(target.events.filter(({ action }) => action === "push-denied").map(({ reason }) => reason)).toEqual([
      "wrong-number",
    ]);
  });

  test("approves at the third try, after two wrong numbers", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    for (let tries = 0; tries < 2; tries += 1)
      expect((await answeredBy(target, phone, "approve", wrongNumber(sent.number))).status).toBe(401);
    expect((await answeredBy(target, phone, "approve", sent.number)).status).toBe(204);
    expect((await status(jar, sent.requestId)).body.status).toBe("verified");
  });

  test("denies for good: nothing is approved afterwards, and nothing is sent again by itself", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    const request = await phone.request();
    expect((await answeredBy(target, phone, "deny")).status).toBe(204);
    for (const decision of ["approve", "deny", "not-me"] as const) {
      const body = await phone.decideBody(request, decision, sent.number);
      expect((await new Jar(target).post(DECIDE, body)).status).toBe(410);
    }
    for (let poll = 0; poll < 5; poll += 1) {
      expect((await status(jar, sent.requestId)).body).toEqual({ state: "denied" });
      target.clock.advance(30 * SECOND);
    }
    expect(await phone.requests()).toEqual([]);
    expect(target.channel.messages).toHaveLength(1);
    expect(await jar.isIn()).toBe(false);
  });

  test("decides once: the same body sent again is 410, before and after the answer was used", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    const decide = async (): Promise<number> => (await new Jar(target).post(DECIDE, body)).status;
    expect([await decide(), await decide()]).toEqual([204, 410]);
    expect((await status(jar, sent.requestId)).body.status).toBe("verified");
    expect(await decide()).toBe(410);
    const later = await pending(target, "alice");
    await askedBy(later);
    expect(await decide()).toBe(410);
    expect(await later.isIn()).toBe(false);
  });

  test("is asked for two minutes, and not a millisecond more", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    target.clock.advance(30 * SECOND);
    expect((await status(jar, sent.requestId)).headers["retry-after"]).toBe("5");
    target.clock.advance(90 * SECOND - 1);
    expect(await stateOf(jar, sent.requestId)).toBe("waiting");
    expect(await phone.requests()).toHaveLength(1);
    target.clock.advance(1);
    const over = await status(jar, sent.requestId);
    expect([over.status, over.body, over.headers["retry-after"]]).toEqual([200, { state: "expired" }, undefined]);
    expect(await phone.requests()).toEqual([]);
    expect((await new Jar(target).post(DECIDE, body)).status).toBe(410);
  });

  test("has its answer used for a minute where it came in the last moment, and no longer", async () => {
    const { target, phone } = await begun();
    for (const [after, state] of [
      [MINUTE - 1, "verified"],
      [MINUTE, undefined],
    ] as const) {
      const { jar, sent } = await waitingFor(target);
      target.clock.advance(2 * MINUTE - 1);
      await phone.approve(sent.number);
      target.clock.advance(after);
      expect((await status(jar, sent.requestId)).body.status).toBe(state);
    }
  });

  test("is asked one thing at a time: a new login's request cancels the one before, whose answer is nobody's then", async () => {
    const { target, phone } = await begun();
    const first = await waitingFor(target);
    const old = await phone.decideBody(await phone.request(), "approve", first.sent.number);
    const second = await waitingFor(target);
    expect((await phone.request()).requestId).toBe(second.sent.requestId);
    expect((await new Jar(target).post(DECIDE, old)).status).toBe(410);
    const told = await status(first.jar, first.sent.requestId);
    expect([told.status, told.body]).toEqual([200, { state: "expired" }]);
    await phone.approve(second.sent.number);
    expect((await status(second.jar, first.sent.requestId)).status).toBe(404);
    expect((await status(first.jar, second.sent.requestId)).status).toBe(404);
    expect((await status(second.jar, second.sent.requestId)).body.status).toBe("verified");
    expect([await first.jar.isIn(), await second.jar.isIn()]).toEqual([false, true]);
  });

  test("is asked anew by the same login: the second request takes the place of the first, with a number of its own", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    const again = await askedBy(jar);
    expect(again.requestId).not.toBe(sent.requestId);
    expect(await stateOf(jar, sent.requestId)).toBe("expired");
    await phone.approve(again.number);
    expect((await status(jar, sent.requestId)).body).toEqual({ state: "expired" });
    expect((await status(jar, again.requestId)).body.status).toBe("verified");
  });

  test("is the one used last, where the owner has several, or the one that is named", async () => {
    const { target, phone } = await begun();
    const owner = await pending(target, "alice");
    const first = await askedBy(owner);
    await phone.approve(first.number);
    await status(owner, first.requestId);
    target.clock.advance(SECOND);
    const tablet = await newPhone(target);
    await tablet.enroll(owner, { channel: "test", subscription: { token: "the-tablet" } });
    target.clock.advance(MINUTE);
    const { jar } = await waitingFor(target);
    expect([await phone.requests(), await tablet.requests()].map(({ length }) => length)).toEqual([0, 1]);
    const named = await askedBy(jar, { factorId: phone.factorId });
    expect([await phone.requests(), await tablet.requests()].map(({ length }) => length)).toEqual([1, 0]);
    // The other one of the same owner may not decide for it.
    const foreign = await tablet.decideBody(await phone.request(), "approve", named.number);
    expect((await new Jar(target).post(DECIDE, foreign)).status).toBe(404);
    await phone.approve(named.number);
    await status(jar, named.requestId);
    target.clock.advance(MINUTE);
    await askedBy(await pending(target, "alice"));
    expect([await phone.requests(), await tablet.requests()].map(({ length }) => length)).toEqual([1, 0]);
  });

  test.each([
    ["an unknown one", "nobodys-device"],
    ["another user's", "mallorys"],
  ])("is one of the user's own: %s is 404, and nothing is counted", async (_which, factorId) => {
    const { target } = await begun();
    const mallorys = await withPhone(target, "mallory");
    const jar = await pending(target, "alice");
    for (let times = 0; times < 6; times += 1) {
      const asked = await jar.post("/2fa/push/send", {
        factorId: factorId === "mallorys" ? mallorys.factorId : factorId,
      });
      expect([asked.status, asked.body.code]).toEqual([404, "not-found"]);
    }
    await askedBy(jar);
  });

  test("there has to be: whoever has enrolled none is answered 404", async () => {
    const target = pushApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const { phone } = await jar.enroll();
    expect((await jar.post("/2fa/push/send")).status).toBe(404);
    await jar.post("/logout");
    const waiting = await pending(target, "alice");
    expect((await waiting.post("/2fa/push/send")).status).toBe(404);
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
  });

  test("is removed while it is asked: the request is over, approved or not", async () => {
    const { target, phone } = await begun();
    for (const isApproved of [false, true]) {
      const device = isApproved ? await withPhone(target, "carol") : phone;
      const name = isApproved ? "carol" : "alice";
      const { jar, sent } = await waitingFor(target, name);
      const body = await device.decideBody(await device.request(), "approve", sent.number);
      if (isApproved) await device.approve(sent.number);
      await target.mfa.accounts.importTotp(isApproved ? "u3" : "u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" });
      await target.mfa.accounts.removeFactor(isApproved ? "u3" : "u1", device.factorId, { actor: "support" });
      expect((await new Jar(target).post(DECIDE, body)).status).toBe(410);
      const { body: told, status: code } = await status(jar, sent.requestId);
      expect(code === 200 ? told.state : code).toBe(code === 200 ? "expired" : 410);
      expect(await jar.isIn()).toBe(false);
    }
  });
});

describe("the list of a device", () => {
  test("is signed within a minute of the server's clock, in either way to write a time", async () => {
    const { target, phone } = await begun();
    await waitingFor(target);
    const now = target.clock();
    const inTime = [now, now - MINUTE, now + MINUTE];
    for (const at of inTime) {
      const iso = await phone.requestsBody(new Date(at).toISOString());
      const answer = await new Jar(target).post(REQUESTS, iso);
      expect([at - now, answer.status, answer.body.requests.length]).toEqual([at - now, 200, 1]);
      const ms = { ...(await phone.requestsBody(String(at))), time: at };
      expect((await new Jar(target).post(REQUESTS, ms)).status).toBe(200);
    }
    for (const at of [now - MINUTE - 1, now + MINUTE + 1]) {
      const answer = await new Jar(target).post(REQUESTS, await phone.requestsBody(new Date(at).toISOString()));
      expect([at - now, answer.status, answer.body.code]).toEqual([at - now, 401, "invalid-code"]);
    }
    const never = await new Jar(target).post(REQUESTS, await phone.requestsBody("yesterday"));
    expect(never.status).toBe(401);
    for (const time of [now + 0.5, 1e21, "", " ".repeat(41)]) {
      const shapeless = { ...(await phone.requestsBody(String(time))), time };
      const renewal = { ...(await phone.subscriptionBody("test", "token", String(time))), time };
      expect([time, (await new Jar(target).post(REQUESTS, shapeless)).status]).toEqual([time, 400]);
      expect([time, (await new Jar(target).post("/2fa/push/subscription", renewal)).status]).toEqual([time, 400]);
    }
  });

  test("is for the device that signs: a signature of another one, or for another time, is refused, an unknown device is 404", async () => {
    const { target, phone } = await begun();
    const other = await withPhone(target, "mallory");
    await waitingFor(target);
    const body = await phone.requestsBody();
    const { signature } = await other.requestsBody(body.time, phone.factorId);
    expect((await new Jar(target).post(REQUESTS, { ...body, signature })).status).toBe(401);
    const time = new Date(target.clock() + 1).toISOString();
    expect((await new Jar(target).post(REQUESTS, { ...body, time })).status).toBe(401);
    const unknown = await phone.requestsBody(undefined, "nobodys-device");
    expect((await new Jar(target).post(REQUESTS, unknown)).status).toBe(404);
    expect(await other.requests()).toEqual([]);
  });

  test("is empty for a device that a report has suspended, and what it was asked is over", async () => {
    const target = pushApp();
    const owner = new Jar(target);
    await owner.login("alice");
    await owner.enroll();
    const phone = await newPhone(target);
    await phone.enroll(owner);
    const { jar, sent } = await waitingFor(target);
    const body = await phone.decideBody(await phone.request(), "approve", sent.number);
    await reported(target, { kind: "factor-enrolled", factorId: phone.factorId });
    expect(await phone.requests()).toEqual([]);
    expect((await new Jar(target).post(DECIDE, body)).status).toBe(410);
    expect(await jar.isIn()).toBe(false);
  });
});

describe("whoever asked", () => {
  test("finds the number again by the page that waits, in its own session alone", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    const shown = await jar.get("/2fa/push/wait");
    expect([shown.status, shown.body]).toEqual([200, { ...sent, state: "waiting" }]);
    const page = await jar.page("/2fa/push/wait");
    expect([page.status, page.text.includes(sent.number)]).toEqual([200, true]);
    const other = await pending(target, "alice");
    expect((await other.get("/2fa/push/wait")).status).toBe(404);
    const elsewhere = await other.page("/2fa/push/wait");
    expect([elsewhere.status, elsewhere.headers.location]).toEqual([303, "/2fa?method=push"]);
    expect((await new Jar(target).get("/2fa/push/wait")).status).toBe(401);
    await phone.deny();
    expect((await jar.get("/2fa/push/wait")).body.state).toBe("denied");
  });

  test("goes on without a script: a button asks for the answer, and leads on once there is one", async () => {
    const { target, phone } = await begun();
    const jar = await pending(target, "alice");
    const asked = await jar.form("/2fa/push/send");
    expect([asked.status, asked.headers.location]).toEqual([303, "/2fa/push/wait"]);
    const { number, requestId } = (await jar.get("/2fa/push/wait")).body as { number: string; requestId: string };
    const early = await jar.form("/2fa/push/status", { requestId });
    expect([early.status, early.text.includes(number)]).toEqual([200, true]);
    await phone.approve(number);
    const done = await jar.form("/2fa/push/status", { requestId });
    expect([done.status, done.headers.location]).toEqual([303, "/account"]);
    expect(await jar.isIn()).toBe(true);
  });

  test("who came in another way in the meantime is led on by the page that still waits; a client of the API is told 404", async () => {
    const { target, phone } = await begun();
    const jar = await pending(target, "alice");
    await jar.form("/2fa/push/send");
    const page = await jar.page("/2fa/push/wait");
    const shown = /name="shown" value="([^"]+)"/.exec(page.text)?.[1];
    const { number, requestId } = (await jar.get("/2fa/push/wait")).body as { number: string; requestId: string };
    const body = await phone.decideBody(await phone.request(), "approve", number);
    expect((await jar.post("/2fa/backup-code", { code: phone.backupCodes[0] })).status).toBe(200);
    const late = await jar.form("/2fa/push/status", { requestId, shown });
    expect([late.status, late.headers.location]).toEqual([303, "/"]);
    expect((await jar.page("/2fa/push/wait")).status).toBe(303);
    expect((await status(jar, requestId)).status).toBe(404);
    expect((await new Jar(target).post(DECIDE, body)).status).toBe(410);
    expect(await jar.isIn()).toBe(true);
  });

  test("is led from a denied request to the page that says so", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    await phone.deny();
    const { requestId } = sent;
    const told = await jar.form("/2fa/push/status", { requestId });
    expect([told.status, told.headers.location]).toEqual([303, "/2fa/push/wait"]);
    const page = await jar.page("/2fa/push/wait");
    expect([page.status, page.text.includes("was denied")]).toEqual([200, true]);
  });

  test("is another session of the same user: 404, in every state, and nothing is counted", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    const other = await pending(target, "alice");
    for (const act of [undefined, () => phone.approve(sent.number)]) {
      await act?.();
      for (let polls = 0; polls < 25; polls += 1) expect((await status(other, sent.requestId)).status).toBe(404);
    }
    expect((await status(new Jar(target), sent.requestId)).status).toBe(401);
    expect(await other.isIn()).toBe(false);
    expect((await status(jar, sent.requestId)).body.status).toBe("verified");
    expect(target.events.filter(({ outcome }) => outcome === "failure")).toEqual([]);
  });

  test("polls as often as it likes: nothing is counted, and no limit answers", async () => {
    const { target } = await begun({ options: { limits: { address: { limit: 3, window: "15m" } } } });
    const { jar, sent } = await waitingFor(target);
    for (let polls = 0; polls < 30; polls += 1) expect((await status(jar, sent.requestId)).status).toBe(200);
    target.clock.advance(3 * MINUTE);
    for (let polls = 0; polls < 30; polls += 1) expect((await status(jar, sent.requestId)).status).toBe(200);
    for (let polls = 0; polls < 30; polls += 1) expect((await status(jar, "nonsense")).status).toBe(404);
    expect((await status(jar, sent.requestId)).body).toEqual({ state: "expired" });
  });

  test("is over: neither asking nor the answer works in a login that waited too long, or was cancelled", async () => {
    const { target, phone } = await begun();
    const { jar, sent } = await waitingFor(target);
    await phone.approve(sent.number);
    await jar.post("/2fa/cancel");
    expect([401, 410]).toContain((await status(jar, sent.requestId)).status);
    expect(await jar.isIn()).toBe(false);
    const late = await waitingFor(target);
    target.clock.advance(10 * MINUTE);
    expect((await status(late.jar, late.sent.requestId)).status).toBe(410);
    expect((await late.jar.post("/2fa/push/send")).status).not.toBe(202);
  });

  test.each(["/2fa/cancel", "/logout"])("cannot spare itself a report by turning away (%s)", async (path) => {
    const { target, phone } = await begun();
    const { jar } = await waitingFor(target);
    expect((await jar.post(path)).status).toBe(204);
    await phone.notMe();
    expect((await (await pending(target, "alice")).post("/2fa/push/send")).body.code).toBe("frozen");
  });

  test("can have the browser trusted with the answer", async () => {
    const { target, phone } = await begun({ options: { trustedDevices: {} } });
    const { jar, sent } = await waitingFor(target);
    await phone.approve(sent.number);
    expect((await status(jar, sent.requestId, { trustDevice: true })).body.status).toBe("verified");
    await jar.post("/logout");
    await jar.login("alice");
    expect(await jar.isIn()).toBe(true);
    target.clock.advance(DAY);
  });
});
