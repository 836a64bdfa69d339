// What a browser is shown of codes by e-mail: nothing is sent by looking, and everything can be read without a script.
import { describe, expect, test } from "@jest/globals";
import { MINUTE } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { REJECTS } from "../support/faults.js";
import {
  addDestination,
  ADDRESS,
  type CodeJar,
  codeFor,
  emailApp,
  MASKED,
  otherThan,
  Outbox,
  waitingForCode,
  withDestination,
} from "../support/message-codes.js";

const PATH = "/2fa/email-code";

/** The text that a visitor reads. */
function read(page: string): string {
  return page
    .slice(page.indexOf("<main"))
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ");
}

async function factorIdOf(jar: CodeJar): Promise<string> {
  const { methods } = (await jar.get("/2fa")).body as { methods: { type: string; factors: { id: string }[] }[] };
  return methods.find(({ type }) => type === "email-code")?.factors[0]?.id ?? "";
}

describe("the page that asks for a code by e-mail", () => {
  test("sends nothing when it is loaded, and shows where one would go, masked", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const before = target.outbox.messages.length;
    const pages = [await jar.page("/2fa"), await jar.page("/2fa?method=email-code"), await jar.page("/account")];
    expect(target.outbox.messages).toHaveLength(before);
    expect(read(pages[0]?.text ?? "")).toContain(`Send a code to ${MASKED}`);
    expect(pages.map(({ text }) => text).join()).not.toContain(ADDRESS);
    expect((await jar.page(`${PATH}/send`)).status).toBe(404);
    expect(target.outbox.messages).toHaveLength(before);
  });

  test("says where one went, until when it works and when it can be sent again, beside the field for it", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const sent = await jar.form(`${PATH}/send`, { factorId: await factorIdOf(jar) });
    expect([sent.status, sent.headers.location]).toEqual([303, "/2fa?method=email-code"]);
    const { text } = await jar.page("/2fa?method=email-code");
    expect(read(text)).toContain(`We sent a code to ${MASKED}.`);
    for (const time of [target.clock() + 5 * MINUTE, target.clock() + MINUTE])
      expect(text).toContain(`<time datetime="${new Date(time).toISOString()}">`);
    expect(text).toContain('autocomplete="one-time-code"');
    expect(text).toContain('inputmode="numeric"');
    expect(read(text)).toContain("Send the code again");
    const done = await jar.form(PATH, { code: target.outbox.code });
    expect([done.status, done.headers.location]).toEqual([303, "/account"]);
  });

  test("rounds up when it can be asked for again: at the minute that is shown it is sent", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    target.clock.advance(1);
    const { expiresAt, resendAt } = (await jar.post(`${PATH}/send`)).body as { expiresAt: string; resendAt: string };
    const { text } = await jar.page("/2fa?method=email-code");
    expect(text).toContain(`<time datetime="${expiresAt}">`);
    expect(text).not.toContain(`<time datetime="${resendAt}">`);
    expect(text).toContain(`<time datetime="${new Date(Date.parse(resendAt) + MINUTE - 1).toISOString()}">`);
  });

  test("tells another login nothing of that", async () => {
    const target = emailApp();
    await codeFor(await waitingForCode(target));
    const other = new Jar(target);
    await other.login("alice");
    expect(read((await other.page("/2fa")).text)).not.toContain("We sent a code");
  });

  test("says it in JSON too, to the login that asked", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    await codeFor(jar);
    const { methods } = (await jar.get("/2fa")).body as { methods: { type: string; factors: object[] }[] };
    const [expiresAt, resendAt] = [5 * MINUTE, MINUTE].map((time) => new Date(target.clock() + time).toISOString());
    expect(methods.find(({ type }) => type === "email-code")?.factors).toEqual([
      { id: expect.any(String), label: "E-mail", hint: MASKED, sent: { expiresAt, resendAt } },
    ]);
  });

  test("keeps the field after a wrong code, and says when to ask again where it is too soon", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    const code = await codeFor(jar);
    const wrong = await jar.form(PATH, { code: otherThan(code) });
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain('name="code"');
    const soon = await jar.form(`${PATH}/send`, {});
    expect([soon.status, soon.headers["retry-after"]]).toEqual([429, "60"]);
    expect(soon.text).toContain('role="alert"');
    expect(soon.text).toContain('name="code"');
  });

  test("says that a mail could not be sent", async () => {
    const target = emailApp();
    const jar = await waitingForCode(target);
    target.outbox.fault = REJECTS;
    const failed = await jar.form(`${PATH}/send`, {});
    expect(failed.status).toBe(503);
    expect(failed.text).toContain('role="alert"');
    expect(read(failed.text)).toContain(`Send a code to ${MASKED}`);
  });
});

