import { describe, expect, test } from "@jest/globals";
import type { Evaluate, Notice, Policy, SecondFactorOptions } from "express-second-factor";
import type { Request, RequestHandler } from "express";
import { CANARY, guarded, passwordOf, testApp, type TestApp, type TestUser, userNamed } from "../support/app.js";
import { DAY } from "../support/attack.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import { DESK, passed } from "../help-desk/stage.js";
import { completed, type Recovering } from "../support/recovery.js";
import { HeaderStrategy } from "../support/first-factors.js";

type Rules = Policy<Request, TestUser>;

const open: RequestHandler = (_req, res) => void res.json({ canary: CANARY });

/** An application with pages, an API, tokens without a session and a router of its own. */
function everywhere(policy: Rules, options: Partial<SecondFactorOptions<TestUser>> = {}): TestApp {
  return testApp({
    options: { policy, ...options },
    routes: (app, mfa, authenticator) => {
      authenticator.use(new HeaderStrategy());
      app.get("/by-token", authenticator.authenticate("header", { session: false }), guarded);
      app.post("/pay", guarded);
      app.get("/strict", mfa.require(), open);
    },
  });
}

/** What each way in answers somebody in this login. */
async function answersOf(jar: Jar): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  const asked = {
    pages: jar.page("/account"),
    api: jar.get("/api/data"),
    post: jar.post("/pay"),
    strict: jar.get("/strict"),
  };
  for (const [way, request] of Object.entries(asked)) {
    const { body, headers, status, text } = await request;
    expect([way, text.includes(CANARY)]).toEqual([way, false]);
    answers.push([way, status, (body as { code?: string }).code ?? headers.location]);
  }
  return answers;
}

/** Only what leads to a factor works. */
const LOCKED_IN = [
  ["pages", 303, "/2fa"],
  ["api", 403, "enrollment-required"],
  ["post", 403, "enrollment-required"],
  ["strict", 403, "enrollment-required"],
];

const challenge: Evaluate<Request, TestUser> = (_user, _req, _login, _facts) => "challenge";

const DEMANDS: readonly [string, Rules, number][] = [
  ["required", "required", 0],
  ["require", { require: true }, 0],
  ["a grace that is over", { require: true, grace: "14d" }, 14 * DAY],
  ["a date that is past", { require: true, graceUntil: "2020-01-01" }, 0],
  ["a challenge", { evaluate: challenge }, 0],
  ["hours that are not now", { require: true, trustedNetworks: ["0.0.0.0/0", "::/0"], hours: [never()] }, 0],
];

/** A minute of the week in which no test runs: of the day that is not today by the tests' clock. */
function never() {
  const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
  const today = new Date(testApp().clock()).getUTCDay();
  return { days: [days[(today + 3) % 7]!], from: "00:00", to: "00:01", zone: "UTC" };
}

describe("B09 a policy on pages and on the API alike", () => {
  test.each(DEMANDS)(
    "B09 %s: nothing but enrollment works, by page, API, token or step-up",
    async (_name, policy, passed) => {
      const target = everywhere(policy);
      if (passed > 0) {
        await pending(target, "carol");
        target.clock.advance(passed);
      }
      const jar = await pending(target, "carol");
      expect(await answersOf(jar)).toEqual(LOCKED_IN);
      for (const path of ["/2fa/settings", "/2fa/settings?x"]) expect((await jar.get(path)).status).toBe(403);
      const token = await new Jar(target).get("/by-token").set("X-Test-User", "carol");
      expect([token.status, token.body.code]).toEqual([403, "enrollment-required"]);
      await jar.enroll();
      expect(await jar.isIn()).toBe(true);
    },
  );

  test("B09 a refused login is refused everywhere, and no second-factor route takes anything of it", async () => {
    const target = everywhere({ evaluate: () => "deny" });
    const account = { username: "carol", password: passwordOf("carol") };
    const ways = [
      () => new Jar(target).post("/login", account),
      () => new Jar(target).form("/login", account),
      () => new Jar(target).get("/by-token").set("X-Test-User", "carol"),
      () => new Jar(target).page("/by-token").set("X-Test-User", "carol"),
    ];
    for (const way of ways) expect((await way()).status).toBe(403);
    const jar = await pending(target, "carol");
    for (const path of ["/2fa", "/2fa/settings"]) expect((await jar.get(path)).body.code).toBe("login-required");
    expect((await jar.post("/2fa/totp/enroll")).body.code).toBe("login-required");
    expect(await jar.isIn()).toBe(false);
  });

  test("B09 what is invited in grace opens no step-up route: there is no factor to show", async () => {
    const target = everywhere({ require: true, grace: "14d" });
    const jar = await pending(target, "carol");
    expect(await jar.isIn()).toBe(true);
    const { status, text } = await jar.get("/strict");
    expect([status, text.includes(CANARY)]).toEqual([403, false]);
  });

  test("B09 a pass, support that acts and a recovery of yesterday open no step-up route, by page or API, where a factor is demanded", async () => {
    const notices: Notice[] = [];
    const target = everywhere("required", { notify: (notice) => void notices.push(notice) });
    target.app.post("/act", (req, res, next) => {
      target.mfa.assertLogin(req, userNamed("alice"), DESK).then(() => res.end(), next);
    });
    await enrolled(target, "alice");
    const byPass = await passed(target);
    const acting = new Jar(target);
    expect((await acting.post("/act")).status).toBe(200);
    const opened = async (jar: Jar): Promise<readonly unknown[]> => {
      const [api, page] = [await jar.get("/strict"), await jar.page("/strict")];
      expect([api, page].filter(({ text }) => text.includes(CANARY))).toEqual([]);
      return [api.body.code, page.status];
    };
    expect(await opened(byPass)).toEqual(["step-up-required", 303]);
    expect(await opened(acting)).toEqual(["acting-login", 403]);
    const back = await completed({ target, notices } as unknown as Recovering);
    expect(await opened(back)).toEqual(["enrollment-required", 303]);
    await back.enroll();
    expect(await opened(back)).toEqual(["probation", 403]);
    // What came before it is over with the factors that are gone.
    expect([await byPass.isIn(), await acting.isIn(), await back.isIn()]).toEqual([false, false, true]);
  });
});
