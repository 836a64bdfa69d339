import { describe, expect, test } from "@jest/globals";
import type { Request, Response } from "express";
import { MINUTE } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { enrolled, full, Jar } from "../support/browser.js";

const ACCOUNT = { username: "alice", password: passwordOf("alice") };
const HTMX = { "HX-Request": "true", Accept: "*/*", "Sec-Fetch-Site": "same-origin" };
/** htmx told to prefer HTML, and a link or form that it follows in the browser's place. */
const KINDS = [HTMX, { ...HTMX, Accept: "text/html" }, { ...HTMX, "HX-Boosted": "true" }];

const asking: TestAppOptions = {
  routes(app, mfa) {
    app.all("/transfer", mfa.require({ maxAge: "5m" }), (_req: Request, res: Response) => void res.json({}));
    app.all("/pay", mfa.require({ bind: () => "Pay" }), (_req: Request, res: Response) => void res.json({}));
  },
};

async function ready(given: TestAppOptions = asking) {
  const target = testApp(given);
  const factor = await enrolled(target, "alice");
  return { ...factor, target, jar: new Jar(target) };
}

describe.each(KINDS)("htmx, which shows nothing of a refusal and puts a page into the page (%j)", (headers) => {
  const post = (jar: Jar, path: string, body: object = {}) => jar.agent.post(path).set(headers).type("form").send(body);
  const get = (jar: Jar, path: string) => jar.agent.get(path).set(headers);

  test("is sent to the challenge by a login, and by every request while it waits", async () => {
    const { jar } = await ready();
    for (const answer of [
      await post(jar, "/login", ACCOUNT),
      await get(jar, "/api/data"),
      await post(jar, "/transfer"),
    ]) {
      expect([answer.status, answer.headers["hx-redirect"]]).toEqual([401, "/2fa"]);
      expect([answer.body.code, answer.headers.location]).toEqual(["second-factor-required", undefined]);
    }
  });

  test("is sent there too where the application draws the pages", async () => {
    const { jar } = await ready({ ...asking, options: { pages: false } });
    const answer = await post(jar, "/login", ACCOUNT);
    expect([answer.status, answer.headers["hx-redirect"]]).toEqual([401, "/2fa"]);
  });

  test("is sent on by a right code, and told of a wrong one", async () => {
    const { jar, phone, target } = await ready();
    await post(jar, "/login", ACCOUNT);
    const wrong = await post(jar, "/2fa/totp", { code: "000000" });
    expect([wrong.status, wrong.body.code, wrong.headers["hx-redirect"]]).toEqual([401, "invalid-code", undefined]);
    const right = await post(jar, "/2fa/totp", { code: phone.code(target.clock()) });
    expect([right.status, right.body.redirectTo, right.headers["hx-redirect"]]).toEqual([200, "/account", "/account"]);
  });

  test("is sent to what a route asks for: a login, a proof, a proof of one operation, a factor", async () => {
    const { phone, target } = await ready();
    const stranger = await get(new Jar(target), "/transfer");
    expect([stranger.status, stranger.headers["hx-redirect"]]).toEqual([401, "/login"]);
    const jar = await full(target, "alice", phone);
    target.clock.advance(6 * MINUTE);
    expect((await post(jar, "/transfer")).headers["hx-redirect"]).toBe("/2fa");
    const bound = await post(jar, "/pay");
    expect(bound.headers["hx-redirect"]).toBe(`/2fa?operation=${String(bound.body.operation.id)}`);
    const carol = new Jar(target);
    await carol.login("carol");
    const none = await post(carol, "/transfer");
    expect([none.status, none.headers["hx-redirect"]]).toEqual([403, "/2fa/settings"]);
  });

  test("opens the pages of the second factor, and puts them into no other", async () => {
    const { phone, target } = await ready();
    const jar = await full(target, "alice", phone);
    const page = await get(jar, "/2fa/settings?a=1");
    expect([page.status, page.type, page.headers["hx-redirect"]]).toEqual([
      200,
      "application/json",
      "/2fa/settings?a=1",
    ]);
    target.clock.advance(20 * MINUTE);
    expect((await post(jar, "/2fa/disable")).headers["hx-redirect"]).toBe("/2fa");
    const code = phone.code(target.clock());
    expect((await post(jar, "/2fa/totp", { code })).headers["hx-redirect"]).toBe("/2fa/settings");
  });

  test("is told of nothing where it does not ask", async () => {
    const { jar } = await ready();
    expect((await jar.post("/login", ACCOUNT)).headers["hx-redirect"]).toBeUndefined();
  });
});

describe("the pages in an application's own frame", () => {
  test("are left to the browser by Turbo and htmx, and opened whole", async () => {
    const { target } = await ready();
    const { text } = await new Jar(target).page("/2fa");
    expect(text).toMatch(/<meta name="turbo-visit-control" content="reload" \/>/);
    expect(text).toMatch(/<div class="sf"[^>]* data-turbo="false" data-hx-boost="false">/);
  });

  test("are where Turbo arrives after its form: 303 and HTML", async () => {
    const { jar } = await ready();
    const turbo = {
      Accept: "text/vnd.turbo-stream.html, text/html, application/xhtml+xml",
      "Sec-Fetch-Site": "same-origin",
    };
    const login = await jar.agent.post("/login").set(turbo).type("form").send(ACCOUNT);
    expect([login.status, login.headers.location]).toEqual([303, "/2fa"]);
    const page = await jar.agent.get("/2fa").set(turbo);
    expect([page.status, page.type]).toEqual([200, "text/html"]);
  });
});