describe("the pages that set an address up", () => {
  test("take what the application knows where the field is left empty, and show it masked", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const settings = await jar.page("/2fa/settings");
    expect(read(settings.text)).toContain("Leave it empty to use a•••@acme.test.");
    const begun = await jar.form(`${PATH}/enroll`, { address: "", label: "Work" });
    expect([begun.status, begun.headers.location]).toEqual([303, `${PATH}/enroll`]);
    expect(target.outbox.last.to).toEqual({ address: "alice@acme.test" });
  });

  test("show where the code went, take it, and send it again by a button", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.form(`${PATH}/enroll`, { address: ADDRESS });
    const open = await jar.page(`${PATH}/enroll`);
    expect(read(open.text)).toContain(`We sent a code to ${MASKED}.`);
    expect(open.text).toContain(`<time datetime="${new Date(target.clock() + MINUTE).toISOString()}">`);
    const factorId = /name="factorId" value="([^"]+)"/.exec(open.text)?.[1] ?? "";
    const soon = await jar.form(`${PATH}/send`, { factorId });
    expect(soon.status).toBe(429);
    expect(soon.text).toContain(`action="${PATH}/enroll/confirm"`);
    target.clock.advance(MINUTE);
    const again = await jar.form(`${PATH}/send`, { factorId });
    expect([again.status, again.headers.location]).toEqual([303, `${PATH}/enroll`]);
    expect(target.outbox.messages).toHaveLength(2);
    const wrong = await jar.form(`${PATH}/enroll/confirm`, { factorId, code: otherThan(target.outbox.code) });
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain('name="code"');
    const done = await jar.form(`${PATH}/enroll/confirm`, { factorId, code: target.outbox.code });
    expect(done.status).toBe(303);
  });

  test("are over after ten minutes, and then say that alone", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const begun = await jar.post(`${PATH}/enroll`, { address: ADDRESS });
    target.clock.advance(10 * MINUTE);
    const late = await jar.form(`${PATH}/send`, { factorId: begun.body.factorId as string });
    expect(late.status).toBe(410);
    expect(late.text).not.toContain('name="code"');
  });

  test("do not say of a code that is over that it works", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.form(`${PATH}/enroll`, { address: ADDRESS });
    target.clock.advance(4 * MINUTE);
    await jar.form(`${PATH}/enroll`, { address: ADDRESS });
    expect(read((await jar.page(`${PATH}/enroll`)).text)).toContain("It works until");
    target.clock.advance(MINUTE);
    const page = read((await jar.page(`${PATH}/enroll`)).text);
    expect(page).toContain(`We sent a code to ${MASKED}.`);
    expect(page).not.toContain("It works until");
    expect(page).toContain("Send the code again");
  });

  test("say what is wrong with an address, in the method's words, and so does JSON", async () => {
    const messages = { methods: { "email-code": { problems: { "not-an-address": "Das ist keine Adresse." } } } };
    const target = emailApp(new Outbox(), { options: { pages: { messages } } });
    const jar = new Jar(target);
    await jar.login("alice");
    const page = await jar.form(`${PATH}/enroll`, { address: "Ann <ann@acme.test>" });
    expect([page.status, read(page.text)]).toEqual([400, expect.stringContaining("Das ist keine Adresse.")]);
    const json = await jar.post(`${PATH}/enroll`, { address: "Ann <ann@acme.test>" });
    expect(json.body).toMatchObject({ detail: "Das ist keine Adresse.", reason: "not-an-address" });
  });

  test("are open where something was refused: of the new address, and of the one in the place of another", async () => {
    const { jar, factorId } = await withDestination(emailApp());
    const opened = (page: { text: string }): string[] =>
      [...page.text.matchAll(/<details[^>]*\sopen\s*>\s*<summary>(.*?)<\/summary>/gs)].map(([, text]) =>
        read(`<main${text}`),
      );
    const wrong = { address: "Ann <ann@acme.test>" };
    expect(opened(await jar.form(`${PATH}/enroll`, wrong))).toEqual([expect.stringContaining("Get codes by e-mail")]);
    const changing = await jar.form(`${PATH}/enroll`, { ...wrong, replaces: factorId });
    expect([changing.status, opened(changing)]).toEqual([400, [expect.stringContaining("Change the address")]]);
  });

  test("change an address from its row, by proving the new one", async () => {
    const target = emailApp();
    const { jar, factorId } = await withDestination(target);
    target.clock.advance(MINUTE);
    const settings = await jar.page("/2fa/settings");
    expect(read(settings.text)).toContain(MASKED);
    expect(settings.text).toContain(`name="replaces" value="${factorId}"`);
    await addDestination(jar, { address: "new@home.test", replaces: factorId });
    const changed = read((await jar.page("/2fa/settings")).text);
    expect(changed).toContain("n•••@home.test");
    expect(changed).toContain("Authenticator replaced");
  });

  test("offer what is worth more first", async () => {
    const target = emailApp(new Outbox(), { options: { policy: "required" } });
    const jar = new Jar(target);
    await jar.login("dave");
    const page = read((await jar.page("/2fa")).text);
    expect(page.indexOf("Set up an authenticator app")).toBeGreaterThan(-1);
    expect(page.indexOf("Get codes by e-mail")).toBeGreaterThan(page.indexOf("Set up an authenticator app"));
  });
});
