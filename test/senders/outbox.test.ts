import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { consoleSender } from "express-second-factor";
import { mailSender } from "express-second-factor/mail";
import { outbox } from "express-second-factor/testing";
import { testApp } from "../support/app.js";
import { enrolled } from "../support/browser.js";
import { ADDRESS, CODE, mailTo, NUMBER, problemsOf, textTo } from "./stage.js";

describe("an outbox", () => {
  test("keeps codes by e-mail and by SMS, and answers the last one, by whom it was for", async () => {
    const sent = outbox();
    await sent.send(mailTo(ADDRESS, { code: "111111" }));
    await sent.send({ ...textTo(NUMBER), code: "222222" });
    await sent.send(mailTo("ben@acme.test", { code: "333333" }));
    expect([sent.code(), sent.code(NUMBER), sent.code(ADDRESS)]).toEqual(["333333", "222222", "111111"]);
    expect(sent.messages.map(({ to }) => to)).toEqual([ADDRESS, NUMBER, "ben@acme.test"]);
    expect(sent.to(ADDRESS)).toEqual([{ ...mailTo(ADDRESS), to: ADDRESS, code: "111111" }]);
    expect(sent.last).toMatchObject({ to: "ben@acme.test", subject: "Sign in to Acme", purpose: "login" });
    sent.clear();
    expect([sent.messages, sent.notices]).toEqual([[], []]);
  });

  test("says that nothing was sent where somebody looks for it", async () => {
    const sent = outbox();
    expect(() => sent.last).toThrow("outbox: nothing was sent");
    expect(() => sent.code()).toThrow("outbox: no code was sent");
    await sent.send(mailTo(ADDRESS));
    expect(() => sent.code("ben@acme.test")).toThrow("outbox: no code was sent to ben@acme.test");
  });

  test("is a transport, too: mails stay in it as they would have left", async () => {
    const sent = outbox();
    await mailSender({ transport: sent.transport, from: "no-reply@acme.test" })(mailTo(ADDRESS));
    const { subject, text, html } = mailTo(ADDRESS);
    const headers = { "Auto-Submitted": "auto-generated", "Content-Language": "en" };
    expect(sent.last).toEqual({ to: ADDRESS, subject, text, html, headers });
    expect(() => sent.code()).toThrow("no code was sent");
  });

  test("is told of notices", async () => {
    const sent = outbox();
    await enrolled(testApp({ options: { notify: sent.notify } }), "alice");
    expect(sent.notices.map(({ kind, userId }) => [kind, userId])).toEqual([["factor-enrolled", "u1"]]);
  });
});

describe("a sender that prints", () => {
  const { NODE_ENV } = process.env;

  afterEach(() => {
    process.env.NODE_ENV = NODE_ENV;
    jest.restoreAllMocks();
  });

  async function printed(...message: Parameters<ReturnType<typeof consoleSender>>): Promise<string> {
    const written = jest.spyOn(process.stdout, "write").mockReturnValue(true);
    await consoleSender()(...message);
    const said = written.mock.calls.map(([text]) => String(text)).join("");
    written.mockRestore();
    return said;
  }

  test("says that it is for development and sends nothing, and prints mails and texts as they are", async () => {
    expect(await printed(mailTo(ADDRESS, { text: `Hello,\n\n${CODE}` }))).toBe(
      [
        `[express-second-factor] For development: nothing was sent to ${ADDRESS}, it is printed here.`,
        ...["  Subject: Sign in to Acme", "", "  Hello,", "", `  ${CODE}`, ""],
      ].join("\n"),
    );
    expect(await printed(textTo(NUMBER))).toContain(
      `nothing was sent to ${NUMBER}, it is printed here.\n  ${CODE} is your code.`,
    );
  });

  test("gives the terminal no commands", async () => {
    const said = await printed(mailTo(ADDRESS, { text: "\u001b[2JHello\u202e" }));
    expect(said).toContain("  [U+001B][2JHello[U+202E]\n");
  });

  test("is refused in production, with what there is for it", () => {
    process.env.NODE_ENV = "production";
    expect(problemsOf(consoleSender)).toEqual([expect.stringContaining("production needs mailSender()")]);
  });
});
