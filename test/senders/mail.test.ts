import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { mailSender } from "express-second-factor/mail";
import { type MailServer, startMailServer } from "../support/mail-server.js";
import { ADDRESS, CODE, expectRefused, expectUnanswered, mailTo, problemsOf } from "./stage.js";

const FROM = "Acme, Inc. <no-reply@acme.test>";

/** What is no single address: each would reach somebody else, or more than one, if it were believed. */
const NO_ADDRESSES: readonly unknown[] = [
  "ann@acme.test\nRCPT TO:<eve@evil.test>",
  "ann@acme.test\r\nRCPT TO:<eve@evil.test>",
  "ann@acme.test, eve@evil.test",
  "ann@acme.test,eve@evil.test",
  "ann@acme.test;eve@evil.test",
  "Eve <eve@evil.test>",
  "<eve@evil.test>",
  '"ann@acme.test" <eve@evil.test>',
  '"ann eve"@acme.test',
  "ann@acme.test (eve@evil.test)",
  "ann@acme.test eve@evil.test",
  "eve@evil.test@acme.test",
  "@evil.test:ann@acme.test",
  "group: ann@acme.test, eve@evil.test;",
  "ann@[127.0.0.1]",
  "ann@127.0.0.1",
  "ann@localhost",
  "ann",
  "@acme.test",
  ".ann@acme.test",
  "ann..eve@acme.test",
  "ann@-acme.test",
  "ann@acme..test",
  "аnn@acme.test",
  "ann@аcme.test",
  "ann@acme.test\u0000",
  "ann@acme.test\u200b",
  `${"a".repeat(65)}@acme.test`,
  `ann@${"a.".repeat(198)}test`,
  "",
  undefined,
  null,
  ["ann@acme.test", "eve@evil.test"],
  { address: "eve@evil.test" },
];

let server: MailServer;

beforeAll(async () => {
  server = await startMailServer();
});

afterEach(() => {
  server.reception = undefined;
});

afterAll(() => server.close());

function sender(options: object = {}) {
  return mailSender({ transport: server.transport(), from: FROM, ...options });
}

describe("a code by e-mail, through a mail server over TLS", () => {
  test("arrives as it was written: subject, text and HTML, from whom the application says, and nobody's machine answers it", async () => {
    const html = `<!doctype html><html lang="de"><p>Ihr Code für Acme: <b>${CODE}</b></p></html>`;
    const message = mailTo(ADDRESS, {
      subject: "Anmeldung bei Bärli & Söhne",
      html,
      locale: "de",
      text: "Grüße:\n492817",
    });
    await sender({ replyTo: "help@acme.test", bounces: "bounces@acme.test" })(message);
    const { from, to, shown, raw } = server.mails.at(-1)!;
    expect([from, to]).toEqual(["bounces@acme.test", [ADDRESS]]);
    expect(shown).toMatchObject({
      from: { name: "Acme, Inc.", address: "no-reply@acme.test" },
      to: [{ name: "", address: ADDRESS }],
      replyTo: [{ address: "help@acme.test" }],
      subject: "Anmeldung bei Bärli & Söhne",
      text: "Grüße:\n492817\n",
    });
    expect(shown.html?.trim()).toBe(html);
    const headers = new Map(shown.headers.map(({ key, value }) => [key, value]));
    expect(headers.get("auto-submitted")).toBe("auto-generated");
    expect(headers.get("content-language")).toBe("de");
    expect(raw.slice(0, raw.indexOf("\r\n\r\n"))).not.toContain(CODE);
  });

  test("goes to the one address it is for, whatever else the transport's defaults and the message name", async () => {
    const defaults = { cc: "eve@evil.test", bcc: "eve@evil.test", headers: { To: "eve@evil.test" } };
    const transport = server.transport();
    Object.assign(transport._defaults, defaults);
    const before = server.named.length;
    const message = {
      ...mailTo(ADDRESS),
      cc: "eve@evil.test",
      bcc: "eve@evil.test",
      envelope: { to: "eve@evil.test" },
    };
    await sender({ transport })(message);
    expect(server.named.slice(before)).toEqual([ADDRESS]);
  });

  test("with line breaks in its subject has no header more", async () => {
    await sender()(mailTo(ADDRESS, { subject: "Acme\r\nBcc: eve@evil.test\r\n\r\nHello" }));
    const { shown, to } = server.mails.at(-1)!;
    expect(to).toEqual([ADDRESS]);
    expect(shown.headers.filter(({ key }) => key === "bcc")).toEqual([]);
    expect(shown.text?.trim()).toBe(mailTo(ADDRESS).text);
  });

  test.each(NO_ADDRESSES)("to %j is refused before the server hears of it", async (address) => {
    const before = server.named.length;
    await expectRefused(sender()(mailTo(address)), { code: "invalid-address", status: undefined });
    expect(server.named.slice(before)).toEqual([]);
  });

  test.each(["ann+2fa@acme.test", "o'neil@acme.test", "a.b_c-d@mail.acme.test", "x@xn--bcher-kva.example"])(
    "to %s is sent",
    async (address) => {
      await sender()(mailTo(address));
      expect(server.mails.at(-1)?.raw).toContain(`\r\nTo: ${address}\r\n`);
    },
  );

  test("that the server refuses is rejected with its code and status, and without its words, which name the address", async () => {
    server.reception = { code: 550, text: `5.1.1 <${ADDRESS}>: no such user, ${CODE}` };
    await expectRefused(sender()(mailTo(ADDRESS)), {
      code: "EENVELOPE",
      status: 550,
      message: "The mail was not taken (EENVELOPE, 550)",
    });
    server.reception = { code: 450, text: `4.7.1 <${ADDRESS}>: try again later` };
    await expectRefused(sender()(mailTo(ADDRESS)), { code: "EENVELOPE", status: 450 });
  });

  test("to a server that is not there, or that nobody vouches for, is refused: nothing was sent", async () => {
    const nowhere = server.transport({ port: 1 });
    await expectRefused(sender({ transport: nowhere })(mailTo(ADDRESS)), { code: "ESOCKET", status: undefined });
    const unknown = server.transport({ tls: { servername: "localhost" } });
    await expectRefused(sender({ transport: unknown })(mailTo(ADDRESS)), { code: "ESOCKET" });
  });

  test("that a server keeps silent about is given up with its connection when it is no longer waited for, and may have been taken", async () => {
    server.reception = "silence";
    const [given, ended] = [new AbortController(), server.ended()];
    const asked = server.asked();
    const sending = sender()(mailTo(ADDRESS), { signal: given.signal });
    await asked;
    given.abort();
    await expectUnanswered(sending);
    await ended;
  });

  test("is not even begun where nobody waits for it", async () => {
    const before = server.named.length;
    await expectUnanswered(sender()(mailTo(ADDRESS), { signal: AbortSignal.abort() }));
    expect(server.named.slice(before)).toEqual([]);
  });

  test("the transport's own time-out, once it is connected, leaves open what became of it", async () => {
    server.reception = "silence";
    const transport = server.transport({ socketTimeout: 50 });
    await expectUnanswered(sender({ transport })(mailTo(ADDRESS)));
  });
});

