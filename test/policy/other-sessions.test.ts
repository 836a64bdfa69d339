import { describe, expect, test } from "@jest/globals";
import { ConfigurationError, type SecondFactorOptions } from "express-second-factor";
import { authenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import { expectDenied, MINUTE, STEP } from "../support/attack.js";
import { creationOptions } from "../passkeys/stage.js";
import { testApp, type TestUser } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { codesOn, fieldOn, phoneWith, shownOn, submit, toldOn } from "../support/pages.js";

type Options = Partial<SecondFactorOptions<TestUser>>;
type Rule = NonNullable<SecondFactorOptions["endOtherSessions"]>;

/** Two browsers of somebody without a factor, one of whom sets one up. */
async function twoBrowsers(options: Options = {}) {
  const target = testApp({ options });
  const [here, there] = [new Jar(target), new Jar(target)];
  for (const jar of [here, there]) {
    await jar.login("alice");
    await jar.get("/account");
  }
  return { target, here, there };
}

async function enroll(jar: Jar, body: object = {}) {
  const { factorId, uri } = (await jar.post("/2fa/totp/enroll")).body;
  const phone = authenticatorApp(uri);
  const code = phone.code(jar.target.clock());
  const answer = await jar.post("/2fa/totp/enroll/confirm", { factorId, code, ...body });
  jar.target.clock.advance(STEP);
  return { answer, phone };
}

async function expectKept(jar: Jar, code: () => string): Promise<void> {
  const { clock } = jar.target;
  await expectDenied(jar);
  const asked = await jar.get("/2fa");
  expect(asked.body).toMatchObject({ status: "pending", expiresAt: new Date(clock() + 10 * MINUTE).toISOString() });
  expect((await jar.verify(code())).status).toBe(200);
  expect(await jar.isIn()).toBe(true);
}

async function expectEnded(jar: Jar): Promise<void> {
  expect((await jar.get("/2fa")).status).toBe(410);
  expect(await jar.isIn()).toBe(false);
}

describe("the other sessions of an account that gets its first factor", () => {
  test.each<[Rule | undefined, object, "kept" | "ended"]>([
    [undefined, {}, "ended"],
    [undefined, { endOtherSessions: true }, "ended"],
    [undefined, { endOtherSessions: false }, "kept"],
    ["ask", { endOtherSessions: "false" }, "kept"],
    ["always", { endOtherSessions: false }, "ended"],
    ["never", { endOtherSessions: true }, "kept"],
    ["never", {}, "kept"],
  ])("with %s and %j are %s", async (rule, body, outcome) => {
    const { here, there, target } = await twoBrowsers(rule === undefined ? {} : { endOtherSessions: rule });
    const { answer, phone } = await enroll(here, body);
    expect(answer.status).toBe(201);
    expect(await here.isIn()).toBe(true);
    if (outcome === "kept") await expectKept(there, () => phone.code(target.clock()));
    else await expectEnded(there);
  });

  test("have ten minutes from the first request that the factor is due at, however long they were left alone", async () => {
    const { here, there, target } = await twoBrowsers();
    const { phone } = await enroll(here, { endOtherSessions: false });
    target.clock.advance(3 * 60 * MINUTE);
    await expectKept(there, () => phone.code(target.clock()));
  });

  test("end after those, and cannot manage anything meanwhile", async () => {
    const { here, there, target } = await twoBrowsers();
    await enroll(here, { endOtherSessions: false });
    expect((await there.post("/2fa/totp/enroll")).status).toBe(401);
    expect((await there.get("/2fa/settings")).status).toBe(401);
    target.clock.advance(10 * MINUTE);
    await expectEnded(there);
  });

  test("with a passkey go by the same word", async () => {
    const { here, there, target } = await twoBrowsers();
    const credential = softwareAuthenticator().create(await creationOptions(here));
    const done = await here.post("/2fa/passkey/enroll", { credential, endOtherSessions: false });
    expect(done.status).toBe(201);
    await expectDenied(there);
    expect((await there.get("/2fa")).body.status).toBe("pending");
    expect(target.events.filter(({ action }) => action === "factor-enrolled")).toHaveLength(1);
  });

  test("end with a further factor, whatever is said", async () => {
    const { here, there, target } = await twoBrowsers({ endOtherSessions: "never" });
    const { phone } = await enroll(here);
    expect((await there.verify(phone.code(target.clock()))).status).toBe(200);
    await enroll(here, { endOtherSessions: false });
    await expectEnded(there);
  });

  test.each([["yes"], [1], [["true"]], [{}]])("are not decided on by %j: that is no word for it", async (word) => {
    const { here, there } = await twoBrowsers();
    const { answer } = await enroll(here, { endOtherSessions: word });
    expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
    expect(await there.isIn()).toBe(true);
  });

  test("are decided on by three words at start", () => {
    const start = () => testApp({ options: { endOtherSessions: "sometimes" as never } });
    expect(start).toThrow(ConfigurationError);
    expect(start).toThrow('endOtherSessions: "always", "ask" or "never"');
  });
});

describe("the pages say what becomes of them", () => {
  const PAGE = "/2fa/totp/enroll";

  async function confirmOn(jar: Jar, body: object) {
    const { page } = await submit(jar, PAGE);
    const shown = shownOn(page);
    const { factorId } = shown;
    const code = phoneWith(shown).code(jar.target.clock());
    const done = await submit(jar, `${PAGE}/confirm`, { factorId, code, ...body });
    return { page, codes: done.page, settings: (await submit(jar, "/2fa/backup-codes/saved")).page };
  }

  test("before, with a box that is ticked, and after, on both pages that come", async () => {
    const { here, there } = await twoBrowsers();
    const { codes, page, settings } = await confirmOn(here, { endOtherSessions: ["false", "true"] });
    expect(page.text).toMatch(/<input type="checkbox" name="endOtherSessions" value="true" checked/);
    expect(fieldOn(page, "endOtherSessions")).toBe("false");
    expect(codesOn(codes)).toHaveLength(10);
    expect(codes.text).toContain("You are signed out everywhere else.");
    expect(toldOn(settings)).toBe("Authenticator app added. You are signed out everywhere else.");
    await expectEnded(there);
  });

  test("and keep them where the box is not", async () => {
    const { here, there } = await twoBrowsers();
    const { settings } = await confirmOn(here, { endOtherSessions: "false" });
    expect(toldOn(settings)).toBe("Authenticator app added. Your other browsers are asked for it now.");
    expect((await there.get("/2fa")).body.status).toBe("pending");
  });

  test("say nothing afterwards where there was nobody else", async () => {
    const jar = new Jar(testApp());
    await jar.login("alice");
    const { settings } = await confirmOn(jar, { endOtherSessions: "true" });
    expect(toldOn(settings)).toBe("Authenticator app added.");
  });

  test.each<[Rule, string]>([
    ["always", "You will be signed out everywhere else."],
    ["never", "Other browsers that are signed in will be asked for it, too."],
  ])("without a box where %s decides", async (endOtherSessions, sentence) => {
    const { here } = await twoBrowsers({ endOtherSessions });
    const { page } = await submit(here, PAGE);
    expect(page.text).toContain(sentence);
    expect(page.text).not.toContain('name="endOtherSessions"');
  });

  test("with the form of a passkey, and not with a further factor", async () => {
    const { here } = await twoBrowsers();
    const passkeyForm = /<form[^>]*action="\/2fa\/passkey\/enroll".*?<\/form>/s;
    expect(passkeyForm.exec((await here.page("/2fa/settings")).text)?.[0]).toContain('name="endOtherSessions"');
    await enroll(here);
    expect((await here.page("/2fa/settings")).text).not.toContain("endOtherSessions");
    expect((await submit(here, PAGE)).page.text).not.toContain("endOtherSessions");
  });
});
