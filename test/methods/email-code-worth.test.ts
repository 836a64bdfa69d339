// What codes by e-mail are worth in the whole of an application: at logins, at routes, in the settings, under a policy.
import { describe, expect, test } from "@jest/globals";
import { backupCodes, emailCode, passkeys, totp } from "express-second-factor";
import { CANARY, type TestAppOptions } from "../support/app.js";
import { HOUR, MINUTE } from "../support/attack.js";
import { type Enrolled, Jar, pending } from "../support/browser.js";
import {
  addDestination,
  type CodeApp,
  type CodeJar,
  codeFor,
  emailApp,
  MASKED,
  Outbox,
  waitingForCode,
} from "../support/message-codes.js";
import { REJECTS } from "../support/faults.js";
import { visibleText } from "../support/text.js";
import { typesIn } from "./weak.js";

const PATH = "/2fa/email-code";

function app(given: TestAppOptions = {}): CodeApp {
  return emailApp(new Outbox(), {
    ...given,
    routes(routed, mfa) {
      routed.get("/proved", mfa.require(), (_req, res) => void res.send(CANARY));
      routed.post("/pay", mfa.require({ bind: () => "Pay Bob" }), (_req, res) => void res.send(CANARY));
    },
  });
}

/** Gives the code that is sent to this login. */
async function give(jar: CodeJar, body: object = {}) {
  return jar.post(PATH, { code: await codeFor(jar), ...body });
}

/** Somebody in a login by a code, who has an authenticator app too. */
async function inByMail(target: CodeApp): Promise<Enrolled & { readonly jar: CodeJar }> {
  const owner: CodeJar = new Jar(target);
  await owner.login("alice");
  const factor = await owner.enroll();
  await addDestination(owner);
  target.clock.advance(HOUR);
  const jar = await pending(target, "alice");
  expect((await give(jar)).status).toBe(200);
  return { ...factor, jar };
}

describe("a login by a code that was mailed", () => {
  test("is one at level 1, opens no route, and says what else would", async () => {
    const target = app();
    const { jar, phone } = await inByMail(target);
    expect((await jar.get("/proved")).body.code).toBe("step-up-required");
    expect(typesIn(await jar.get("/proved"))).toEqual(["totp", "backup-code"]);
    expect((await jar.verify(phone.code(target.clock()))).body.amr).toEqual(["email", "otp", "mfa"]);
    expect((await jar.get("/proved")).text).toBe(CANARY);
  });

  test("has no code sent for an operation, and none is taken for one", async () => {
    const target = app();
    const { jar } = await inByMail(target);
    const { id } = (await jar.post("/pay")).body.operation as { id: string };
    target.clock.advance(MINUTE);
    const count = target.outbox.messages.length;
    expect((await jar.post(`${PATH}/send`, { operation: id })).status).toBe(400);
    expect(target.outbox.messages).toHaveLength(count);
    const code = await codeFor(jar);
    expect((await jar.post(PATH, { code, operation: id })).body.code).toBe("invalid-request");
    expect((await jar.post(PATH, { code })).status).toBe(200);
    expect((await jar.post("/pay")).status).toBe(401);
  });

  test("changes nothing in the settings beside an app, its own address least of all", async () => {
    const { jar, backupCodes: codes } = await inByMail(app());
    const [mail] = (await jar.get("/2fa/settings")).body.factors.filter(
      ({ type }: { type: string }) => type === "email-code",
    );
    for (const [path, body] of [
      [`${PATH}/enroll`, { address: "mallory@acme.test" }],
      [`${PATH}/enroll`, { address: "mallory@acme.test", replaces: mail.id }],
      [`/2fa/factors/${mail.id}/remove`, {}],
      ["/2fa/backup-codes", {}],
    ] as const)
      expect([path, typesIn(await jar.post(path, body))]).toEqual([path, ["totp", "backup-code"]]);
    // One used beside it does what a backup code does, and no more.
    expect((await jar.post("/2fa/backup-code", { code: codes[0] })).status).toBe(200);
    expect((await jar.post("/2fa/backup-codes")).body.except).toBe("backup-code");
    expect((await jar.post(`/2fa/factors/${mail.id}/remove`)).status).toBe(204);
  });
});

describe("the offer of a passkey, after a code by mail beside an app", () => {
  test("is not made, and cannot be declined for its owner", async () => {
    const outbox = new Outbox();
    const methods = [emailCode({ send: outbox.send }), totp(), backupCodes(), passkeys({ offer: true })];
    const { jar, phone } = await inByMail(emailApp(outbox, {}, methods));
    const offer = async () => (await jar.get("/2fa/passkey/offer")).body.offered as boolean;
    expect(await offer()).toBe(false);
    expect(typesIn(await jar.post("/2fa/passkey/offer/decline", { forever: true }))).toEqual(["totp", "backup-code"]);
    await jar.verify(phone.code(jar.target.clock()));
    expect(await offer()).toBe(true);
    expect((await jar.post("/2fa/passkey/offer/decline", { forever: true })).status).toBe(204);
    expect(await offer()).toBe(false);
  });
});

