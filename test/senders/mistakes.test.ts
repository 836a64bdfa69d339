import { describe, expect, test } from "@jest/globals";
import {
  consoleSender,
  emailCode,
  type Method,
  secondFactor,
  type SecondFactorOptions,
  smsCode,
  totp,
} from "express-second-factor";
import { emailNotices, mailSender } from "express-second-factor/mail";
import { snsSender } from "express-second-factor/sns";
import { outbox } from "express-second-factor/testing";
import { twilioSender } from "express-second-factor/twilio";
import { TEST_KEYS } from "../support/app.js";
import { problemsOf } from "./stage.js";

const transport = { sendMail: () => Promise.resolve() };
const client = { messages: { create: () => Promise.resolve() } };
const from = "Acme <no-reply@acme.test>";
const byMail = mailSender({ transport, from });
const byText = twilioSender({ client, from: "+15005550006" });
const notices = emailNotices({ transport, from });
const box = outbox();

function mailProblems(send: unknown): readonly string[] {
  return problemsOf(() => emailCode({ send: send as never }));
}

function textProblems(send: unknown): readonly string[] {
  return problemsOf(() => smsCode({ send: send as never, countries: ["DE"] }));
}

function appProblems(options: Partial<SecondFactorOptions>): readonly string[] {
  return problemsOf(() =>
    secondFactor({ issuer: "Acme", origin: "http://localhost:3000", keys: TEST_KEYS, ...options }),
  );
}

function notifyProblems(notify: unknown): readonly string[] {
  return appProblems({ notify: notify as never });
}

describe("what would take nothing over is said at start, with what to write", () => {
  test.each([
    ["mailSender({ transport, from })", mailSender],
    ["twilioSender({ client, from })", twilioSender],
    ["snsSender({ client, PublishCommand })", snsSender],
    ["consoleSender()", consoleSender],
    ["const sent = outbox(); then sent.send, or sent.notify", outbox],
    ["emailNotices({ transport, from })", emailNotices],
  ])("%s that is not called", (call, make) => {
    expect(mailProblems(make)).toEqual([`emailCode: send: call it: ${call}`]);
    expect(textProblems(make)).toEqual([`smsCode: send: call it: ${call}`]);
    expect(notifyProblems(make)).toEqual([`notify: call it: ${call}`]);
  });

  test("a sender of something else", () => {
    expect(mailProblems(byText)).toEqual([
      "emailCode: send: this one takes text messages; what is needed takes mails with codes, such as mailSender({ transport, from }) of express-second-factor/mail",
    ]);
    expect(textProblems(byMail)).toEqual([
      "smsCode: send: this one takes mails with codes; what is needed takes text messages, such as twilioSender({ client, from }) of express-second-factor/twilio",
    ]);
    for (const each of [notices, box.notify]) {
      expect(mailProblems(each)).toEqual([expect.stringContaining("this one takes notices")]);
      expect(textProblems(each)).toEqual([expect.stringContaining("this one takes notices")]);
    }
    for (const each of [byMail, byText, box.send, consoleSender()]) {
      expect(notifyProblems(each)).toEqual([expect.stringContaining("emailNotices({ transport, from })")]);
    }
  });

  test("nothing is said of what is right, nor of functions of the application's own, whatever they are called", () => {
    const own = { mailSender: async () => undefined, emailNotices: async () => undefined };
    for (const send of [byMail, consoleSender(), box.send, own.mailSender]) expect(mailProblems(send)).toEqual([]);
    for (const send of [byText, consoleSender(), box.send, own.mailSender]) expect(textProblems(send)).toEqual([]);
    for (const notify of [notices, box.notify, own.emailNotices]) expect(notifyProblems(notify)).toEqual([]);
  });

  test("a transport or a client in the place of the options is one mistake and not a dozen", () => {
    const sns = { send: () => Promise.resolve() };
    expect(problemsOf(() => mailSender(transport as never))).toEqual([
      "mailSender: the transport is one of the options: { transport, from }",
    ]);
    expect(problemsOf(() => emailNotices(transport as never))).toEqual([
      "emailNotices: the transport is one of the options: { transport, from }",
    ]);
    expect(problemsOf(() => twilioSender(client as never))).toEqual([
      "twilioSender: the client is one of the options: { client, from }",
    ]);
    expect(problemsOf(() => snsSender(sns as never))).toEqual([
      "snsSender: the client is one of the options: { client, PublishCommand }",
    ]);
  });
});

test("a kind of notice that there is none of is named, with the one that was meant", () => {
  const except = ["new-browser", "new-browsr", "login", 7];
  const problems = problemsOf(() => emailNotices({ transport, from, except: except as never }));
  expect(problems).toEqual([
    'emailNotices: except: there is no kind of notice "new-browsr"; did you mean "new-browser"?',
    expect.stringContaining('there is no kind of notice "login"; there are factor-enrolled, '),
    expect.stringContaining("there is no kind of notice 7; there are factor-enrolled, "),
  ]);
});

test("ceilings that are none are said beside names that are none", () => {
  const ceilings = { country: 0, daily: 5 } as never;
  expect(problemsOf(() => smsCode({ send: byText, countries: ["DE"], ceilings }))).toEqual([
    "smsCode: ceilings: daily: there is no such option; there are country, day",
    "smsCode: ceilings.country: must be a whole number from 1",
  ]);
});

test("methods that the strict preset leaves out, all of them, leave nothing to set up", () => {
  const codes: Method[] = [emailCode({ send: byMail }), smsCode({ send: byText, countries: ["DE"] })] as never;
  expect(appProblems({ preset: "strict", methods: codes })).toEqual([
    'preset: "strict" leaves out "email-code", "sms-code": give another method beside them, such as passkeys() or totp()',
  ]);
  expect(appProblems({ preset: "strict", methods: [...codes, totp()] })).toEqual([]);
  expect(appProblems({ methods: codes })).toEqual([]);
});
