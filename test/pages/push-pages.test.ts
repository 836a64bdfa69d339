// What a browser is shown of devices that approve, without a script: nothing is asked by looking, and everything can be read.
import { describe, expect, test } from "@jest/globals";
import type { MessageOverrides } from "express-second-factor";
import { MINUTE } from "../support/attack.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import { toldOn } from "../support/pages.js";
import { phone, type Phone } from "../support/phone.js";
import { denied, pushApp, type PushApp, type PushJar, TestChannel, waitingFor, withPhone } from "../support/push.js";

const WAIT = "/2fa/push/wait";

/** The text that a visitor reads. */
function read(page: string): string {
  return page
    .slice(page.indexOf("<main"))
    .replace(/<template[^]*?<\/template>/g, " ")
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ");
}

/** Posts the first form that the page has for this address, as it stands there; answers what the browser is sent on to. */
async function press(
  jar: PushJar,
  page: string,
  action: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const form =
    [...page.matchAll(/<form[^]*?<\/form>/g)].find(([each]) => each.includes(`action="${action}"`))?.[0] ?? "";
  const hidden = [...form.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)];
  const answer = await jar.form(action, Object.fromEntries(hidden.map(([, name, value]) => [name, value])));
  return answer.status === 303 ? jar.page(answer.headers.location!) : answer;
}

async function pageOf(jar: PushJar, path: string): Promise<string> {
  return (await jar.page(path)).text;
}

describe("the page that asks a device", () => {
  test("asks nothing when it is loaded; its button asks that one, and shows the number that nothing else shows", async () => {
    const target = pushApp();
    await withPhone(target);
    const jar = await pending(target, "alice");
    const page = await pageOf(jar, "/2fa");
    expect(read(page)).toContain("Send a request to Device");
    expect(target.channel.messages).toEqual([]);
    const { text } = await press(jar, page, "/2fa/push/send");
    expect(target.channel.messages).toHaveLength(1);
    const { number } = (await jar.get(WAIT)).body as { number: string };
    expect(read(text)).toContain(`${Array.from(number).join(", ")} ${number}`);
    expect(read(text)).toContain(
      "Open the notification on “Device”. Nothing came? Open this address there: localhost:3000/2fa/push/approve",
    );
    expect(await pageOf(jar, "/2fa")).not.toContain(`>${number}<`);
  });

  test("the button says that there is no answer yet, beside the same number; once approved, the browser goes on where it was going", async () => {
    const target = pushApp();
    const device = await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    const page = await pageOf(jar, WAIT);
    const early = await press(jar, page, "/2fa/push/status");
    expect(read(early.text)).toContain("There is no answer from “Device” yet.");
    expect(early.text).toContain(`>${sent.number}<`);
    await device.approve(sent.number);
    expect(read(await pageOf(jar, WAIT))).toContain("Your device has approved it.");
    expect(await jar.isIn()).toBe(false);
    await press(jar, page, "/2fa/push/status");
    expect(await jar.isIn()).toBe(true);
  });

  test("where nothing was asked, the page that waits leads back to where something can be", async () => {
    const target = pushApp();
    await withPhone(target);
    const jar = await pending(target, "alice");
    const answer = await jar.page(WAIT);
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa?method=push"]);
  });
});

