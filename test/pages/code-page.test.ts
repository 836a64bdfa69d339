import { describe, expect, test } from "@jest/globals";
import { codePage, type CodeWords } from "../../lib/pages/code-page.js";
import { html } from "../../lib/pages/html.js";
import { icon } from "../../lib/pages/icons.js";
import { mergeMessages, messagesFor, type MessageOverrides } from "../../lib/pages/messages.js";
import type { MethodPage } from "../../lib/pages/method-page.js";
import type { PageContext } from "../../lib/pages/views.js";
import {
  challengePage,
  challengeWith,
  contextWith,
  enrollmentPage,
  NOTHING_YET,
  settingsOf,
  settingsPage,
  settingsWith,
  setUpPage,
} from "./sample-pages.js";

const words: CodeWords = {
  name: "Code by e-mail",
  challenge: {
    title: "Enter the code from your e-mail",
    choose: "Use your e-mail",
    label: "6-digit code",
    hint: () => "It is in the message we sent you.",
    unreadable: "Enter the 6 digits of the message.",
    send: (target) => `Send a code to ${target}`,
  },
  enroll: {
    title: "Add your e-mail",
    lead: "We send you a code.",
    submit: "Send the code",
    codeTitle: "Enter the code we sent",
    codeLead: "It may take a minute.",
    codeLabel: "6-digit code",
    codeHint: "Look among the unwanted mail too.",
    codeSubmit: "Turn on",
  },
};
const shapes = html`<rect x="3" y="5" width="18" height="14" />`;
const page = codePage({
  icon: shapes,
  kind: "digits",
  words,
  fields: ({ type }) => html`<label for="sf-${type}-to">To</label><input id="sf-${type}-to" name="to" />`,
});
const choice = { type: "email-code", factors: [{ id: "<1>", label: "Mail", hint: "a…@acme.example" }] };

function contextOf(own: MethodPage): PageContext {
  const pages = new Map([["email-code", own]]);
  return contextWith({ pages, messages: messagesFor(pages) });
}

const context = contextOf(page);

describe("the page of a method from outside", () => {
  test("asks for a code, and sends one to each factor that can take it", () => {
    const asked = challengePage(context, challengeWith({ methods: [choice], selected: "email-code" }));
    expect(asked).toContain("<h1>Enter the code from your e-mail</h1>");
    expect(asked).toMatch(/method="post" action="\/2fa\/email-code">[^]*name="code"[^]*trustDevice/);
    expect(asked).toMatch(
      /action="\/2fa\/email-code\/send"\s*>\s*<input type="hidden" name="factorId" value="&lt;1&gt;"/,
    );
    expect(asked).toContain("Send a code to a…@acme.example");
    expect(asked).toContain(`<div class="sf-mark">${icon(shapes).toString()}</div>`);
  });

  test("says what is wrong with the code in its own words", () => {
    const view = challengeWith({ methods: [choice], problem: { code: "invalid-request" } });
    expect(challengePage(context, view)).toContain(words.challenge.unreadable);
    const failed = challengeWith({ methods: [choice], problem: { code: "delivery-failed" } });
    expect(challengePage(context, failed)).toContain("The message could not be sent.");
  });

  test("can be set up where the policy demands it and on the settings page, with its own fields", () => {
    const first = setUpPage(context, { accountName: "ada" });
    const settings = settingsPage(context, settingsWith({ settings: NOTHING_YET }));
    for (const shown of [first, settings]) {
      expect(shown).toContain('action="/2fa/email-code/enroll"');
      expect(shown).toContain('name="to"');
    }
    expect(first).not.toContain('name="label"');
    expect(settings).toContain('id="sf-email-code-label"');
  });

  test("asks for the code of an enrollment, and again after a wrong one", () => {
    const open = { type: "email-code", factorId: "f1" };
    const begun = enrollmentPage(context, { ...open, answer: {} });
    expect(begun).toContain('action="/2fa/email-code/enroll/confirm"');
    expect(begun).toContain('name="factorId" value="f1"');
    expect(begun).not.toContain('role="alert"');
    expect(enrollmentPage(context, { ...open, problem: { code: "invalid-code" } })).toContain('role="alert"');
  });

  test("without words for it sets nothing up and sends nothing", () => {
    const { send: _send, ...challenge } = words.challenge;
    const bare = contextOf(codePage({ icon: "key", kind: "letters", words: { name: words.name, challenge } }));
    expect(setUpPage(bare, { accountName: "ada" })).toContain(bare.messages.setUp.nothing);
    expect(challengePage(bare, challengeWith({ methods: [choice] }))).not.toContain("/send");
    const lost = enrollmentPage(bare, { type: "email-code", factorId: "f1", answer: {} });
    expect(lost).toContain(bare.messages.problemTitles["not-found"]);
  });

  test("speaks in the words an application gives it; those of a method that is not there are for nobody", () => {
    const overrides: MessageOverrides = {
      methods: {
        totp: { challenge: { hint: (issuer, labels) => `${issuer} ${labels.length}` } },
        "email-code": { name: "Post", enroll: { title: "E-Mail hinzufügen" } },
      },
    };
    const german = { ...context, messages: mergeMessages(context.messages, overrides) };
    expect(setUpPage(german, { accountName: "ada" })).toContain("<h2>E-Mail hinzufügen</h2>");
    expect(Object.keys(german.messages.methods)).toEqual(["email-code"]);
  });
});

test("a factor of a method that is not configured any more can still be removed", () => {
  const listed = settingsPage(context, settingsWith({ settings: settingsOf("Phone") }));
  expect(listed).toContain('action="/2fa/factors/f2/remove"');
});
