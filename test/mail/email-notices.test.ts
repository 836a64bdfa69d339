// What owners read: through a real application, a real mail server over TLS and a reader of mails.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { type NoticeKind, ConfigurationError } from "express-second-factor";
import { emailNotices, type EmailNoticesOptions, englishNotices } from "express-second-factor/mail";
import { type MailServer, type ReceivedMail, startMailServer } from "../support/mail-server.js";
import { MINUTE } from "../support/attack.js";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { type Enrolled, enrolled, Jar, pending } from "../support/browser.js";
import { problemsOf } from "../senders/stage.js";
import { sampleNotice } from "./sample-notices.js";

const FROM = "Acme <security@acme.test>";
const AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

let server: MailServer;

beforeAll(async () => {
  server = await startMailServer();
});

afterEach(() => {
  server.reception = undefined;
});

afterAll(() => server.close());

function mailing(options: Partial<EmailNoticesOptions> = {}): ReturnType<typeof emailNotices> {
  return emailNotices({ transport: server.transport(), from: FROM, retries: [], ...options });
}

interface Here extends Enrolled {
  readonly target: TestApp;
}

/** Whoever enrolls is told of it: that mail is here already. */
async function alice(options: Partial<EmailNoticesOptions> = {}, parts: TestAppOptions = {}): Promise<Here> {
  const target = testApp({ ...parts, options: { notify: mailing(options), ...parts.options } });
  const before = server.mails.length;
  const factor = await enrolled(target, "alice");
  await arrived(before + 1);
  return { target, ...factor };
}

