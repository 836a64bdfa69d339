import { describe, expect, test } from "@jest/globals";
import { MINUTE, STEP, told } from "../support/attack.js";
import { testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { fieldOn } from "../support/pages.js";

const guardedPage: TestAppOptions = {
  routes(app, mfa) {
    app.get("/vault", mfa.require({ maxAge: "5m" }), (_req, res) => void res.send("open"));
  },
};

async function twoTabs() {
  const target = testApp();
  const factor = await enrolled(target, "alice");
  const jar = new Jar(target);
  await jar.login("alice");
  const shown = fieldOn(await jar.page("/2fa"), "shown");
  return { target, factor, jar, shown };
}

describe("the form of a sign-in that was finished in another tab", () => {
  test.each([
    ["the very same code", 0],
    ["the next one", STEP],
  ])("goes on with %s, and nothing is compared, counted or used up", async (_name, later) => {
    const { factor, jar, shown, target } = await twoTabs();
    const code = factor.phone.code(target.clock());
    expect((await jar.form("/2fa/totp", { code, shown })).headers.location).toBe("/account");
    target.clock.advance(later);
    const before = [target.events.length, (await jar.get("/2fa/settings")).body.sessions];
    const second = await jar.form("/2fa/totp", { code: factor.phone.code(target.clock()), shown });
    expect([second.status, second.headers.location]).toEqual([303, "/"]);
    expect(told("step-up", target)).toBe(0);
    expect([target.events.length, (await jar.get("/2fa/settings")).body.sessions]).toEqual(before);
    if (later > 0) expect((await jar.verify(factor.phone.code(target.clock()))).status).toBe(200);
  });

  test("goes on with a backup code, which is not used up", async () => {
    const { factor, jar, shown, target } = await twoTabs();
    await jar.form("/2fa/totp", { code: factor.phone.code(target.clock()), shown });
    const second = await jar.form("/2fa/backup-code", { code: factor.backupCodes[0], shown });
    expect([second.status, (await jar.get("/2fa/settings")).body.backupCodes.remaining]).toEqual([303, 10]);
  });

  test("is a wrong code like any other while the sign-in is not finished", async () => {
    const { jar, shown } = await twoTabs();
    const wrong = await jar.form("/2fa/totp", { code: "000000", shown });
    expect([wrong.status, fieldOn(wrong, "shown")]).toEqual([401, shown]);
  });

  test("says nothing to clients of the API: their proof in a verified session is the step-up", async () => {
    const { factor, jar, shown, target } = await twoTabs();
    await jar.verify(factor.phone.code(target.clock()));
    target.clock.advance(STEP);
    expect((await jar.post("/2fa/totp", { code: factor.phone.code(target.clock()), shown })).status).toBe(200);
    expect(told("step-up", target)).toBe(1);
  });

  test("cannot stand in for a proof: what a route asked for is still asked for", async () => {
    const target = testApp(guardedPage);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(6 * MINUTE);
    expect((await jar.page("/vault")).headers.location).toBe("/2fa");
    for (const shown of ["", "made-up"]) {
      expect((await jar.form("/2fa/totp", { code: "000000", shown })).status).toBe(401);
    }
    expect((await jar.page("/vault")).status).toBe(303);
    const code = phone.code(target.clock());
    expect((await jar.form("/2fa/totp", { code, shown: "made-up" })).headers.location).toBe("/vault");
    expect((await jar.page("/vault")).text).toBe("open");
  });

  test("for a change that was confirmed in another tab goes on as well", async () => {
    const { factor, jar, shown, target } = await twoTabs();
    await jar.form("/2fa/totp", { code: factor.phone.code(target.clock()), shown });
    target.clock.advance(16 * MINUTE);
    const asked = await jar.page("/2fa?confirm=settings");
    expect(asked.status).toBe(200);
    const proof = { code: factor.phone.code(target.clock()), shown: fieldOn(asked, "shown") };
    expect((await jar.form("/2fa/totp", proof)).headers.location).toBe("/2fa/settings");
    expect((await jar.form("/2fa/totp", proof)).status).toBe(303);
  });
});

describe("GET /2fa of a complete login", () => {
  test.each([
    ["?confirm=settings", {}],
    ["", { Referer: "http://evil.test/2fa/settings" }],
  ])("opened by another site (%s) abandons nothing that waits to be confirmed", async (query, headers) => {
    const target = testApp(guardedPage);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(6 * MINUTE);
    await jar.page("/vault");
    const foreign = { Accept: "text/html", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", ...headers };
    await jar.agent.get(`/2fa${query}`).set(foreign);
    const answer = await jar.form("/2fa/totp", { code: phone.code(target.clock()) });
    expect(answer.headers.location).toBe("/vault");
  });

  test("goes on to where the user was going, or home, where nothing is asked", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const page = await jar.page("/2fa");
    expect([page.status, page.headers.location]).toEqual([303, "/"]);
    expect((await jar.page("/2fa?method=totp")).headers.location).toBe("/");
    expect((await jar.get("/2fa")).body.status).toBe("verified");
  });

  test("asks where a route asked, and goes back there by another method too", async () => {
    const target = testApp(guardedPage);
    const { backupCodes, phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(6 * MINUTE);
    await jar.page("/vault");
    expect((await jar.page("/2fa")).status).toBe(200);
    expect((await jar.page("/2fa?method=backup-code")).text).toContain("/2fa/backup-code");
    expect((await jar.form("/2fa/backup-code", { code: backupCodes[0] })).headers.location).toBe("/vault");
    expect((await jar.page("/2fa")).headers.location).toBe("/");
  });

  test("asks whoever came to confirm that it is them, whether or not a Referer says from where", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    target.clock.advance(16 * MINUTE);
    const link = /href="(\/2fa\?[^"]*)"/.exec((await jar.page("/2fa/settings")).text)?.[1];
    expect(link).toBe("/2fa?confirm=settings");
    expect((await jar.page(link!)).status).toBe(200);
    // The same page again, by another of their ways.
    expect((await jar.page("/2fa?method=backup-code")).status).toBe(200);
    expect((await jar.form("/2fa/totp", { code: phone.code(target.clock()) })).headers.location).toBe("/2fa/settings");
    expect((await jar.page("/2fa")).headers.location).toBe("/");
    expect((await jar.page("/2fa").set("Referer", "http://localhost:3000/2fa/settings")).status).toBe(200);
  });
});
