import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import { enrollWith } from "../passkeys/stage.js";
import { testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { visibleText } from "../support/text.js";

/** Alice in one browser, signed in in two more, one of which is trusted. */
async function threeBrowsers(): Promise<{ target: TestApp; here: Jar; factor: Enrolled }> {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  const { phone } = factor;
  await full(target, "alice", phone);
  const trusted = await pending(target, "alice");
  await trusted.verify(phone.code(target.clock()), { trustDevice: true });
  target.clock.advance(30_000);
  const here = await full(target, "alice", phone);
  return { target, here, factor };
}

const BOTH = { sessions: 2, browsers: 1 };

describe("what a change has ended", () => {
  test.each<[string, (given: Awaited<ReturnType<typeof threeBrowsers>>) => Promise<unknown>, object]>([
    ["a new factor", ({ here }) => enrollWith(here, softwareAuthenticator()), BOTH],
    ["a factor removed", ({ factor, here }) => here.form(`/2fa/factors/${factor.factorId}/remove`), BOTH],
    ["switching off", ({ here }) => here.form("/2fa/disable"), BOTH],
    ["the end of all other sessions", ({ here }) => here.form("/2fa/sessions/revoke-others"), BOTH],
    ["the end of all trust", ({ here }) => here.form("/2fa/devices/revoke-all"), { sessions: 0, browsers: 1 }],
  ])("is told with it in the owner's own list, after %s", async (_what, change, ended) => {
    const given = await threeBrowsers();
    await change(given);
    const { body } = await given.here.get("/2fa/settings");
    expect(body.activity[0]).toMatchObject({ ended });
    const text = visibleText((await given.here.page("/2fa/settings")).text);
    expect(text).toContain("1 browser no longer trusted");
    expect(text.includes("2 sessions ended")).toBe(Object.values(ended)[0] === 2);
  });

  test("is told of what support did, too", async () => {
    const { target } = await threeBrowsers();
    await target.mfa.accounts.signOutEverywhere("u1", { actor: "support:1" });
    const jar = await pending(target, "alice");
    await jar.verify("000000");
    const { activity } = await target.mfa.accounts.export("u1").then((all) => ({ activity: JSON.stringify(all) }));
    expect(activity).toContain('"ended":{"sessions":3,"browsers":1}');
  });

  test("is nothing where nothing ended, and one session that is signed out names itself", async () => {
    const { here } = await threeBrowsers();
    const { body } = await here.get("/2fa/settings");
    expect(body.activity.filter((line: object) => "ended" in line)).toEqual([]);
    const other = body.sessions.find(({ current }: { current: boolean }) => !current);
    await here.form(`/2fa/sessions/${other.id}/revoke`);
    expect((await here.get("/2fa/settings")).body.activity[0]).not.toHaveProperty("ended");
  });
});

describe("what a change will end", () => {
  test("is said before it: with every factor, and above what can be added", async () => {
    const { here } = await threeBrowsers();
    const text = visibleText((await here.page("/2fa/settings")).text);
    expect(text).toContain("Whatever you add: you are then signed out everywhere else");
    expect(text).toMatch(/is the last one\..*you are signed out everywhere else/);
    await here.enroll();
    expect(visibleText((await here.page("/2fa/settings")).text)).toMatch(
      /no longer be used to sign in\. You are signed out everywhere else, and no browser is trusted any more/,
    );
  });

  test("is not said where there is nothing to end", async () => {
    const target = testApp();
    const jar = await pending(target, "carol");
    await jar.enroll();
    expect((await jar.page("/2fa/settings")).text).not.toContain("Whatever you add");
  });
});

describe("after a login by backup code", () => {
  async function byCode(used: number): Promise<Jar> {
    const target = testApp();
    const { backupCodes } = await enrolled(target, "alice");
    let jar = new Jar(target);
    for (const code of backupCodes.slice(0, used)) {
      jar = await pending(target, "alice");
      const answer = await jar.form("/2fa/backup-code", { code });
      // The browser goes on to where the user was going.
      expect([answer.status, answer.headers.location]).toEqual([303, "/account"]);
      target.clock.advance(60_000);
    }
    return jar;
  }

  test("the settings say how many are left", async () => {
    const text = visibleText((await (await byCode(1)).page("/2fa/settings")).text);
    expect(text).toContain("You confirmed with a backup code, which is used up now. 9 are left.");
  });

  test.each([
    [8, "2 are left"],
    [9, "One is left"],
    [10, "It was the last one"],
  ])("of which %d are gone by then, they lead to new ones", async (used, left) => {
    const page = (await (await byCode(used)).page("/2fa/settings")).text;
    expect(visibleText(page)).toContain(`used up now. ${left}. Make new codes`);
    expect(page).toContain('href="#sf-codes"');
  });

  test("they say nothing to somebody who gave another proof", async () => {
    const { here } = await threeBrowsers();
    expect((await here.page("/2fa/settings")).text).not.toContain("used up now");
  });
});

describe("what can be added", () => {
  test("is one list under one heading, each kind with its drawing, open one at a time", async () => {
    const { here } = await threeBrowsers();
    const page = (await here.page("/2fa/settings")).text;
    const list = /<h3 id="sf-add">Add a method<\/h3>[^]*?<\/ul>/.exec(page)?.[0] ?? "";
    expect(list.match(/<details[^>]*name="sf-add"/g)).toHaveLength(2);
    expect(list.match(/<summary>\s*<svg/g)).toHaveLength(2);
  });

  test("has a field for the name of a passkey, which is taken with it", async () => {
    const { here } = await threeBrowsers();
    const page = (await here.page("/2fa/settings")).text;
    const form = (page.match(/<form[^]*?<\/form>/g) ?? []).find((each) =>
      each.includes('action="/2fa/passkey/enroll"'),
    );
    expect(form).toMatch(/<input[^>]*name="label"/);
    const device = softwareAuthenticator();
    const options = (await here.post("/2fa/passkey/enroll/options")).body;
    const credential = JSON.stringify(device.create(options));
    expect((await here.form("/2fa/passkey/enroll", { credential, label: "Key on my ring" })).status).toBeLessThan(400);
    const { factors } = (await here.get("/2fa/settings")).body;
    expect(factors.map(({ label }: { label: string }) => label)).toContain("Key on my ring");
  });
});
