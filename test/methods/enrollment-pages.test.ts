import { describe, expect, test } from "@jest/globals";
import session from "express-session";
import { authenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import { creationOptions } from "../passkeys/stage.js";
import { copyOf, distantStore, MINUTE, SESSION_COOKIE, wrongCode } from "../support/attack.js";
import { testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { codesOn, fieldOn, phoneWith, shownOn, submit } from "../support/pages.js";

const PAGE = "/2fa/totp/enroll";

async function loggedIn(given: TestAppOptions = {}, name = "alice"): Promise<Jar> {
  const jar = new Jar(testApp(given));
  await jar.login(name);
  return jar;
}

/** What a session store holds, as whoever reads it would. */
function contentsOf(store: session.Store): string {
  return JSON.stringify((store as unknown as { sessions: unknown }).sessions);
}

describe("the page of an enrollment that is open", () => {
  test("is a page of its own, and shows the same secret and QR code when it is loaded again", async () => {
    const jar = await loggedIn();
    const { location, page } = await submit(jar, PAGE, { label: "Phone" });
    expect(location).toBe(PAGE);
    const shown = shownOn(page);
    expect(phoneWith(shown).secret).toBe(shown.secret);
    expect(shownOn(await jar.page(PAGE))).toEqual(shown);
    jar.target.clock.advance(5 * MINUTE - 1);
    expect(shownOn(await jar.page(PAGE))).toEqual(shown);
  });

  test("shows the code field alone once five minutes have passed, and all of it when it is asked for again", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    jar.target.clock.advance(5 * MINUTE);
    const later = await jar.page(PAGE);
    expect(shownOn(later)).toEqual({ factorId: shown.factorId, secret: undefined, qr: undefined, uri: undefined });
    expect(later.text).not.toContain(shown.secret!.slice(0, 8));
    expect(shownOn((await submit(jar, PAGE)).page)).toEqual(shown);
    expect(shownOn(await jar.page(PAGE))).toEqual(shown);
  });

  test("is over after ten minutes, and then begins with another secret", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    jar.target.clock.advance(10 * MINUTE);
    expect((await jar.page(PAGE)).headers.location).toBe("/2fa/settings");
    const code = phoneWith(shown).code(jar.target.clock());
    expect((await jar.post(`${PAGE}/confirm`, { factorId: shown.factorId, code })).status).toBe(410);
    expect(shownOn((await submit(jar, PAGE)).page).secret).not.toBe(shown.secret);
  });

  test("is there no more once it is proved, or turned away from", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    const cancelled = await jar.form(`${PAGE}/cancel`);
    expect([cancelled.status, cancelled.headers.location]).toEqual([303, "/2fa/settings"]);
    expect((await jar.page(PAGE)).headers.location).toBe("/2fa/settings");
    const code = phoneWith(shown).code(jar.target.clock());
    expect((await jar.post(`${PAGE}/confirm`, { factorId: shown.factorId, code })).status).toBe(404);
    const anew = shownOn((await submit(jar, PAGE)).page);
    expect(anew.secret).not.toBe(shown.secret);
    await submit(jar, `${PAGE}/confirm`, { factorId: anew.factorId, code: phoneWith(anew).code(jar.target.clock()) });
    expect((await jar.page(PAGE)).headers.location).toBe("/2fa/settings");
  });

  test("is cancelled by clients with 204, whatever was open", async () => {
    const jar = await loggedIn();
    expect((await jar.post(`${PAGE}/cancel`)).status).toBe(204);
    await jar.post(PAGE);
    expect((await jar.post(`${PAGE}/cancel`)).status).toBe(204);
  });

  test("is for its own session alone: not for another of the same user, not for a copy, not for a client of the API", async () => {
    const sessionStore = new session.MemoryStore();
    const jar = await loggedIn({ sessionStore });
    const { secret } = shownOn((await submit(jar, PAGE)).page);
    const other = new Jar(jar.target);
    await other.login("alice");
    expect((await other.page(PAGE)).headers.location).toBe("/2fa/settings");
    expect((await jar.get(PAGE)).status).toBe(404);
    expect((await new Jar(jar.target).page(PAGE)).status).toBe(401);
    const copy = copyOf(jar, [SESSION_COOKIE]);
    await jar.post("/logout");
    expect((await copy.page(PAGE)).text).not.toContain(secret);
    expect(contentsOf(sessionStore)).not.toContain(secret);
  });

  test("asks for a proof first where the login is no longer fresh", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(14 * MINUTE);
    const { secret } = shownOn((await submit(jar, PAGE)).page);
    target.clock.advance(2 * MINUTE);
    const refused = await jar.page(PAGE);
    expect([refused.status, refused.text.includes(secret!)]).toEqual([401, false]);
  });

  test("counts what it draws: sixty in fifteen minutes, whether begun or loaded again", async () => {
    const jar = await loggedIn();
    await submit(jar, PAGE);
    for (let loaded = 2; loaded < 60; loaded += 1) await jar.page(PAGE);
    expect((await jar.page(PAGE)).status).toBe(429);
  });

  test("where the policy demands a factor leads back to the first screen when it is turned away from", async () => {
    const jar = await loggedIn({ options: { policy: "required" } });
    const { page } = await submit(jar, PAGE);
    expect(shownOn(page).secret).toBeDefined();
    expect((await jar.form(`${PAGE}/cancel`)).headers.location).toBe("/2fa");
  });
});