test("whatever a transport does, a mail is given up after thirty seconds", async () => {
  jest.useFakeTimers({ doNotFake: ["nextTick", "setImmediate", "queueMicrotask"] });
  try {
    const send = mailSender({ transport: { sendMail: () => new Promise(() => undefined) }, from: FROM });
    const sending = expectUnanswered(send(mailTo(ADDRESS)));
    await jest.advanceTimersByTimeAsync(30_000);
    await sending;
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

describe("what is wrong with the options is said at start, all at once", () => {
  const transport = { sendMail: () => Promise.resolve() };

  test.each([
    "no-reply@acme.test",
    "Acme <no-reply@acme.test>",
    '"Acme, Inc." <no-reply@acme.test>',
    { address: "no-reply@acme.test" },
    { name: "Bärli & Söhne", address: "no-reply@acme.test" },
  ])("%j is a sender", (from) => {
    expect(problemsOf(() => mailSender({ transport, from }))).toEqual([]);
  });

  test.each([
    undefined,
    "",
    "Acme",
    "Acme <no-reply@acme.test>, Eve <eve@evil.test>",
    "Acme <no-reply@acme.test\r\nBcc: eve@evil.test>",
    "Acme\nBcc: eve@evil.test <no-reply@acme.test>",
    { name: "Acme\r\nBcc: eve@evil.test", address: "no-reply@acme.test" },
    { name: 1, address: "no-reply@acme.test" },
    ["no-reply@acme.test"],
  ])("%j is none", (from) => {
    expect(problemsOf(() => mailSender({ transport, from: from as string }))).toEqual([
      'mailSender: from must be one address, such as "Acme <no-reply@acme.example>" or { name, address }',
    ]);
  });

  test("each with its mend", () => {
    const wrong = { transport: {}, form: FROM, replyTo: "help", bounces: "a b@acme.test" };
    expect(problemsOf(() => mailSender(wrong as never))).toEqual([
      'mailSender: form: there is no such option; did you mean "from"?',
      "mailSender: transport must be one of nodemailer's: nodemailer.createTransport({ … })",
      expect.stringContaining("mailSender: from must be one address"),
      expect.stringContaining("mailSender: replyTo must be one address"),
      'mailSender: bounces must be an address, such as "bounces@acme.example"',
    ]);
    expect(problemsOf(() => mailSender(undefined as never)).length).toBeGreaterThan(1);
  });
});

test("no vendor's package is a dependency, and none is imported", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as object;
  const { dependencies, peerDependencies } = manifest as Record<string, object>;
  const names = Object.keys({ ...dependencies, ...peerDependencies });
  expect(names.filter((name) => /nodemailer|twilio|aws-sdk/.test(name))).toEqual([]);
});
