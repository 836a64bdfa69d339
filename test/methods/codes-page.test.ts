import { describe, expect, test } from "@jest/globals";
import session from "express-session";
import { memoryStore } from "express-second-factor";
import { MINUTE } from "../support/attack.js";
import { testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { interruptible } from "../support/interruptible.js";
import { codesOn, phoneWith, shownOn, submit, toldOn } from "../support/pages.js";
import { recordingStore } from "../support/recording-store.js";

const PAGE = "/2fa/backup-codes";

async function inside(given: TestAppOptions = {}): Promise<{ jar: Jar; again: () => Promise<Jar> }> {
  const target = testApp(given);
  const { phone } = await enrolled(target, "alice");
  return { jar: await full(target, "alice", phone), again: () => full(target, "alice", phone) };
}

/** Sets a first authenticator up as a browser does. */
async function firstCodes(jar: Jar) {
  const shown = shownOn((await submit(jar, "/2fa/totp/enroll", { label: "Phone" })).page);
  const { factorId } = shown;
  return submit(jar, "/2fa/totp/enroll/confirm", { factorId, code: phoneWith(shown).code(jar.target.clock()) });
}

describe("new backup codes", () => {
  test("are on a page of their own, which shows the same ones when it is loaded again", async () => {
    const { jar } = await inside();
    const { location, page } = await submit(jar, PAGE);
    expect(location).toBe(PAGE);
    const codes = codesOn(page);
    expect(codes).toHaveLength(10);
    expect(codesOn(await jar.page(PAGE))).toEqual(codes);
    jar.target.clock.advance(5 * MINUTE - 1);
    expect(codesOn(await jar.page(PAGE))).toEqual(codes);
    // Loading the page has replaced nothing.
    expect((await jar.post("/2fa/backup-code", { code: codes[0] })).status).toBe(200);
  });

  test("come with the first factor on the same page, and lead to the settings, which say what was added", async () => {
    const jar = new Jar(testApp());
    await jar.login("alice");
    const { location, page } = await firstCodes(jar);
    expect(location).toBe(PAGE);
    expect(codesOn(await jar.page(PAGE))).toEqual(codesOn(page));
    const saved = await submit(jar, `${PAGE}/saved`);
    expect(saved.location).toBe("/2fa/settings");
    expect(toldOn(saved.page)).toBe("Phone added.");
  });

  test("lead to where the user was going where the policy demanded the factor", async () => {
    const jar = new Jar(testApp({ options: { policy: "required" } }));
    await jar.login("alice");
    await jar.page("/account?tab=2");
    await firstCodes(jar);
    expect((await jar.form(`${PAGE}/saved`)).headers.location).toBe("/account?tab=2");
  });

  test("are shown no more once they are saved, or five minutes have passed", async () => {
    const { jar } = await inside();
    await submit(jar, PAGE);
    const saved = await submit(jar, `${PAGE}/saved`);
    expect([saved.location, toldOn(saved.page)]).toEqual([
      "/2fa/settings",
      "New backup codes made. The old ones no longer work.",
    ]);
    expect((await jar.page(PAGE)).headers.location).toBe("/2fa/settings");
    expect((await jar.form(`${PAGE}/saved`)).headers.location).toBe("/2fa/settings");

    await submit(jar, PAGE);
    jar.target.clock.advance(5 * MINUTE);
    expect((await jar.page(PAGE)).headers.location).toBe("/2fa/settings");
  });

  test("are for their own session alone, and gone with it", async () => {
    const { again, jar } = await inside();
    const codes = codesOn((await submit(jar, PAGE)).page);
    const other = await again();
    expect((await other.page(PAGE)).headers.location).toBe("/2fa/settings");
    expect((await other.form(`${PAGE}/saved`)).headers.location).toBe("/2fa/settings");
    expect(codesOn(await jar.page(PAGE))).toEqual(codes);
    expect((await jar.get(PAGE)).status).toBe(404);
    expect((await new Jar(jar.target).page(PAGE)).status).toBe(401);
    const waiting = new Jar(jar.target);
    await waiting.login("alice");
    expect((await waiting.page(PAGE)).headers.location).toBe("/2fa");
  });

  test("of a set that was replaced since are never shown: of two clicks at once the codes in force are", async () => {
    const { jar } = await inside();
    await Promise.all([jar.form(PAGE), jar.form(PAGE)]);
    const [code] = codesOn(await jar.page(PAGE));
    expect((await jar.post("/2fa/backup-code", { code })).status).toBe(200);
  });

  test("lie readable neither in a session nor in the store", async () => {
    const store = recordingStore();
    const sessionStore = new session.MemoryStore();
    const { jar } = await inside({ store, sessionStore });
    const codes = codesOn((await submit(jar, PAGE)).page);
    const lying = JSON.stringify([store.written, (sessionStore as unknown as { sessions: unknown }).sessions]);
    for (const code of codes) {
      expect(lying).not.toContain(code);
      expect(lying).not.toContain(code.replaceAll("-", ""));
    }
  });

  test("that cannot be kept for their page are shown at once: nobody could find them out again", async () => {
    const store = interruptible(memoryStore());
    const { jar } = await inside({ store });
    const write = store.write.bind(store);
    Object.assign(store, {
      write: (...given: Parameters<typeof write>) =>
        given[0].startsWith("codes:") ? Promise.reject(new Error("no room")) : write(...given),
    });
    const answer = await jar.form(PAGE);
    expect([answer.status, codesOn(answer).length]).toEqual([200, 10]);
  });
});