describe("a wrong code of an enrollment", () => {
  test("keeps the secret and the QR code on the page, and what was chosen", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    const code = wrongCode(phoneWith(shown), jar.target.clock());
    const wrong = await jar.form(`${PAGE}/confirm`, { factorId: shown.factorId, code, endOtherSessions: "false" });
    expect(wrong.status).toBe(401);
    expect(wrong.text).toContain("That code did not work");
    expect(shownOn(wrong)).toEqual(shown);
    expect(wrong.text).not.toMatch(/name="endOtherSessions"[^>]*checked/);
    const { page } = await submit(jar, `${PAGE}/confirm`, {
      factorId: shown.factorId,
      code: phoneWith(shown).code(jar.target.clock()),
    });
    expect(codesOn(page)).toHaveLength(10);
  });

  test.each([
    ["that cannot be read", 400, (): string => "12"],
    ["after too many", 429, (right: string): string => right],
  ])("%s keeps them as well", async (_name, status, codeFrom) => {
    const jar = await loggedIn({ options: { limits: { totp: { limit: 1, window: "15m" } } } });
    const shown = shownOn((await submit(jar, PAGE)).page);
    const right = phoneWith(shown).code(jar.target.clock());
    const send = (code: string) => jar.form(`${PAGE}/confirm`, { factorId: shown.factorId, code });
    if (status === 429) await send(wrongCode(phoneWith(shown), jar.target.clock()));
    const answer = await send(codeFrom(right));
    expect(answer.status).toBe(status);
    expect(shownOn(answer)).toEqual(shown);
  });

  test("shows no more of it than the page does: nothing after five minutes, nor to a login that is not fresh", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    jar.target.clock.advance(5 * MINUTE);
    for (const code of ["000000", "zz", ""]) {
      const answer = await jar.form(`${PAGE}/confirm`, { factorId: shown.factorId, code });
      expect([answer.status >= 400, answer.text.includes(shown.secret!)]).toEqual([true, false]);
    }
    const late = await loggedIn();
    late.target.clock.advance(14 * MINUTE);
    const begun = shownOn((await submit(late, PAGE)).page);
    late.target.clock.advance(2 * MINUTE);
    for (const code of ["000000", "zz", ""]) {
      const answer = await late.form(`${PAGE}/confirm`, { factorId: begun.factorId, code });
      expect([answer.status >= 400, answer.text.includes(begun.secret!)]).toEqual([true, false]);
    }
  });

  test("of somebody else's enrollment shows nothing of it", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    const other = new Jar(jar.target);
    await other.login("alice");
    const wrong = await other.form(`${PAGE}/confirm`, { factorId: shown.factorId, code: "000000" });
    expect(wrong.text).not.toContain(shown.secret!);
  });
});

