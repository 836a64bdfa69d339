import { describe, expect, test } from "@jest/globals";
import { backupCodes, passkeys, totp } from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import { enrollWith, holder, answerWith } from "../passkeys/stage.js";
import { MINUTE } from "../support/attack.js";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, type Jar, pending } from "../support/browser.js";
import { visibleText } from "../support/text.js";

/** In the order of the README, and the other way round: it must not matter. */
const ORDERS = [
  ["the app first", () => [totp(), backupCodes(), passkeys()]],
  ["backup codes first", () => [backupCodes(), totp(), passkeys()]],
] as const;

async function asked(jar: Jar): Promise<{ preferred: string; order: string[]; form: string | undefined }> {
  const { methods, preferred } = (await jar.get("/2fa")).body as { methods: { type: string }[]; preferred: string };
  const page = (await jar.page("/2fa")).text;
  const form = /<form[^>]*action="\/2fa\/(totp|passkey|backup-code)"/.exec(page)?.[1];
  return { preferred, order: methods.map(({ type }) => type), form };
}

describe.each(ORDERS)("what a login is asked for first, with %s in methods", (_name, methods) => {
  const appOf = (): TestApp => testApp({ options: { methods: methods() } });

  test("is the passkey where that and backup codes are all there is", async () => {
    const target = appOf();
    await holder(target, "alice");
    expect(await asked(await pending(target, "alice"))).toEqual({
      preferred: "passkey",
      order: ["passkey", "backup-code"],
      form: "passkey",
    });
  });

  test("is the strongest kind: a passkey before the app, whichever was used last", async () => {
    const target = appOf();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await enrollWith(jar, softwareAuthenticator());
    target.clock.advance(MINUTE);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect(await asked(await pending(target, "alice"))).toEqual({
      preferred: "passkey",
      order: ["passkey", "totp", "backup-code"],
      form: "passkey",
    });
  });

  test("is never a backup code while another kind is there, even where that was used last", async () => {
    const target = appOf();
    const { backupCodes: codes } = await enrolled(target, "alice");
    const byPaper = await pending(target, "alice");
    expect((await byPaper.post("/2fa/backup-code", { code: codes[0] })).status).toBe(200);
    expect((await asked(await pending(target, "alice"))).form).toBe("totp");
  });

  test("is told in this order by the answer to the login, too", async () => {
    const target = appOf();
    await holder(target, "alice");
    const jar = await pending(target, "alice");
    const { body } = await jar.get("/account");
    expect(body.methods.map(({ type }: { type: string }) => type)).toEqual(["passkey", "backup-code"]);
  });
});

describe("what its owner wants to be asked for first", () => {
  async function withBoth(): Promise<{ target: TestApp; jar: Jar; code: () => string }> {
    const target = testApp();
    const { device, jar } = await holder(target, "alice");
    const { phone } = await jar.enroll();
    target.clock.advance(MINUTE);
    expect((await answerWith(jar, device)).status).toBe(200);
    return { target, jar, code: () => phone.code(target.clock()) };
  }

  test("is asked for first at the next login, and shown as such on the settings page", async () => {
    const { target, jar } = await withBoth();
    expect((await jar.form("/2fa/preferred", { type: "totp" })).status).toBe(303);
    const settings = await jar.page("/2fa/settings");
    expect(visibleText(settings.text)).toContain("Authenticator app Asked for first");
    expect((await jar.get("/2fa/settings")).body.preferred).toBe("totp");
    expect((await asked(await pending(target, "alice"))).form).toBe("totp");
    expect((await jar.post("/2fa/preferred", { type: "passkey" })).status).toBe(204);
    expect((await asked(await pending(target, "alice"))).form).toBe("passkey");
  });

  test.each([
    ["backup codes", { type: "backup-code" }, 404],
    ["what they do not have", { type: "push" }, 404],
    ["no kind at all", { type: ["totp"] }, 400],
    ["nothing", {}, 400],
  ])("cannot be %s", async (_what, body, status) => {
    const { jar } = await withBoth();
    expect((await jar.post("/2fa/preferred", body)).status).toBe(status);
  });

  test("is theirs to say with a fresh proof alone", async () => {
    const { target, jar } = await withBoth();
    target.clock.advance(16 * MINUTE);
    expect((await jar.post("/2fa/preferred", { type: "totp" })).body.code).toBe("step-up-required");
  });
});

describe("a kind that has to wait after too many attempts", () => {
  async function limited(): Promise<{ target: TestApp; jar: Jar; codes: readonly string[] }> {
    const target = testApp({ options: { limits: { totp: { limit: 2, window: "15m" } } } });
    const { backupCodes: codes } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    for (const code of ["000000", "111111"]) await jar.verify(code);
    return { target, jar, codes };
  }

  test("says so on the challenge, and another is shown first", async () => {
    const { jar } = await limited();
    const { body } = await jar.get("/2fa");
    expect(body).toMatchObject({
      preferred: "backup-code",
      methods: [{ type: "totp", retryAfter: 900 }, { type: "backup-code" }],
    });
    expect(body.methods[1]).not.toHaveProperty("retryAfter");
    const page = await jar.page("/2fa");
    expect(page.text).toContain('action="/2fa/backup-code"');
    expect(visibleText(page.text)).toContain("this way has to wait 15 minutes: “Authenticator app”");
    // Who wants to wait may.
    expect(page.text).toContain("?method=totp");
    expect((await jar.page("/2fa?method=totp")).text).toContain('action="/2fa/totp"');
  });

  test("gives way to another at the very answer that refuses it, and gets its turn again after a while", async () => {
    const { target, jar } = await limited();
    const refused = await jar.form("/2fa/totp", { code: "222222" });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "900"]);
    expect(refused.text).toContain('action="/2fa/backup-code"');
    expect(refused.text).toMatch(/role="alert"[^>]*>[^]*has to wait 15 minutes/);
    target.clock.advance(15 * MINUTE);
    const later = await pending(target, "alice");
    expect((await later.get("/2fa")).body.preferred).toBe("totp");
  });

  test("stays the one shown where nothing else can be tried", async () => {
    const target = testApp({ options: { methods: [totp()], limits: { totp: { limit: 1, window: "15m" } } } });
    await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    await jar.verify("000000");
    expect((await jar.get("/2fa")).body.preferred).toBe("totp");
    expect(visibleText((await jar.page("/2fa")).text)).toContain("has to wait 15 minutes");
    const refused = await jar.form("/2fa/totp", { code: "111111" });
    expect(visibleText(refused.text)).toContain("Too many attempts. Wait 15 minutes");
  });
});

test("with no backup code left none is offered", async () => {
  const target = testApp();
  const { backupCodes: codes } = await enrolled(target, "alice");
  for (const code of codes) {
    target.clock.advance(MINUTE);
    const jar = await pending(target, "alice");
    expect((await jar.post("/2fa/backup-code", { code })).status).toBe(200);
  }
  const jar = await pending(target, "alice");
  expect(await asked(jar)).toEqual({ preferred: "totp", order: ["totp"], form: "totp" });
  expect((await jar.page("/2fa")).text).not.toContain("backup-code");
});