describe("codes by mail as all that somebody has", () => {
  test("bring backup codes, open the settings while fresh, and at routes ask for something to be set up", async () => {
    const target = app();
    const jar = await waitingForCode(target);
    expect((await give(jar)).body).toMatchObject({ status: "verified", amr: ["email"] });
    expect((await jar.get("/2fa/settings")).body).toMatchObject({ backupCodes: { remaining: 10 } });
    expect((await jar.get("/proved")).body).toMatchObject({ code: "enrollment-required", location: "/2fa/settings" });
    expect((await jar.post("/pay")).body).toMatchObject({ code: "enrollment-required" });
    target.clock.advance(16 * MINUTE);
    expect(typesIn(await jar.post("/2fa/totp/enroll"))).toEqual(["email-code", "backup-code"]);
    expect((await give(jar)).status).toBe(200);
    await jar.enroll();
    expect((await jar.get("/proved")).text).toBe(CANARY);
  });

  test("are enough for a policy that demands a factor, also where nothing else can be set up", async () => {
    const outbox = new Outbox();
    const methods = [emailCode({ send: outbox.send }), backupCodes()];
    const target = emailApp(outbox, { options: { policy: "required" } }, methods);
    const jar: CodeJar = await pending(target, "alice");
    expect((await jar.get("/2fa")).body).toMatchObject({ status: "must-enroll", enrollable: ["email-code"] });
    expect((await jar.page("/2fa")).text).toContain(`action="${PATH}/enroll"`);
    expect(outbox.messages).toEqual([]);
    const factorId = await addDestination(jar);
    expect(await jar.isIn()).toBe(true);
    expect(await target.mfa.accounts.status("u1")).toMatchObject({
      enrolled: true,
      methods: ["email-code", "backup-code"],
    });
    expect((await jar.post(`/2fa/factors/${factorId}/remove`)).body.code).toBe("last-factor");
    expect((await jar.post("/2fa/disable")).body.code).toBe("last-factor");
  });
});

describe("the page that asks for it", () => {
  test("sends nothing by being opened, and is gone on with once something was sent, wherever its reader comes back from", async () => {
    const target = app();
    await inByMail(target);
    target.clock.advance(HOUR);
    const jar: CodeJar = await pending(target, "alice");
    const { messages } = target.outbox;
    const count = messages.length;
    for (const path of ["/2fa", "/2fa?method=email-code", "/2fa?method=email-code"]) await jar.page(path);
    expect(messages).toHaveLength(count);
    expect((await jar.page("/2fa")).text).toContain('action="/2fa/totp"');
    expect((await jar.form(`${PATH}/send`)).headers.location).toBe("/2fa?method=email-code");
    expect(messages).toHaveLength(count + 1);
    for (const path of ["/2fa", "/2fa?method=email-code"]) {
      const { text } = await jar.page(path);
      expect(text).toMatch(/<input[^>]* autocomplete="one-time-code"/);
      expect(visibleText(text)).toContain(`We sent a code to ${MASKED}`);
    }
    expect((await jar.page("/2fa?method=totp")).text).toContain('action="/2fa/totp"');
    expect((await jar.get("/2fa")).body.preferred).toBe("totp");
    expect(messages).toHaveLength(count + 1);
  });

  test("says of another that it comes too soon, and not that the first one is refused: it is not", async () => {
    const target = app();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    const again = await jar.form(`${PATH}/send`);
    expect([again.status, again.headers["retry-after"]]).toEqual([429, "60"]);
    const said = visibleText(again.text);
    expect(said).toContain("The next message can be sent in 1 minute. If a code was sent to you here, it still works.");
    expect(said).not.toContain("refused");
    expect(again.text).not.toContain('aria-invalid="true"');
    const { body } = await jar.post(`${PATH}/send`);
    expect(body).toMatchObject({ code: "too-many-attempts", reason: "sending", retryAfter: 60 });
    expect(body.detail).toContain("still works");
    expect((await jar.post(PATH, { code })).status).toBe(200);
  });

  test("says of one that could not be sent that it was not, and still takes the one that was", async () => {
    const target = app();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    target.clock.advance(MINUTE);
    target.outbox.fault = REJECTS;
    const again = await jar.form(`${PATH}/send`);
    expect(again.status).toBe(503);
    expect(again.text).toMatch(/role="alert"[^]*role="status"[^]*autocomplete="one-time-code"/);
    expect(again.text).not.toContain('aria-invalid="true"');
    expect((await jar.post(PATH, { code })).status).toBe(200);
  });
});
