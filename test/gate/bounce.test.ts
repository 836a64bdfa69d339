import { describe, expect, test } from "@jest/globals";
import { testApp } from "../support/app.js";
import { enrolled, Jar, pending } from "../support/browser.js";

const SENT_HERE = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };

/** Where a page sends the browser by itself. */
function target(text: string): string | undefined {
  const [, place] = /<meta http-equiv="refresh" content="0;url=([^"]*)"/.exec(text) ?? [];
  return place?.replaceAll("&amp;", "&");
}

describe("a browser that another site sent to a page of ours without a login", () => {
  test.each(["/2fa", "/2fa/", "/2fa?method=totp", "/2fa/settings", "/2fa/reopen"])(
    "asks once more from here: %s",
    async (path) => {
      const jar = new Jar(testApp());
      const answer = await jar.page(path).set(SENT_HERE);
      expect([answer.status, answer.headers["set-cookie"]]).toEqual([200, undefined]);
      const again = target(answer.text)!;
      expect(new URL(again, "http://localhost").pathname).toBe(path.split("?")[0]);
      expect(again).toContain(path);
      const second = await jar.page(again).set({ ...SENT_HERE, "Sec-Fetch-Site": "same-origin" });
      expect([second.status, target(second.text)]).toEqual([401, undefined]);
      expect(second.text).toContain("Sign in first");
    },
  );

  test("asks once, whatever it says then", async () => {
    const jar = new Jar(testApp());
    const again = target((await jar.page("/2fa").set(SENT_HERE)).text)!;
    const second = await jar.page(again).set(SENT_HERE);
    expect([second.status, target(second.text)]).toEqual([401, undefined]);
  });

  test("finds its login then", async () => {
    const app = testApp();
    await enrolled(app, "alice");
    const jar = await pending(app, "alice");
    const again = target((await new Jar(app).page("/2fa").set(SENT_HERE)).text)!;
    const page = await jar.page(again);
    expect([page.status, page.text.includes('action="/2fa/totp"')]).toEqual([200, true]);
  });

  test("keeps the session that it did not send, where the application begins one for everybody", async () => {
    const app = testApp({
      before: (application) =>
        application.use((req, _res, next) => {
          Object.assign(req.session, { visited: true });
          next();
        }),
    });
    const answer = await new Jar(app).page("/2fa").set(SENT_HERE);
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([200, undefined]);
    const visitor = new Jar(app);
    await visitor.page("/");
    await visitor.page("/2fa").set(SENT_HERE);
    const sessions = Object.keys((app.sessionStore as unknown as { sessions: object }).sessions);
    expect(sessions).toHaveLength(1);
  });

  test("goes nowhere else, whatever it asks for", async () => {
    const jar = new Jar(testApp());
    const again = target((await jar.page('/2fa?a="><script>&x=//evil.test').set(SENT_HERE)).text)!;
    expect(new URL(again, "http://acme.example").host).toBe("acme.example");
  });
});

describe("nobody is sent in a circle who", () => {
  test.each<[string, Record<string, string>]>([
    ["comes from this site", { ...SENT_HERE, "Sec-Fetch-Site": "same-origin" }],
    ["comes from a sibling site, whose cookies are sent", { ...SENT_HERE, "Sec-Fetch-Site": "same-site" }],
    ["typed the address", { ...SENT_HERE, "Sec-Fetch-Site": "none" }],
    ["says nothing of it", {}],
    ["is a frame", { ...SENT_HERE, "Sec-Fetch-Dest": "iframe" }],
    ["is a script", { ...SENT_HERE, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" }],
    ["only looks ahead", { ...SENT_HERE, "Sec-Purpose": "prefetch" }],
  ])("%s", async (_name, headers) => {
    const answer = await new Jar(testApp()).page("/2fa").set(headers);
    expect([answer.status, target(answer.text)]).toEqual([401, undefined]);
  });

  test("has a login", async () => {
    const app = testApp();
    await enrolled(app, "alice");
    const jar = await pending(app, "alice");
    const page = await jar.page("/2fa").set(SENT_HERE);
    expect([page.status, target(page.text)]).toEqual([200, undefined]);
  });

  test("asks for JSON", async () => {
    const answer = await new Jar(testApp()).get("/2fa").set(SENT_HERE);
    expect([answer.status, answer.body.code]).toEqual([401, "login-required"]);
  });

  test("asks for a page of the application's, which is not opened for other sites", async () => {
    const app = testApp({ routes: (application, mfa) => application.get("/admin", mfa.require()) });
    const answer = await new Jar(app).page("/admin").set(SENT_HERE);
    expect([answer.status, target(answer.text)]).toEqual([401, undefined]);
  });
});