describe("what came of it", () => {
  test("denied: it says so, and offers another request, which is asked by pressing alone", async () => {
    const target = pushApp();
    const device = await withPhone(target);
    const { jar } = await waitingFor(target);
    await device.deny();
    const page = await pageOf(jar, WAIT);
    expect(read(page)).toContain(
      "“Device” did not approve it: somebody denied it there, or typed a wrong number three times.",
    );
    expect(target.channel.messages).toHaveLength(1);
    expect(read((await press(jar, page, "/2fa/push/send")).text)).toContain("Type this number on your device");
    expect(target.channel.messages).toHaveLength(2);
  });

  test("left alone for two minutes: it is over, and another can be asked for", async () => {
    const target = pushApp();
    await withPhone(target);
    const { jar, sent } = await waitingFor(target);
    target.clock.advance(2 * MINUTE);
    const page = await pageOf(jar, WAIT);
    expect(read(page)).toContain("It was open for two minutes and was not approved");
    expect(page).not.toContain(`>${sent.number}<`);
    expect(page).toContain("Send another request");
  });

  test("twice in a row: for how long nothing is sent, and no button for it; another way is shown first", async () => {
    const target = pushApp();
    const { phone: app } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.verify(app.code(target.clock()));
    const device = await withPhoneIn(target, jar);
    await denied(target, device);
    const { jar: other } = await waitingFor(target);
    await device.deny();
    const page = await pageOf(other, WAIT);
    expect(read(page)).toContain("The last requests were denied or left alone, so none is sent for 5 minutes.");
    expect(page).not.toContain("Send another request");
    const asked = await pageOf(await pending(target, "alice"), "/2fa?method=push");
    expect(read(asked)).toContain("none is sent for 5 minutes");
    expect(asked).not.toContain('action="/2fa/push/send"');
    expect(await pageOf(await pending(target, "alice"), "/2fa")).toContain('action="/2fa/totp"');
    const { methods, preferred } = (await (await pending(target, "alice")).get("/2fa")).body as Choices;
    expect(preferred).toBe("totp");
    expect(methods.find(({ type }) => type === "push")).toMatchObject({ paused: "push-resting", retryAfter: 300 });
  });

  test("reported: the sign-in and the settings say that no device is asked, until another method was used", async () => {
    const target = pushApp();
    const { phone: app } = await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.verify(app.code(target.clock()));
    const device = await withPhoneIn(target, jar);
    await waitingFor(target);
    await device.notMe();
    const asking = await pending(target, "alice");
    expect(read(await pageOf(asking, "/2fa?method=push"))).toContain("A request was reported as not yours");
    expect(read(await pageOf(jar, "/2fa/settings"))).toContain(
      "A request to one of your devices was reported as not yours",
    );
    expect((await jar.get("/2fa/settings")).body).toMatchObject({ push: { paused: "push-reported" } });
    const refused = await asking.form("/2fa/push/send");
    expect(refused.status).toBe(403);
    target.clock.advance(MINUTE);
    await asking.verify(app.code(target.clock()));
    expect(read(await pageOf(asking, "/2fa/settings"))).not.toContain("was reported as not yours, so none is sent");
    expect(await pageOf(await pending(target, "alice"), "/2fa?method=push")).toContain('action="/2fa/push/send"');
  });
});

interface Choices {
  readonly preferred: string;
  readonly methods: readonly { readonly type: string; readonly paused?: string; readonly retryAfter?: number }[];
}

/** A phone beside what the user has, enrolled in a login that may. */
async function withPhoneIn(target: PushApp, jar: PushJar): Promise<Phone> {
  const device = await phone(target);
  await device.enroll(jar, { channel: "test", subscription: { token: "one" } });
  return device;
}

describe("the settings", () => {
  test("offer this browser as a device by a form that a script opens, and say so where there is none", async () => {
    const jar = new Jar(pushApp());
    await jar.login("alice");
    const page = await pageOf(jar, "/2fa/settings");
    expect(read(page)).toContain("To add a device, switch on JavaScript in this browser.");
    expect(page).toMatch(/<form[^>]*action="\/2fa\/push\/enroll"[^>]*\shidden/);
    expect(read(page)).toContain("Then add an authenticator app or a passkey too");
    expect(page).not.toContain("/2fa/push/approve");
  });

  test("list a device with how it is reached, and lead to what it is asked", async () => {
    const target = pushApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const reached = await withPhoneIn(target, jar);
    const page = await pageOf(jar, "/2fa/settings");
    expect(read(page)).toContain("Approval on a device With notifications");
    expect(page).toContain('href="/2fa/push/approve"');
    expect(page).toContain(`data-push-factor="${reached.factorId}"`);
    const removed = await jar.form(`/2fa/factors/${reached.factorId}/remove`);
    expect(removed.status).toBe(303);
    expect(toldOn(await jar.page("/2fa/settings"))).toContain("removed");
  });

  test("where a policy demands a factor, a device is not the one to begin with: it could not confirm the next sign-in on itself", async () => {
    const target = pushApp({ options: { policy: () => "required" } });
    const jar = await pending(target, "alice");
    const page = await pageOf(jar, "/2fa");
    expect(page).toContain('action="/2fa/totp/enroll"');
    expect(page).not.toContain("/2fa/push/enroll");
    expect((await jar.get("/2fa")).body).toMatchObject({ enrollable: ["totp"] });
  });
});