describe("a second start in the same session", () => {
  test("answers the open one again: the same factor, secret and QR code, which the first code still proves", async () => {
    const jar = await loggedIn();
    const first = (await jar.post(PAGE)).body;
    const second = await jar.post(PAGE);
    expect([second.status, second.body]).toEqual([201, first]);
    const code = authenticatorApp(first.uri).code(jar.target.clock());
    const done = await jar.post(`${PAGE}/confirm`, { factorId: first.factorId, code });
    expect([done.status, done.body.factor.id]).toEqual([201, first.factorId]);
  });

  test("goes by the name that was given last, if one was", async () => {
    const jar = await loggedIn();
    for (const body of [{ label: "Phone" }, { label: "Work phone" }, {}]) await jar.post(PAGE, body);
    const { factorId, uri } = (await jar.post(PAGE)).body;
    const code = authenticatorApp(uri).code(jar.target.clock());
    expect((await jar.post(`${PAGE}/confirm`, { factorId, code })).body.factor.label).toBe("Work phone");
  });

  test("is one enrollment, however many starts come at once", async () => {
    const { store } = distantStore();
    const jar = await loggedIn({ store });
    await jar.get("/account");
    const begun = await Promise.all(Array.from({ length: 8 }, () => jar.post(PAGE)));
    expect(begun.map(({ status }) => status)).toEqual(begun.map(() => 201));
    expect(new Set(begun.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const account = JSON.parse((await store.read("account:u1"))!.value);
    expect(account.enrollments).toHaveLength(1);
  });

  test("of another session of the same user is another one", async () => {
    const jar = await loggedIn();
    const other = new Jar(jar.target);
    await other.login("alice");
    const [one, two] = [(await jar.post(PAGE)).body, (await other.post(PAGE)).body];
    expect(two.secret).not.toBe(one.secret);
    expect((await jar.post(PAGE)).body).toEqual(one);
  });

  test("of a passkey is a new challenge, and the answer to either of them is accepted", async () => {
    const jar = await loggedIn();
    const [one, two] = [await creationOptions(jar), await creationOptions(jar)];
    expect(one.challenge).not.toBe(two.challenge);
    expect(one.user).toEqual(two.user);
    const credential = softwareAuthenticator().create(one);
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(201);
  });
});

describe("a factor that a route asks for, of a user who has none", () => {
  test("leads back to that route once it is set up", async () => {
    const jar = await loggedIn({
      routes(app, mfa) {
        app.get("/reports", mfa.require({ maxAge: "5m" }), (_req, res) => void res.send("open"));
      },
    });
    expect((await jar.page("/reports?year=2026")).headers.location).toBe("/2fa/settings");
    const shown = shownOn((await submit(jar, PAGE)).page);
    const code = phoneWith(shown).code(jar.target.clock());
    await submit(jar, `${PAGE}/confirm`, { factorId: shown.factorId, code });
    expect((await jar.form("/2fa/backup-codes/saved")).headers.location).toBe("/reports?year=2026");
    expect((await jar.page("/reports?year=2026")).text).toBe("open");
    expect((await jar.page("/2fa")).headers.location).toBe("/");
  });
});

describe("the second tab of an enrollment", () => {
  test("that was finished in the first goes on, and ends nowhere", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    const { factorId } = shown;
    const proof = { factorId, code: phoneWith(shown).code(jar.target.clock()) };
    const first = await submit(jar, `${PAGE}/confirm`, proof);
    const second = await submit(jar, `${PAGE}/confirm`, proof);
    expect(codesOn(second.page)).toEqual(codesOn(first.page));
    expect((await jar.post(`${PAGE}/confirm`, proof)).status).toBe(404);
    expect((await jar.get("/2fa/settings")).body.factors).toHaveLength(1);
  });

  test("is no way in for a login that has not proved the factor", async () => {
    const jar = await loggedIn();
    const shown = shownOn((await submit(jar, PAGE)).page);
    const { factorId } = shown;
    const proof = { factorId, code: phoneWith(shown).code(jar.target.clock()) };
    await submit(jar, `${PAGE}/confirm`, proof);
    const other = await pending(jar.target, "alice");
    expect((await other.form(`${PAGE}/confirm`, proof)).status).toBe(401);
    expect(await other.isIn()).toBe(false);
    expect(fieldOn(await other.page("/2fa"), "code")).toBe("");
  });
});
