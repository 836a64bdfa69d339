// From the route to the provider and back: nothing in between is made up.
import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import twilio from "twilio";
import { backupCodes, emailCode, smsCode, totp, UnavailableError } from "express-second-factor";
import { mailSender } from "express-second-factor/mail";
import { twilioSender } from "express-second-factor/twilio";
import { MINUTE } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { type MailServer, startMailServer } from "../support/mail-server.js";
import { type Provider, startProvider } from "../support/provider.js";
import { ADDRESS, NUMBER } from "./stage.js";

let server: MailServer;
let provider: Provider;

beforeAll(async () => {
  [server, provider] = await Promise.all([startMailServer(), startProvider()]);
});

afterEach(() => {
  server.reception = undefined;
});

afterAll(() => Promise.all([server.close(), provider.close()]));

class Diverted extends twilio.RequestClient {
  override request<T>(options: Parameters<twilio.RequestClient["request"]>[0]) {
    return super.request<T>({ ...options, uri: options.uri.replace("https://api.twilio.com", provider.url) } as never);
  }
}

function sending(timeout: "100ms" | "10s" = "10s"): TestApp {
  const client = twilio(`AC${"0".repeat(32)}`, "token", { httpClient: new Diverted() });
  const byMail = mailSender({ transport: server.transport(), from: "Acme <no-reply@acme.test>" });
  const byText = twilioSender({ client, from: "+15005550006" });
  const sent = [emailCode({ send: byMail, timeout }), smsCode({ send: byText, timeout, countries: ["DE"] })];
  return testApp({ options: { methods: [totp(), ...sent, backupCodes()] } });
}

/** Everything that was told about it, with whatever hangs on it. */
function told({ errors, events }: TestApp): string {
  return inspect([errors, events, errors.map(({ error }) => String(error))], { depth: 9, showHidden: true });
}

async function loggedIn(target: TestApp): Promise<Jar> {
  const jar = new Jar(target);
  await jar.login("alice");
  return jar;
}

describe("a code that goes the whole way", () => {
  test("by e-mail sets a factor up and finishes a login, as its owner reads it out of the mail", async () => {
    const target = sending();
    const jar = await loggedIn(target);
    const { body } = await jar.post("/2fa/email-code/enroll", { address: ADDRESS });
    expect(
      (await jar.post("/2fa/email-code/enroll/confirm", { factorId: body.factorId, code: readCode() })).status,
    ).toBe(201);
    target.clock.advance(MINUTE);
    const later = await loggedIn(target);
    expect((await later.post("/2fa/email-code/send")).status).toBe(202);
    expect((await later.post("/2fa/email-code", { code: readCode() })).status).toBe(200);
    const { from, to, shown } = server.mails.at(-1)!;
    expect([from, to, shown.subject]).toEqual([
      "no-reply@acme.test",
      [ADDRESS],
      expect.not.stringContaining(readCode()),
    ]);
    expect(shown.html).toContain(readCode());
    expect(told(target)).not.toContain(readCode());
    expect(told(target)).not.toContain(ADDRESS);
  });

  test("and is refused by the mail server, is told with the server's code and without its words", async () => {
    const target = sending();
    const jar = await loggedIn(target);
    server.reception = { code: 550, text: `5.1.1 <${ADDRESS}>: no such user` };
    const answer = await jar.post("/2fa/email-code/enroll", { address: ADDRESS });
    expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
    const [{ place, error } = { place: "", error: undefined }] = target.errors;
    expect([place, error]).toMatchObject(["sender", { name: "DeliveryError", code: "EENVELOPE", status: 550 }]);
    expect(told(target)).not.toContain(ADDRESS);
    // Nothing was sent, so nothing is counted: at once again.
    server.reception = undefined;
    expect((await jar.post("/2fa/email-code/enroll", { address: ADDRESS })).status).toBe(202);
  });

  test("and meets silence, is given up, called off and counted", async () => {
    const target = sending("100ms");
    const jar = await loggedIn(target);
    server.reception = "silence";
    const ended = server.ended();
    const answer = await jar.post("/2fa/email-code/enroll", { address: ADDRESS });
    expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
    await ended;
    const [{ error } = { error: undefined }] = target.errors;
    expect([error instanceof UnavailableError, (error as Error).cause]).toEqual([true, undefined]);
    expect(told(target)).not.toContain(ADDRESS);
  });

  test("by SMS is one text with the code in its last line; what Twilio refuses is told without the number", async () => {
    provider.answer = { status: 201, type: "application/json", body: '{"sid":"SM1","status":"queued"}' };
    const target = sending();
    const jar = await loggedIn(target);
    const { body } = await jar.post("/2fa/sms-code/enroll", { phone: NUMBER });
    const { To: to, Body: text = "" } = provider.requests.at(-1)!.form;
    const [, code = ""] = /^@\S+ #(\d{6})$/m.exec(text) ?? [];
    expect(to).toBe(NUMBER);
    expect((await jar.post("/2fa/sms-code/enroll/confirm", { factorId: body.factorId, code })).status).toBe(201);
    target.clock.advance(MINUTE);
    const later = await loggedIn(target);
    const message = `The 'To' number ${NUMBER} is not reachable`;
    provider.answer = { status: 400, type: "application/json", body: JSON.stringify({ code: 21_612, message }) };
    expect((await later.post("/2fa/sms-code/send")).status).toBe(503);
    const [{ error } = { error: undefined }] = target.errors;
    expect(error).toMatchObject({ name: "DeliveryError", code: 21_612, status: 400 });
    for (const secret of [code, NUMBER, NUMBER.slice(1)]) expect(told(target)).not.toContain(secret);
  });
});

/** As its owner reads it. */
function readCode(): string {
  const [code] = /\b\d{6}\b/.exec(server.mails.at(-1)?.shown.text ?? "") ?? [];
  if (code === undefined) throw new Error("The last mail has no code");
  return code;
}