describe("the page of a device", () => {
  test("is the same for whoever opens it, names nobody, and says that it needs a script", async () => {
    const target = pushApp();
    await withPhone(target);
    await waitingFor(target);
    const pages = await Promise.all(
      [new Jar(target), await pending(target, "alice")].map(async (jar) => pageOf(jar, "/2fa/push/approve")),
    );
    expect(new Set(pages).size).toBe(1);
    expect(read(pages[0]!)).toContain("This page needs JavaScript");
    expect(pages[0]).not.toContain("alice");
    expect((await new Jar(target).get("/2fa/push/approve")).status).toBe(404);
  });

  test("stands in the application's layout and words, like every other page", async () => {
    const messages: MessageOverrides = {
      methods: { push: { approve: { title: "Offene Anfragen", submit: "Genehmigen" } } },
    };
    const target = pushApp({
      options: { pages: { messages, layout: ({ title, body }) => `<h1>${title}</h1><main>${body}</main>` } },
    });
    const page = await pageOf(new Jar(target), "/2fa/push/approve");
    expect(page).toContain("<h1>Offene Anfragen</h1>");
    expect(page).toContain(">Genehmigen</button>");
  });

  test("without pages it is the application's own to make, and the service worker is there all the same", async () => {
    const target = pushApp({
      options: { pages: false },
      routes: (app) => void app.get("/2fa/push/approve", (_req, res) => res.send("our own")),
    });
    const jar = new Jar(target);
    expect(await pageOf(jar, "/2fa/push/approve")).toBe("our own");
    expect((await jar.agent.get("/2fa/push/worker.js")).status).toBe(200);
  });
});

describe("the service worker", () => {
  test("stands at a fixed address for whoever asks, kept by nobody, and the policy of the pages lets it run", async () => {
    const jar = new Jar(pushApp());
    const worker = await jar.agent.get("/2fa/push/worker.js?title=x");
    expect([worker.status, worker.headers["cache-control"]]).toEqual([200, "no-store"]);
    expect(worker.headers["content-type"]).toMatch(/^text\/javascript/);
    expect(worker.headers["set-cookie"]).toBeUndefined();
    expect((await jar.page("/2fa/push/approve")).headers["content-security-policy"]).toContain("worker-src 'self'");
  });

  test("brings its words in its address, for a notification that names nobody, and is given with the key of the channel", async () => {
    const channel = Object.assign(new TestChannel(), { applicationServerKey: "BF00" });
    const page = await pageOf(new Jar(pushApp({}, channel)), "/2fa/push/approve");
    const address = /data-worker="([^"]*)"/.exec(page)?.[1]?.replaceAll("&amp;", "&") ?? "";
    const { pathname, searchParams } = new URL(address, "http://localhost");
    expect(pathname).toBe("/2fa/push/worker.js");
    expect(Object.fromEntries(searchParams)).toEqual({
      title: "Acme: is that you?",
      body: "Open to see what is asked of you.",
      lang: "en",
      channel: "test",
    });
    expect(page).toContain('data-key="BF00"');
    expect(await pageOf(new Jar(pushApp()), "/2fa/push/approve")).not.toContain("data-worker");
  });
});