/** The newest mail, once there are so many. */
async function arrived(count: number): Promise<ReceivedMail> {
  for (let turn = 0; server.mails.length < count && turn < 5_000; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turn % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  if (server.mails.length !== count) throw new Error(`${server.mails.length} mails came, not ${count}`);
  return server.mails.at(-1)!;
}

function headerOf({ shown }: ReceivedMail, name: string): string | undefined {
  return shown.headers.find(({ key }) => key === name)?.value;
}

describe("a mail to an owner", () => {
  test("says what happened, when and in which zone, where, and its number in the activity list, as text and as HTML", async () => {
    const { target, phone } = await alice({ zone: "Europe/Berlin" });
    const jar = new Jar(target);
    const before = server.mails.length;
    await jar.login("alice").set("User-Agent", AGENT);
    await jar.verify(phone.code(target.clock())).set("User-Agent", AGENT);
    const mail = await arrived(before + 1);
    const [, line] = (await target.mfa.accounts.export("u1")).activity.toReversed();
    const news = (await target.mfa.accounts.export("u1")).activity.find(({ action }) => action === "new-browser");
    expect(line).toBeDefined();
    expect(mail.to).toEqual(["alice@acme.test"]);
    expect(mail.shown).toMatchObject({
      subject: "Sign-in to Acme on a new browser",
      from: { name: "Acme", address: "security@acme.test" },
    });
    for (const part of [mail.shown.text!, mail.shown.html!]) {
      expect(part).toContain("November 21, 2026 at 1:00:30");
      expect(part).toMatch(/GMT\+1|CET/);
      expect(part).toContain("Firefox on Linux");
      expect(part).toContain(news!.ip!);
      expect(part).toContain(`number ${news!.number}`);
      expect(part).toMatch(/http:\/\/localhost:3000\/2fa\/report\?token=[\w-]+/);
    }
  });

  test("is marked as what no machine answers, and as one of a list; it asks for nothing from elsewhere", async () => {
    await alice();
    const mail = server.mails.at(-1)!;
    expect(headerOf(mail, "auto-submitted")).toBe("auto-generated");
    expect(headerOf(mail, "list-id")).toBe("<security-notices.acme.test>");
    expect(headerOf(mail, "content-language")).toBe("en");
    const html = mail.shown.html!;
    expect(html).not.toMatch(/<img|<script|<link|@import|url\(|src=/i);
    const places = [...html.matchAll(/https?:\/\/[^"'\s<]+/g)].map(([place]) => place);
    expect(places).toHaveLength(1);
    expect(html).toContain('<html lang="en" dir="ltr">');
  });

  test("holds no code, no secret and no id but in its link", async () => {
    const { target, backupCodes, factorId } = await alice();
    const before = server.mails.length;
    await (await pending(target, "alice")).post("/2fa/backup-code", { code: backupCodes[0]! });
    await arrived(before + 2);
    for (const mail of server.mails.slice(before)) {
      const written = `${mail.raw}\n${mail.shown.text}\n${mail.shown.html}`;
      for (const secret of [...backupCodes, factorId]) expect(written).not.toContain(secret);
    }
  });

  test("is sent once, however many processes and requests there are", async () => {
    const { target, factorId, phone } = await alice();
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.verify(phone.code(target.clock()));
    await arrived(server.mails.length + 1).catch(() => undefined);
    const before = server.mails.length;
    await Promise.all(Array.from({ length: 30 }, () => jar.post(`/2fa/factors/${factorId}/remove`)));
    await arrived(before + 1);
    await expect(arrived(before + 2)).rejects.toThrow();
  });

  test("makes no link of what somebody calls a browser or a factor", async () => {
    const { target, phone, factorId } = await alice();
    const jar = new Jar(target);
    const before = server.mails.length;
    await jar.login("alice").set("User-Agent", "evil.test/1");
    await jar.verify(phone.code(target.clock())).set("User-Agent", "evil.test/1");
    const label = '<a href="https://evil.test">x</a>';
    await jar.post(`/2fa/factors/${factorId}/rename`, { label }).set("User-Agent", "evil.test/1");
    await arrived(before + 2);
    for (const { shown } of server.mails.slice(before)) {
      expect(shown.text).not.toMatch(/evil\.test|https:\/\/evil/);
      expect(shown.html).not.toMatch(/evil\.test|https:\/\/evil|<a href="https/);
    }
    expect(server.mails.at(-2)!.shown.text).toContain("Browser: Unknown browser");
  });

  test("nor of what is written with the wide signs of other scripts", async () => {
    const { target, phone, factorId } = await alice();
    const jar = new Jar(target);
    const before = server.mails.length;
    await jar.login("alice");
    await jar.verify(phone.code(target.clock()));
    await jar.post(`/2fa/factors/${factorId}/rename`, { label: "evil\u3002test evil\uFF0Etest" });
    await arrived(before + 2);
    const { html, text } = server.mails.at(-1)!.shown;
    for (const shown of [html, text]) expect(shown).toMatch(/evil\u3002\u2060test evil\uFF0E\u2060test/);
  });

  test.each([
    ["Your password was stolen, call 0900 123 456/1 now", "Your"],
    ["Call-0900-123456/1 (Windows NT 10.0)", "Unknown browser"],
    ["AcmeApp/3.2 (iPhone; iOS 18)", "AcmeApp on iOS"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"],
  ])("says no sentence that a browser calls itself: %s", async (agent, name) => {
    const { target, phone } = await alice();
    const jar = new Jar(target);
    const before = server.mails.length;
    await jar.login("alice").set("User-Agent", agent);
    await jar.verify(phone.code(target.clock())).set("User-Agent", agent);
    await arrived(before + 1);
    expect(server.mails.at(-1)!.shown.text).toContain(`Browser: ${name}\n`);
  });

  test("goes to the address that was proved before, too, where another took its place", async () => {
    const notify = mailing();
    const before = server.mails.length;
    await notify({ ...sampleNotice("factor-replaced"), to: { address: "old@acme.test" } });
    await notify({ ...sampleNotice("factor-replaced"), to: "+4915112345678" });
    expect((await arrived(before + 1)).to).toEqual(["old@acme.test"]);
  });

  test("is in the language that the application has words for, written as that language is", async () => {
    const german = {
      lang: "ar",
      when: "Wann",
      kinds: { "factor-enrolled": { title: (issuer: string) => `Neuer zweiter Faktor bei ${issuer}` } },
    };
    const asked: string[] = [];
    const messages = (locale: string): typeof german => {
      asked.push(locale);
      return german;
    };
    await alice({ messages }, { options: { user: { locale: () => "ar-EG" } } });
    const { shown } = server.mails.at(-1)!;
    expect([asked.at(-1), shown.subject]).toEqual(["ar-EG", "Neuer zweiter Faktor bei Acme"]);
    expect(shown.html).toContain('<html lang="ar" dir="rtl">');
    expect(shown.text).toContain("Wann: ");
  });

  test.each<[string, () => never]>([
    [
      "throws",
      () => {
        throw new Error("no such file");
      },
    ],
    ["answers nothing", () => undefined as never],
    ["answers what is no message", () => ({ lang: 7, kinds: "none" }) as never],
    ["answers no language", () => ({ lang: "!" }) as never],
  ])("is in English where the function of its words %s", async (_name, messages) => {
    const before = server.mails.length;
    await mailing({ messages })(sampleNotice("factor-enrolled"));
    expect((await arrived(before + 1)).shown.subject).toBe("An authenticator was added to your Acme account");
  });

  test("is not sent for kinds that are switched off", async () => {
    const before = server.mails.length;
    const notify = mailing({ except: ["new-browser"] });
    await notify(sampleNotice("new-browser"));
    await notify(sampleNotice("locked"));
    expect((await arrived(before + 1)).shown.subject).toContain("Too many wrong codes");
  });

  test.each([
    ["recovery-requested", "confirm", "Then go on here", "Confirm that it is you"],
    ["recovery-confirmed", "confirm", "the waiting time gets shorter", "Confirm from here, too"],
    ["recovery-ready", "complete", "Then go on here", "Set up a new authenticator"],
    ["recovery-half-time", undefined, "nothing to do about this mail", undefined],
  ] as const)("of a recovery has the link that stops it as its button: %s", async (kind, way, lead, on) => {
    const before = server.mails.length;
    const cancel = "https://acme.test/2fa/recovery/cancel?token=stop";
    const link = "https://acme.test/2fa/recovery/on?token=on";
    await mailing()({ ...sampleNotice(kind), links: { cancel, ...(way !== undefined && { [way]: link }) } });
    const { html = "", text = "" } = (await arrived(before + 1)).shown;
    const links = [...html.matchAll(/<a\s+class="(\w+)"\s+href="([^"]+)"[^>]*>([^<]+)</g)].map(([, ...parts]) => parts);
    const stop = ["button", cancel, "Stop the recovery"];
    expect(links).toEqual(on === undefined ? [stop] : [["link", link, on], stop]);
    expect(text).toContain(`${on === undefined ? "" : ">>> "}Stop the recovery: ${cancel}`);
    if (on !== undefined) expect(text).toContain(`\n${on}: ${link}`);
    for (const part of [html, text]) expect(part).toContain(lead);
  });

  test("without a link says what to do instead", async () => {
    const before = server.mails.length;
    await mailing()({ ...sampleNotice("password-changed"), links: {} });
    const { shown } = await arrived(before + 1);
    expect(shown.text).toContain("sign out everywhere else, and change your password");
    expect(shown.html).not.toContain("<a ");
  });
});

describe("each kind of notice", () => {
  const kinds = Object.keys(englishNotices.kinds) as NoticeKind[];

  test.each(kinds)("%s has a mail of its own", async (kind) => {
    const before = server.mails.length;
    await mailing()(sampleNotice(kind));
    const { shown } = await arrived(before + 1);
    expect(shown.subject).toBe(englishNotices.kinds[kind].title("Acme"));
    expect(shown.text).not.toMatch(/undefined|null|\[object/);
    expect(shown.html).not.toMatch(/undefined|null|\[object/);
  });

  test("has a subject that no other has", () => {
    const subjects = kinds.map((kind) => englishNotices.kinds[kind].title("Acme"));
    expect(new Set(subjects).size).toBe(kinds.length);
  });
});

describe("a mail that is not taken", () => {
  const TRIED = { retries: ["1ms", "1ms", "1ms"] } as const;

  test("is tried again, under the same id, and nobody hears of it where it is taken in the end", async () => {
    const before = { mails: server.mails.length, named: server.named.length };
    server.reception = { code: 451, text: "come back later" };
    const sending = mailing(TRIED)(sampleNotice("locked"));
    await server.asked();
    await server.asked();
    server.reception = undefined;
    await sending;
    const { shown } = await arrived(before.mails + 1);
    expect(shown.messageId).toMatch(/^<notice-12-[\w-]+@acme\.test>$/);
    expect(server.named.length - before.named).toBeGreaterThanOrEqual(3);
  });

  test("is told of once it was tried often enough, without a word of the server's", async () => {
    server.reception = { code: 451, text: "mailbox of alice@acme.test is full" };
    const target = testApp({ options: { notify: mailing(TRIED) } });
    const before = server.named.length;
    await target.mfa.accounts.signOutEverywhere("u1");
    for (let turn = 0; target.events.length < 2 && turn < 1_000; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(server.named.slice(before)).toHaveLength(4);
    expect(target.events).toMatchObject([
      { action: "signed-out-everywhere" },
      { action: "notice-failed", outcome: "failure", reason: "signed-out-everywhere", userId: "u1" },
    ]);
    expect(target.errors).toMatchObject([{ place: "notify", userId: "u1" }]);
    expect(`${JSON.stringify(target.events)}${String(target.errors[0]!.error)}`).not.toMatch(/alice@|full/);
  });

  test.each<[string, number]>([
    ["no such user", 550],
    ["policy", 554],
  ])("for good (%s) is not tried again", async (text, code) => {
    server.reception = { code, text };
    const before = server.named.length;
    await expect(mailing(TRIED)(sampleNotice("locked"))).rejects.toMatchObject({ status: code });
    expect(server.named.slice(before)).toHaveLength(1);
  });

  test.each<unknown>([
    "ann@acme.test, eve@evil.test",
    "ann@acme.test\r\nRCPT TO:<eve@evil.test>",
    "Eve <eve@evil.test>",
    ["a@b.test"],
  ])("because its address is none reaches nobody: %j", async (address) => {
    const before = server.named.length;
    const to = { address } as { address: string };
    await expect(mailing(TRIED)({ ...sampleNotice("locked"), to })).rejects.toMatchObject({ code: "invalid-address" });
    expect(server.named).toHaveLength(before);
  });

  test("because nobody knows an address is told of", async () => {
    const { to: _none, ...notice } = sampleNotice("locked");
    await expect(mailing()(notice)).rejects.toMatchObject({ code: "no-address" });
  });

  test("is waited for as long as it is tried, and no longer", () => {
    expect(mailing({ retries: ["10s", "1m", "4m"] }).patience).toBeGreaterThan(5 * MINUTE);
    expect(emailNotices({ transport: server.transport(), from: FROM }).patience).toBeLessThan(10 * MINUTE);
  });

  test("delays no answer", async () => {
    server.reception = "silence";
    const target = testApp({ options: { notify: mailing({ transport: server.transport({ socketTimeout: 500 }) }) } });
    const jar = new Jar(target);
    await jar.login("carol");
    await jar.enroll();
    expect(await jar.isIn()).toBe(true);
  });
});

describe("emailNotices", () => {
  test("names every problem of its options at once", () => {
    const options = {
      transport: {},
      from: "nobody",
      zone: "Mars/Olympus",
      except: ["nothing"],
      retries: [1000],
      messages: { kinds: { locked: { title: "no function" } } },
      colour: "red",
    };
    const problems = problemsOf(() => emailNotices(options as never));
    expect(problems).toHaveLength(7);
    expect(problems.every((problem) => problem.startsWith("emailNotices: "))).toBe(true);
    expect(() => emailNotices(undefined as never)).toThrow(ConfigurationError);
  });
});
