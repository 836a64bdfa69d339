import { describe, expect, test } from "@jest/globals";
import { MINUTE } from "../support/attack.js";
import { testApp } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";
import { phoneWith, shownOn, submit, toldOn } from "../support/pages.js";

const SETTINGS = "/2fa/settings";

async function inside(name = "alice"): Promise<{ jar: Jar; factor: Enrolled }> {
  const target = testApp();
  const factor = await enrolled(target, name);
  return { factor, jar: await full(target, name, factor.phone) };
}

async function idOf(jar: Jar, list: "devices" | "sessions", isIt: (each: { current: boolean }) => boolean) {
  const { body } = await jar.get(SETTINGS);
  return (body[list] as { id: string; current: boolean }[]).find(isIt)!.id;
}

interface Change {
  readonly path: (jar: Jar, factor: Enrolled) => string | Promise<string>;
  readonly body?: (jar: Jar, factor: Enrolled) => object;
  /** Before the page is asked for. */
  readonly before?: (jar: Jar, factor: Enrolled) => Promise<unknown>;
  readonly told: RegExp;
}

const CHANGES: Readonly<Record<string, Change>> = {
  "a new name": {
    path: (_jar, { factorId }) => `/2fa/factors/${factorId}/rename`,
    body: () => ({ label: "Work <b>phone</b>" }),
    told: /^Renamed to Work <b>phone<\/b>\.$/,
  },
  "a clock found again": {
    path: () => "/2fa/totp/resync",
    body: ({ target }, { factorId, phone }) => ({
      factorId,
      codes: [phone.code(target.clock()), phone.code(target.clock() + 30_000)],
    }),
    told: /^Authenticator app adjusted to its clock\.$/,
  },
  "a factor removed": {
    path: (_jar, { factorId }) => `/2fa/factors/${factorId}/remove`,
    told: /^Authenticator app removed\.$/,
  },
  "two-step sign-in switched off": { path: () => "/2fa/disable", told: /^Two-step sign-in is off\.$/ },
  "a browser trusted no more": {
    before: (jar, { phone }) => jar.verify(phone.code(jar.target.clock()), { trustDevice: true }),
    path: async (jar) => `/2fa/devices/${await idOf(jar, "devices", () => true)}/revoke`,
    told: /is trusted no more\.$/,
  },
  "no browser trusted any more": { path: () => "/2fa/devices/revoke-all", told: /^No browser is trusted any more\.$/ },
  "another session ended": {
    before: (jar, { phone }) => full(jar.target, "alice", phone),
    path: async (jar) => `/2fa/sessions/${await idOf(jar, "sessions", ({ current }) => !current)}/revoke`,
    told: /^Signed out/,
  },
  "all other sessions ended": { path: () => "/2fa/sessions/revoke-others", told: /signed out everywhere else\.$/ },
  "closed ways opened again": { path: () => "/2fa/reopen", told: /^Opened again\.$/ },
};

describe("after a change the browser is sent to the settings page, which says what was done", () => {
  test.each(Object.entries(CHANGES))("%s", async (_name, { before, body, path, told }) => {
    const { factor, jar } = await inside();
    await before?.(jar, factor);
    const { location, page } = await submit(jar, await path(jar, factor), body?.(jar, factor));
    expect([location, page.status]).toEqual([SETTINGS, 200]);
    expect(toldOn(page)).toMatch(told);
    // Once: whoever loads the page again is not told again.
    expect(toldOn(await jar.page(SETTINGS))).toBeUndefined();
  });

  test("a factor that was added, and what it is called", async () => {
    const { factor, jar } = await inside();
    const { location, page } = await submit(jar, "/2fa/totp/enroll", { label: "Work phone" });
    expect(location).toBe("/2fa/totp/enroll");
    const shown = shownOn(page);
    const { factorId } = shown;
    const done = await submit(jar, "/2fa/totp/enroll/confirm", {
      factorId,
      code: phoneWith(shown).code(jar.target.clock()),
    });
    expect(done.location).toBe(SETTINGS);
    expect(toldOn(done.page)).toBe("Work phone added.");
    expect(factor.factorId).not.toBe(factorId);
  });

  test("a name is text in the notice, whatever it is", async () => {
    const { factor, jar } = await inside();
    const { page } = await submit(jar, `/2fa/factors/${factor.factorId}/rename`, {
      label: "<script>alert(1)</script>",
    });
    expect(page.text).toContain("&lt;script&gt;alert(1)");
    expect(page.text).not.toContain("<script>alert(1)");
  });

  test("news of long ago is none", async () => {
    const { factor, jar } = await inside();
    const { target } = jar;
    await jar.form(`/2fa/factors/${factor.factorId}/rename`, { label: "Work phone" });
    target.clock.advance(11 * MINUTE);
    expect(toldOn(await jar.page(SETTINGS))).toBeUndefined();
  });

  test("clients of the API are told by the answer alone, as ever", async () => {
    const { factor, jar } = await inside();
    const renamed = await jar.post(`/2fa/factors/${factor.factorId}/rename`, { label: "Work phone" });
    expect([renamed.status, renamed.body.factor.label]).toEqual([200, "Work phone"]);
    expect((await jar.post("/2fa/sessions/revoke-others")).status).toBe(204);
    expect(toldOn(await jar.page(SETTINGS))).toBeUndefined();
  });
});

describe("what was typed before a proof was asked for is there again after it", () => {
  async function stale(): Promise<{ jar: Jar; factor: Enrolled }> {
    const made = await inside();
    made.jar.target.clock.advance(16 * MINUTE);
    return made;
  }

  async function prove({ factor, jar }: Awaited<ReturnType<typeof stale>>) {
    return submit(jar, "/2fa/totp", { code: factor.phone.code(jar.target.clock()) });
  }

  test("the new name of a factor", async () => {
    const { factor, jar } = await stale();
    const refused = await jar.form(`/2fa/factors/${factor.factorId}/rename`, { label: 'Work "phone"' });
    expect([refused.status, refused.text.includes("Confirm that it is you")]).toEqual([401, true]);
    const { location, page } = await prove({ factor, jar });
    expect(location).toBe(SETTINGS);
    expect(page.text).toMatch(/<details class="sf-details" open>\s*<summary>Rename/);
    expect(page.text).toContain('value="Work &quot;phone&quot;"');
    // Nothing was done yet, and the next look at the page is a fresh one.
    expect((await jar.get(SETTINGS)).body.factors[0].label).toBe("Authenticator app");
    expect((await jar.page(SETTINGS)).text).not.toContain("Work &quot;");
  });

  test.each(["totp/enroll", "passkey/enroll"])("the name of a new one, for %s", async (path) => {
    const { factor, jar } = await stale();
    const credential = JSON.stringify({
      id: "AAAA",
      rawId: "AAAA",
      type: "public-key",
      response: { clientDataJSON: "AAAA", attestationObject: "AAAA" },
    });
    const refused = await jar.form(`/2fa/${path}`, { label: "Work phone", credential });
    expect(refused.status).toBe(401);
    const { page } = await prove({ factor, jar });
    if (path.startsWith("totp")) expect(page.text).toMatch(/<input[^>]*id="sf-totp-label"[^>]*value="Work phone"/s);
    expect(page.text).not.toContain("sf-notice-danger");
  });

  test("a name that cannot be one leaves the field to be filled in", async () => {
    const { factor, jar } = await inside();
    const refused = await jar.form(`/2fa/factors/${factor.factorId}/rename`, { label: " " });
    expect([refused.status, refused.text.includes("Two-step sign-in")]).toEqual([400, true]);
  });
});
