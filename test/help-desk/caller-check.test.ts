import { describe, expect, test } from "@jest/globals";
import { HOUR, MINUTE, storedAccount, told } from "../support/attack.js";
import { full, Jar, pending } from "../support/browser.js";
import { submit } from "../support/pages.js";
import { loginIdOf, reported } from "../support/reports.js";
import { DESK, desk, deskApp, passed } from "./stage.js";

async function begun(...given: Parameters<typeof desk>) {
  const here = await desk(...given);
  const { callerCheck } = here.target.mfa.accounts;
  const jar = await full(here.target, "alice", here.phone);
  return { ...here, callerCheck, jar, open: await callerCheck.begin("u1", DESK) };
}

type Begun = Awaited<ReturnType<typeof begun>> & { readonly other: Jar };

type Shown = { number: string; expiresAt: string };

/** Where another login of the same user ends this one. */
async function revoking(jar: Jar): Promise<string> {
  return `/2fa/sessions/${await loginIdOf(jar)}/revoke`;
}

/** Not the number. */
function wrong(number: string, by = 1): string {
  return String((Number(number) + by) % 1_000_000).padStart(6, "0");
}

describe("a caller check", () => {
  test("shows a number on the caller's own page, which is right once", async () => {
    const { callerCheck, jar, open, target } = await begun();
    expect(open).toEqual({ expiresAt: new Date(target.clock() + 5 * MINUTE).toISOString() });
    const shown = await jar.post("/2fa/caller-check");
    expect([shown.status, shown.body]).toEqual([201, { number: expect.stringMatching(/^[0-9]{6}$/), ...open }]);
    const { number } = shown.body as Shown;
    expect(await callerCheck.verify("u1", number, DESK)).toBe(true);
    expect(await callerCheck.verify("u1", number, DESK)).toBe(false);
    expect((await jar.post("/2fa/caller-check")).body.code).toBe("not-found");
  });

  test("is told of on both sides, without the number", async () => {
    const { callerCheck, jar, target } = await begun();
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    await callerCheck.verify("u1", wrong(number), DESK);
    await callerCheck.verify("u1", number, DESK);
    const checks = target.events.filter(({ action }) => action.startsWith("caller-check"));
    expect(checks.map(({ action, actor, outcome }) => [action, actor, outcome])).toEqual([
      ["caller-check-begun", "support:7", "success"],
      ["caller-check-shown", "u1", "success"],
      ["caller-check-verified", "support:7", "failure"],
      ["caller-check-verified", "support:7", "success"],
    ]);
    expect(JSON.stringify(target.events)).not.toContain(number);
  });

  test("shows the same number however often it is asked for, and stores none", async () => {
    const { jar, target } = await begun();
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    expect((await jar.post("/2fa/caller-check")).body.number).toBe(number);
    expect(told("caller-check-shown", target)).toBe(1);
    const record = JSON.parse((await storedAccount(target, "alice"))!) as { callerCheck: object };
    expect(JSON.stringify(record.callerCheck)).not.toContain(number);
  });

  test("ends with three wrong numbers; what is no number is no try", async () => {
    const { callerCheck, jar } = await begun();
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    for (const typed of ["", "12345", "abcdef", wrong(number), wrong(number, 2)])
      expect(await callerCheck.verify("u1", typed, DESK)).toBe(false);
    const spaced = `${number.slice(0, 3)} ${number.slice(3)}`;
    expect(await callerCheck.verify("u1", wrong(number, 3), DESK)).toBe(false);
    expect(await callerCheck.verify("u1", spaced, DESK)).toBe(false);
  });

  test("is over after five minutes", async () => {
    const { callerCheck, jar, target } = await begun();
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    target.clock.advance(5 * MINUTE);
    expect(await callerCheck.verify("u1", number, DESK)).toBe(false);
    expect((await jar.post("/2fa/caller-check")).status).toBe(404);
  });

  test("begun again has another number, and the one before is wrong", async () => {
    const { callerCheck, jar } = await begun();
    const { number: before } = (await jar.post("/2fa/caller-check")).body as Shown;
    await callerCheck.begin("u1", DESK);
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    expect(number).not.toBe(before);
    expect(await callerCheck.verify("u1", before, DESK)).toBe(false);
    expect(await callerCheck.verify("u1", number, DESK)).toBe(true);
  });

  test("takes no number that nobody was shown", async () => {
    const { callerCheck, jar, target } = await begun();
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    await callerCheck.begin("u1", DESK);
    expect(await callerCheck.verify("u1", number, DESK)).toBe(false);
    expect(await callerCheck.verify("u9", "000000", DESK)).toBe(false);
    expect(told("caller-check-verified", target)).toBe(2);
  });

  test("shows nothing to whoever has not proved a factor lately", async () => {
    const { jar, target } = await begun();
    const codeOf = async (asked: Jar): Promise<unknown> => (await asked.post("/2fa/caller-check")).body.code;
    expect(await codeOf(new Jar(target))).toBe("login-required");
    expect(await codeOf(await pending(target, "alice"))).toBe("second-factor-required");
    expect(await codeOf(await passed(target))).toBe("step-up-required");
    target.clock.advance(HOUR);
    await target.mfa.accounts.callerCheck.begin("u1", DESK);
    expect(await codeOf(jar)).toBe("step-up-required");
  });

  test("shows nothing to whoever has nothing to prove", async () => {
    const { target } = deskApp();
    await target.mfa.accounts.callerCheck.begin("u3", DESK);
    const answer = await (await pending(target, "carol")).post("/2fa/caller-check");
    expect([answer.status, answer.body.code]).toEqual([403, "enrollment-required"]);
  });

  test.each<[string, (here: Begun) => unknown]>([
    ["is signed out", ({ jar }) => jar.post("/logout")],
    ["is signed out in another browser", async ({ jar, other }) => other.post(await revoking(jar))],
    ["is signed out everywhere", ({ target }) => target.mfa.accounts.signOutEverywhere("u1", DESK)],
    ["is over by a reset", ({ target }) => target.mfa.accounts.reset("u1", DESK)],
    ["is reported by its owner", ({ target }) => reported(target)],
  ])("is over once a login that saw its number %s", async (_how, end) => {
    const here = await begun();
    const { callerCheck, jar, target } = here;
    const other = await full(target, "alice", here.phone);
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    expect((await other.post("/2fa/caller-check")).body.number).toBe(number);
    await end({ ...here, other });
    expect(await callerCheck.verify("u1", number, DESK)).toBe(false);
    const settings = await other.get("/2fa/settings");
    expect(settings.body).not.toHaveProperty("callerCheck");
  });

  test("is not over when another login is, nor when one that saw its number proves itself again", async () => {
    const { callerCheck, jar, phone, target } = await begun();
    const other = await full(target, "alice", phone);
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    await other.post("/logout");
    await jar.verify(phone.code(target.clock()));
    expect(await callerCheck.verify("u1", number, DESK)).toBe(true);
  });

  test("shows its number on the page of the login that asked for it, and not of another one of the same user", async () => {
    const { jar, phone, target } = await begun();
    const other = await full(target, "alice", phone);
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    expect((await jar.page("/2fa/settings")).text).toContain(number);
    const page = await other.page("/2fa/settings");
    expect(page.text).not.toContain(number);
    expect(page.text).toContain('action="/2fa/caller-check"');
  });

  test("stands on the settings page while it is open, with a button and then the number", async () => {
    const { callerCheck, jar, open } = await begun();
    expect((await jar.get("/2fa/settings")).body.callerCheck).toEqual(open);
    expect((await jar.page("/2fa/settings")).text).toContain('action="/2fa/caller-check"');
    const { location, page } = await submit(jar, "/2fa/caller-check");
    const number = /<strong>([0-9]{6})<\/strong>/.exec(page.text)?.[1];
    expect([location, number]).toEqual(["/2fa/settings", expect.any(String)]);
    expect(await callerCheck.verify("u1", number!, DESK)).toBe(true);
    expect((await jar.page("/2fa/settings")).text).not.toContain("caller");
  });

  test("shows its number on no page of a login that has to prove itself again", async () => {
    const { jar, target } = await begun();
    const { number } = (await jar.post("/2fa/caller-check")).body as Shown;
    const other = await passed(target);
    expect((await other.page("/2fa/settings")).text).not.toContain(number);
    expect((await other.get("/2fa/settings")).text).not.toContain(number);
  });
});
