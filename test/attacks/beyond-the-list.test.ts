import { once } from "node:events";
import { describe, expect, test } from "@jest/globals";
import express, { type Express, type Request } from "express";
import session from "express-session";
import type passport from "passport";
import { authenticatorApp } from "express-second-factor/testing";
import { CANARY, testApp, type TestApp, type TestAppOptions, type TestUser, userNamed } from "../support/app.js";
import {
  ask,
  copyOf,
  cookies,
  countIn,
  deviceCookie,
  expectDenied,
  harmless,
  type Mode,
  MODES,
  NO_LIMITS,
  passworded,
  pendingJars,
  send,
  SESSION_COOKIE,
  slowRoute,
  STEP,
  storedAccount,
  told,
  trusted,
  twoServers,
} from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";
import { HeaderStrategy } from "../support/first-factors.js";
import { overHttp } from "../support/raw.js";
import { textOf } from "../../lib/http/session-record.js";
import type { SessionRecord } from "../../lib/policy/assess.js";

/** Sends a method and a path as they are. */
type Spoken = (method: string, path: string) => Promise<{ readonly status: number; readonly body: string }>;

interface LooseSession {
  passport?: unknown;
  secondFactor?: unknown;
  [name: string]: unknown;
}

function sessionOf(req: Request): LooseSession {
  return req.session as unknown as LooseSession;
}

function sessionIdOf(jar: Jar): string {
  return /^s%3A([^.]+)\./.exec(cookies(jar)[SESSION_COOKIE]!)![1]!;
}

describe("one session, several users", () => {
  function keeping(place: "above" | "below"): TestAppOptions {
    const mount = (app: Express, authenticator: passport.Authenticator): void => {
      authenticator.use(new HeaderStrategy());
      const keep = authenticator.authenticate("header", { keepSessionInfo: true });
      app.post("/keep", keep, (_req, res) => {
        res.status(204).end();
      });
    };
    return place === "above"
      ? { before: mount }
      : {
          routes: (app, _mfa, authenticator) => {
            mount(app, authenticator);
          },
        };
  }

  test.each(["above", "below"] as const)(
    "no second factor travels to another user and back with keepSessionInfo, on a route %s the middleware",
    async (place) => {
      const target = testApp(keeping(place));
      const { phone } = await enrolled(target, "alice");
      const jar = await full(target, "alice", phone);
      expect(await jar.isIn()).toBe(true);
      harmless(await jar.post("/keep").set("X-Test-User", "carol"));
      expect((await jar.get("/account")).body).toMatchObject({ user: { name: "carol" } });
      harmless(await jar.post("/keep").set("X-Test-User", "alice"));
      await expectDenied(jar);
    },
  );

  test.each(MODES)("a full login of one user opens nothing of the next one's (%s)", async (mode) => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    await enrolled(target, "mallory");
    const jar = await full(target, "alice", phone);
    await send(jar, mode, "/login", { username: "mallory", password: "mallory-password" });
    await expectDenied(jar);
    await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock()) });
    await expectDenied(jar);
  });

  test.each(MODES)("a login over a pending one replaces it: its code brings nobody in (%s)", async (mode) => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, mode, "alice");
    await jar.login("carol");
    await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock()) });
    expect((await jar.get("/account")).body).toMatchObject({ user: { name: "carol" } });
    expect((await target.mfa.accounts.status("u3")).enrolled).toBe(false);
  });

  test("a login without a session, in another's full session, neither gets in nor disturbs it", async () => {
    const target = testApp({
      routes: (app, _mfa, authenticator) => {
        authenticator.use(new HeaderStrategy());
        app.get("/token", authenticator.authenticate("header", { session: false }), (req, res) => {
          res.json({ canary: CANARY, user: req.user });
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    await enrolled(target, "mallory");
    const jar = await full(target, "alice", phone);
    for (const name of ["mallory", "alice"]) {
      expect(harmless(await jar.get("/token").set("X-Test-User", name)).status).toBe(401);
      expect((await jar.get("/account")).body).toMatchObject({ user: { name: "alice" } });
    }
    expect((await jar.get("/token").set("X-Test-User", "carol")).body).toMatchObject({ user: { name: "carol" } });
    expect((await jar.get("/account")).body).toMatchObject({ user: { name: "alice" } });
  });

  test("an account linked with assignProperty is not a login, whoever's it is", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/link"] },
      routes: (app, _mfa, authenticator) => {
        authenticator.use(new HeaderStrategy());
        app.post("/link", authenticator.authenticate("header", { assignProperty: "linked" }), (req, res) => {
          res.json({ in: req.isAuthenticated(), linked: (req as Request & { linked?: TestUser }).linked?.name });
        });
      },
    });
    await enrolled(target, "alice");
    const nobody = new Jar(target);
    const link = (jar: Jar): Promise<unknown> =>
      jar
        .post("/link")
        .set("X-Test-User", "alice")
        .then(({ body }) => body);
    expect(await link(nobody)).toEqual({ in: false, linked: "alice" });
    await expectDenied(nobody);
    const pendingJar = await passworded(target, "JSON", "alice");
    expect(await link(pendingJar)).toEqual({ in: false, linked: "alice" });
    await expectDenied(pendingJar);
  });
});

describe("a session written back by a request that was slow", () => {
  interface Ending {
    readonly what: string;
    act(target: TestApp, jar: Jar, alice: Enrolled): Promise<unknown>;
  }

  const ENDINGS: readonly Ending[] = [
    { what: "the user logged out", act: (_target, jar) => send(jar, "JSON", "/logout") },
    { what: "the application destroyed the session", act: (_target, jar) => send(jar, "JSON", "/destroy") },
    {
      what: "the application reloaded the session and destroyed it",
      act: (_target, jar) => send(jar, "JSON", "/reload-and-destroy"),
    },
    {
      what: "the user signed out everywhere else",
      act: async (target, _jar, { phone }) => {
        const other = await full(target, "alice", phone);
        return send(other, "JSON", "/2fa/sessions/revoke-others");
      },
    },
    { what: "the application signed the user out", act: ({ mfa }) => mfa.accounts.signOutEverywhere("u1") },
    { what: "an operator reset the account", act: ({ mfa }) => mfa.accounts.reset("u1") },
    { what: "the account was erased", act: ({ mfa }) => mfa.accounts.erase("u1") },
    {
      what: "somebody else logged in over it",
      act: (_target, jar) => send(jar, "JSON", "/login", credentials("carol")),
    },
    {
      what: "the same user logged in over it",
      act: (_target, jar) => send(jar, "JSON", "/login", credentials("alice")),
    },
    {
      what: "a step-up",
      act: (target, jar, { phone }) => send(jar, "JSON", "/2fa/totp", { code: phone.code(target.clock()) }),
    },
    { what: "a factor was added", act: (_target, jar) => jar.enroll() },
  ];

  function credentials(name: string): object {
    return { username: name, password: `${name}-password` };
  }

  function withEndings(): { readonly target: TestApp; readonly slow: ReturnType<typeof slowRoute> } {
    const slow = slowRoute();
    const target = testApp({
      routes: (app) => {
        app.get("/slow", slow.handler);
        app.post("/destroy", (req, res, next) => {
          req.session.destroy((error: unknown) => {
            if (error === undefined || error === null) res.status(204).end();
            else next(error);
          });
        });
        app.post("/reload-and-destroy", (req, res, next) => {
          req.session.reload(() => {
            req.session.destroy((error: unknown) => {
              if (error === undefined || error === null) res.status(204).end();
              else next(error);
            });
          });
        });
      },
    });
    return { target, slow };
  }

  /** Whether some session in the store was written by the slow request. */
  function wasWrittenBack({ sessionStore }: TestApp): Promise<boolean> {
    return new Promise((resolve) => {
      sessionStore.all!((_error, sessions) => {
        resolve(JSON.stringify(sessions ?? {}).includes("written late"));
      });
    });
  }

  async function afterLateWrite(
    name: string,
    jar: Jar,
    slow: ReturnType<typeof slowRoute>,
    act: () => Promise<unknown>,
  ) {
    const holder = copyOf(jar);
    const late = holder.get("/slow").then((answer) => answer.status);
    await slow.reached;
    await act();
    slow.release();
    expect(await late).toBe(200);
    expect([name, await wasWrittenBack(jar.target)]).toEqual([name, true]);
    return holder;
  }

  test.each(ENDINGS)("does not bring a full login back after $what", async ({ what, act }) => {
    const { target, slow } = withEndings();
    const alice = await enrolled(target, "alice");
    const jar = await full(target, "alice", alice.phone);
    const old = await afterLateWrite(what, jar, slow, () => act(target, jar, alice));
    await expectDenied(old);
  });

  test.each(ENDINGS.filter(({ what }) => what !== "a step-up" && what !== "a factor was added"))(
    "does not bring a login on a trusted browser back after $what",
    async ({ what, act }) => {
      const { target, slow } = withEndings();
      const alice = await enrolled(target, "alice");
      const owner = await trusted(target, "alice", alice.phone);
      const jar = copyOf(owner, [deviceCookie(owner)[0]]);
      await jar.login("alice");
      expect(await jar.isIn()).toBe(true);
      const old = await afterLateWrite(what, jar, slow, () => act(target, jar, alice));
      await expectDenied(old);
    },
  );

  test.each(ENDINGS.filter(({ what }) => /logged out|destroyed the session|signed the user out/.test(what)))(
    "does not bring back the login of a user without a second factor after $what",
    async ({ what, act }) => {
      const { target, slow } = withEndings();
      const jar = await passworded(target, "JSON", "alice");
      expect(await jar.isIn()).toBe(true);
      const old = await afterLateWrite(what, jar, slow, () => act(target, jar, undefined as unknown as Enrolled));
      await expectDenied(old);
    },
  );

  test("does not bring a pending login back after it was cancelled", async () => {
    const slow = slowRoute();
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/slow"] },
      routes: (app) => {
        app.get("/slow", slow.handler);
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const old = await afterLateWrite("cancel", jar, slow, () => send(jar, "JSON", "/2fa/cancel"));
    await expectDenied(old);
    await send(old, "JSON", "/2fa/totp", { code: phone.code(target.clock()) });
    await expectDenied(old);
  });

  test("is pending still when the code was given meanwhile, and that code does not open it", async () => {
    const slow = slowRoute();
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/slow"] },
      routes: (app) => {
        app.get("/slow", slow.handler);
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const code = phone.code(target.clock());
    const old = await afterLateWrite("verify", jar, slow, () => send(jar, "JSON", "/2fa/totp", { code }));
    await expectDenied(old);
    await send(old, "JSON", "/2fa/totp", { code });
    await expectDenied(old);
    expect(await jar.isIn()).toBe(true);
  });
});

describe("an application that brings the user back by itself", () => {
  const RESTORERS: Record<string, (app: Express, authenticator: passport.Authenticator) => void> = {
    "mounts passport.session() again": (app, authenticator) => {
      app.use(authenticator.session());
    },
    "mounts passport.initialize() and passport.session() again": (app, authenticator) => {
      app.use(authenticator.initialize(), authenticator.session());
    },
    "loads the user out of the session": (app) => {
      app.use((req, _res, next) => {
        const kept = sessionOf(req).passport as { readonly user?: string } | undefined;
        if (kept?.user === userNamed("alice").id) req.user = userNamed("alice");
        next();
      });
    },
    "gives the session a new id and keeps what it held": (app) => {
      app.use((req, _res, next) => {
        const kept = sessionOf(req).passport;
        req.session.regenerate(() => {
          if (kept !== undefined) sessionOf(req).passport = kept;
          next();
        });
      });
    },
  };

  describe.each(MODES)("as a client of %s", (mode) => {
    test.each(Object.keys(RESTORERS))("the pending user stays hidden where the application %s", async (name) => {
      const target = testApp({
        options: { exempt: ["/login", "/logout", "/welcome"] },
        routes: (app, _mfa, authenticator) => {
          RESTORERS[name]!(app, authenticator);
          app.all("/welcome", (req, res) => {
            res.json({ user: req.user ?? null, canary: req.isAuthenticated() ? CANARY : null });
          });
        },
      });
      await enrolled(target, "alice");
      const jar = await passworded(target, mode, "alice");
      for (let visit = 0; visit < 3; visit += 1) {
        expect(harmless(await ask(jar, mode, "/welcome")).body).toEqual({ user: null, canary: null });
        expect((await send(jar, mode, "/welcome")).body).toEqual({ user: null, canary: null });
        await expectDenied(jar);
      }
    });
  });

  test.each(MODES)("the user is hidden under whatever name Passport was told to keep them (%s)", async (mode) => {
    const target = testApp({
      before: (app, authenticator) => {
        app.use(authenticator.initialize({ userProperty: "account" }), authenticator.session());
      },
      options: { exempt: ["/login", "/logout", "/welcome"] },
      routes: (app) => {
        app.get("/welcome", (req, res) => {
          const { account = null } = req as Request & { account?: TestUser | null };
          res.json({ account, canary: req.isAuthenticated() ? CANARY : null });
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, mode, "alice");
    expect(harmless(await ask(jar, mode, "/welcome")).body).toEqual({ account: null, canary: null });
    await expectDenied(jar);
    await send(jar, mode, "/2fa/totp", { code: phone.code(target.clock()) });
    expect(await jar.isIn("/welcome")).toBe(true);
  });

  test("a record written into the session by mass assignment grants nothing", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/preferences"] },
      routes: (app) => {
        // A careless handler: whatever the client sends becomes part of its session.
        app.post("/preferences", (req, res) => {
          Object.assign(req.session, req.body);
          res.status(204).end();
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    await full(target, "alice", phone);
    const { id } = userNamed("alice");
    const { sessionEpoch: epoch, logins } = JSON.parse((await storedAccount(target, "alice")) ?? "{}") as {
      sessionEpoch: string;
      logins: readonly { readonly id: string; readonly stage: string }[];
    };
    expect(logins).toHaveLength(1);
    const [{ id: listedId, stage }] = logins as [(typeof logins)[number]];
    const real = { user: id, step: "second", id: "AAAAAAAAAAAAAAAAAAAAAA", at: target.clock(), epoch };
    const records = [
      real,
      { ...real, pending: false },
      { ...real, step: "first", pending: false },
      { ...real, step: "third" },
      { ...real, id: "" },
      { ...real, user: "u2" },
      { ...real, id: ["AAAAAAAAAAAAAAAAAAAAAA"] },
      { ...real, epoch: `${epoch}x` },
      { ...real, step: "first", epoch: "" },
      // What the settings page of another login shows.
      { ...real, id: listedId },
      { ...real, id: listedId, stage: "AAAAAAAAAAAAAAAAAAAAAA" },
    ];
    // Everything the client can know: the form of the text, and its own session's id.
    const written = (jar: Jar): string[] => records.map((record) => textOf(record as SessionRecord, sessionIdOf(jar)));
    const others = [real, { status: "verified" }, null, true, "verified", []];
    for (let index = 0; index < records.length + others.length; index += 1) {
      const jar = await passworded(target, "JSON", "alice");
      const secondFactor: unknown = [...written(jar), ...others][index];
      await send(jar, "JSON", "/preferences", { secondFactor, mfa: true, verified: true });
      await expectDenied(jar);
    }
    // The one thing missing is a stage that nobody can know.
    const jar = await passworded(target, "JSON", "alice");
    const known = { ...real, id: listedId, stage } as SessionRecord;
    await send(jar, "JSON", "/preferences", { secondFactor: textOf(known, sessionIdOf(jar)) });
    expect(await jar.isIn()).toBe(true);
  });

  test("the record of another user's full login grants nothing", async () => {
    const sessionStore = new session.MemoryStore();
    const target = testApp({ sessionStore });
    await enrolled(target, "alice");
    const { phone } = await enrolled(target, "mallory");
    const mallory = await full(target, "mallory", phone);
    const jar = await passworded(target, "JSON", "alice");
    const rows = (sessionStore as unknown as { sessions: Record<string, string> }).sessions;
    const [own, foreign] = [jar, mallory].map((each) => JSON.parse(rows[sessionIdOf(each)]!) as LooseSession);
    expect(foreign!.secondFactor).toMatch(/^1\|/);
    rows[sessionIdOf(jar)] = JSON.stringify({ ...own, secondFactor: foreign!.secondFactor });
    await expectDenied(jar);
    rows[sessionIdOf(jar)] = JSON.stringify({ ...foreign, passport: own!.passport });
    await expectDenied(jar);
  });
});

describe("paths written another way", () => {
  const VARIANTS = [
    "/account",
    "/account/",
    "/ACCOUNT",
    "//account",
    "///account//",
    "/account//",
    "/%61ccount",
    "/account%2f",
    "/account%00",
    "/account;jsessionid=1",
    "/account.json",
    "/account?x=/login",
    "/account?/2fa",
    "/login/account",
    "/login/../account",
    "/login/..%2faccount",
    "/login%2f..%2faccount",
    "/login;/../account",
    "//login",
    "/login//",
    "/log%69n",
    "/login%20",
    "/login%00",
    "/login.json",
    "/logout/x",
    "/2fa/../account",
    "/2fa/..%2faccount",
    "/2fa%2f..%2faccount",
    "/2fa;/account",
    "/%32fa/settings",
    "//2fa/settings",
    "/2fa//settings",
    "/2fa/unknown",
    "/2FA/unknown",
    "/2fa/assets/../../account",
    "/2fa/assets/..%2f..%2faccount",
    "/./account",
  ] as const;

  /** Answers everything that gets past the middleware with the canary, and asks for nothing. */
  function open(app: Express): void {
    app.use((_req, res) => {
      res.send(CANARY);
    });
  }

  /** Speaks for the jar in exactly the bytes given. */
  function inBytes(jar: Jar, mode: Mode, use: (send: Spoken) => Promise<void>): Promise<void> {
    const accept = mode === "JSON" ? "application/json" : "text/html";
    const cookie = `${SESSION_COOKIE}=${cookies(jar)[SESSION_COOKIE]!}`;
    return overHttp(jar.target.app, (speak) =>
      use(async (method, path) => {
        const { status, headers, body } = await speak(path, { method, headers: { accept, cookie } });
        expect([method, path, `${JSON.stringify(headers)} ${body}`]).toEqual([
          method,
          path,
          expect.not.stringContaining(CANARY),
        ]);
        return { status, body };
      }),
    );
  }

  test.each(MODES)("no spelling of a path leads past the middleware (%s)", async (mode) => {
    const target = testApp({ routes: open });
    await enrolled(target, "alice");
    const jar = await passworded(target, mode, "alice");
    await inBytes(jar, mode, async (speak) => {
      for (const path of VARIANTS) {
        for (const method of ["GET", "POST", "PUT", "HEAD", "OPTIONS", "PROPFIND"]) {
          const { status } = await speak(method, path);
          expect([method, path, status >= 300 && status < 500]).toEqual([method, path, true]);
        }
      }
    });
    await expectDenied(jar, ["/account"]);
  });

  test("an exempt path is exempt in the spellings Express takes for it, with the user hidden, and in no others", async () => {
    const target = testApp({
      options: { exempt: ["/public"] },
      routes: (app) => {
        app.use((req, res) => {
          res.send(`reached ${req.user === undefined ? "as nobody" : CANARY}`);
        });
      },
    });
    await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const reached: string[] = [];
    const right = ["/public", "/public/", "/PUBLIC", "/public?next=/account"];
    const wrong = [
      "/public/x",
      "/public//",
      "//public",
      "/publicx",
      "/pub%6cic",
      "/public%2f",
      "/public;x",
      "/x?/public",
    ];
    await inBytes(jar, "JSON", async (speak) => {
      for (const path of [...right, ...wrong]) {
        if ((await speak("GET", path)).body.includes("reached")) reached.push(path);
      }
    });
    expect(reached).toEqual(right);
  });

  test("headers that name another path, method or address change nothing", async () => {
    const target = testApp({ routes: open });
    await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const headers: Record<string, string>[] = [
      { "X-Original-URL": "/login", "X-Rewrite-URL": "/login" },
      { "X-HTTP-Method-Override": "POST", "X-Method-Override": "POST" },
      { "X-Forwarded-Prefix": "/login", "X-Forwarded-Uri": "/login", "X-Forwarded-Path": "/2fa" },
      { "X-MFA": "ok", "X-Second-Factor": "verified" },
      { Referer: "http://localhost:3000/2fa", "X-Requested-With": "XMLHttpRequest" },
      { Upgrade: "websocket", "X-Forwarded-For": "127.0.0.1" },
    ];
    for (const set of headers) expect(harmless(await jar.get("/account").set(set)).status).toBe(401);
    await expectDenied(jar, ["/account"]);
  });

  test.each(MODES)(
    "in an application mounted below a path everything moves along, and nothing opens (%s)",
    async (mode) => {
      const target = testApp({ routes: open });
      await enrolled(target, "alice");
      const jar = new Jar(target, express().use("/inner", target.app));
      const login = { username: "alice", password: "alice-password" };
      const answer = await send(jar, mode, "/inner/login", login);
      expect(answer.status).toBe(mode === "JSON" ? 401 : 303);
      if (mode === "forms") expect(answer.headers.location).toBe("/inner/2fa");
      for (const path of ["/inner/account", "/inner", "/inner/", "/inner/inner/login", "/inner/2fa/settings"]) {
        expect([401, 303]).toContain(harmless(await ask(jar, mode, path)).status);
      }
      expect((await jar.get("/inner/2fa")).body).toMatchObject({ status: "pending" });
    },
  );

  test("a path whose escapes are broken is refused by the routes themselves, and is no server error", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    await inBytes(jar, "JSON", async (speak) => {
      for (const path of ["/2fa/factors/%E0%A4%A/remove", "/2fa/devices/%/revoke"]) {
        expect([path, (await speak("POST", path)).status]).toEqual([path, 404]);
      }
    });
  });
});

describe("users the policy exempts", () => {
  const exempting: TestAppOptions = {
    options: { policy: (_user, req) => (req.get("x-office") === "yes" ? "exempt" : "optional") },
  };

  test.each(MODES)("a password alone removes no factor where nobody is challenged (%s)", async (mode) => {
    const target = testApp(exempting);
    const { factorId } = await enrolled(target, "alice");
    const jar = new Jar(target);
    jar.agent.set("X-Office", "yes");
    await jar.login("alice");
    expect(await jar.isIn()).toBe(true);
    const before = await storedAccount(target, "alice");
    const paths = [
      "/2fa/disable",
      `/2fa/factors/${factorId}/remove`,
      "/2fa/backup-codes",
      "/2fa/totp/enroll",
      "/2fa/sessions/revoke-others",
    ];
    for (const path of paths) expect([path, (await send(jar, mode, path)).status]).toEqual([path, 401]);
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("somebody exempt can prove their factor all the same, and it counts", async () => {
    const target = testApp(exempting);
    const { phone, factorId } = await enrolled(target, "alice");
    const jar = new Jar(target);
    jar.agent.set("X-Office", "yes");
    await jar.login("alice");
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    expect((await send(jar, "JSON", `/2fa/factors/${factorId}/rename`, { label: "mine" })).status).toBe(200);
    jar.agent.set("X-Office", "no");
    expect(await jar.isIn()).toBe(true);
  });

  test("a login made where nobody is challenged is challenged where everybody is", async () => {
    const target = testApp(exempting);
    await enrolled(target, "alice");
    const jar = new Jar(target);
    await jar.post("/login", { username: "alice", password: "alice-password" }).set("X-Office", "yes");
    expect((await jar.get("/account").set("X-Office", "yes")).text).toContain(CANARY);
    await expectDenied(jar);
    // And once it was challenged, moving back does not lift it.
    expect((await jar.get("/2fa")).body).not.toMatchObject({ status: "verified" });
  });
});

describe("races beside a change", () => {
  const WIDTH = 30;

  /** Acts as soon as something happens at one of the servers: in the middle of a race, not before it. */
  function afterFirstEvent(servers: readonly TestApp[], act: () => Promise<unknown>): Promise<unknown> {
    return Promise.race(servers.map(({ mfa }) => once(mfa.events, "audit"))).then(act);
  }

  test("no login that ran beside an enrollment stays in without the new factor", async () => {
    const servers = twoServers({ options: { limits: NO_LIMITS } });
    const enrolling = await passworded(servers[0], "JSON", "alice");
    const begun = (await enrolling.post("/2fa/totp/enroll")).body as { factorId: string; uri: string };
    const code = authenticatorApp(begun.uri).code(servers[0].clock());
    const confirm = (): Promise<number> =>
      enrolling.post("/2fa/totp/enroll/confirm", { factorId: begun.factorId, code }).then(({ status }) => status);
    const half = (server: TestApp): Promise<Jar[]> => pendingJars(WIDTH / 2, [server], "alice");
    const [before, done, after] = await Promise.all([half(servers[0]), confirm(), half(servers[1])]);
    expect(done).toBe(201);
    expect(await enrolling.isIn()).toBe(true);
    expect(await countIn([...before, ...after])).toBe(0);
  });

  test("of thirty first enrollments confirmed in one tick one stands, with its login and its backup codes alone", async () => {
    const servers = twoServers({ options: { limits: NO_LIMITS } });
    const jars = await pendingJars(WIDTH, servers, "alice");
    const begun: { readonly factorId: string; readonly uri: string }[] = [];
    // Ten at most are kept begun; the last ten compete.
    for (const jar of jars) begun.push((await jar.post("/2fa/totp/enroll")).body);
    const answers = await Promise.all(
      jars.map((jar, index) => {
        const { factorId, uri } = begun[index]!;
        const code = authenticatorApp(uri).code(servers[0].clock());
        return send(jar, "JSON", "/2fa/totp/enroll/confirm", { factorId, code });
      }),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await servers[0].mfa.accounts.factors("u1")).toHaveLength(1);
    expect(await servers[1].mfa.accounts.status("u1")).toMatchObject({ backupCodesRemaining: 10 });
    expect(await countIn(jars)).toBe(1);
  });

  test("no code given in the tick of a sign-out everywhere leaves a login behind", async () => {
    const servers = twoServers({ options: { limits: NO_LIMITS } });
    const { phone, backupCodes } = await enrolled(servers[0], "alice");
    const jars = await pendingJars(WIDTH, servers, "alice");
    const proofs = jars.map((jar, index) =>
      index % 3 === 0
        ? send(jar, "JSON", "/2fa/totp", { code: phone.code(servers[0].clock()) })
        : send(jar, "JSON", "/2fa/backup-code", { code: backupCodes[index % backupCodes.length] }),
    );
    await Promise.all([...proofs, afterFirstEvent(servers, () => servers[1].mfa.accounts.signOutEverywhere("u1"))]);
    expect(told("factor-verified", ...servers) + told("backup-code-used", ...servers)).toBeGreaterThan(0);
    expect(await countIn(jars)).toBe(0);
  });

  test("no login on a trusted browser in the tick of a new password stays in", async () => {
    const servers = twoServers();
    const { phone } = await enrolled(servers[0], "alice");
    const owner = await trusted(servers[0], "alice", phone);
    const jars = Array.from({ length: WIDTH }, () => copyOf(owner, [deviceCookie(owner)[0]]));
    const logins = jars.map((jar) => send(jar, "JSON", "/login", { username: "alice", password: "alice-password" }));
    await Promise.all([...logins, afterFirstEvent(servers, () => servers[1].mfa.accounts.passwordChanged("u1"))]);
    expect(told("device-used", ...servers)).toBeGreaterThan(0);
    expect(await countIn(jars)).toBe(0);
  });

  test("a login in the tick of a logout of the same jar is as good as a new one: pending", async () => {
    const [target] = twoServers();
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const copies = Array.from({ length: WIDTH }, () => copyOf(jar));
    await Promise.all(
      copies.map((copy, index) => (index % 2 === 0 ? send(copy, "JSON", "/logout") : copy.login("alice"))),
    );
    expect(await countIn([jar, ...copies])).toBe(0);
  });
});

describe("what was over stays over", () => {
  test("a session from before the account was erased is not alive again with the record gone", async () => {
    const target = testApp();
    const stolen = await passworded(target, "JSON", "alice");
    expect(await stolen.isIn()).toBe(true);
    await target.mfa.accounts.signOutEverywhere("u1");
    await target.mfa.accounts.erase("u1");
    await expectDenied(stolen);
  });

  test("a pending login whose account loses its factors ends, and never becomes a full one", async () => {
    const target = testApp();
    const { factorId } = await enrolled(target, "alice");
    for (const lose of [
      () => target.mfa.accounts.removeFactor("u1", factorId),
      () => target.mfa.accounts.reset("u1"),
      () => target.mfa.accounts.erase("u1"),
    ]) {
      const jar = await passworded(target, "JSON", "alice");
      await lose();
      await expectDenied(jar);
      await jar.post("/logout");
      await enrolled(target, "alice");
    }
  });

  test("a pending login ends after ten minutes, whatever it does meanwhile", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    for (let minute = 0; minute < 10; minute += 1) {
      target.clock.advance(2 * STEP);
      await ask(jar, "forms", "/account");
      await ask(jar, "JSON", "/2fa");
    }
    expect((await jar.verify(phone.code(target.clock()))).status).toBeGreaterThanOrEqual(400);
    await expectDenied(jar);
  });

  test("one form with password and code lets in who gave both, who owes no code, and nobody else", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/both"] },
      routes: (app, mfa, authenticator) => {
        authenticator.use(mfa.strategy("totp"));
        const steps = [
          authenticator.authenticate("local", { secondFactor: "inline" }),
          authenticator.authenticate("totp"),
        ];
        app.post("/both", ...steps, (_req, res) => {
          res.json({ canary: CANARY });
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const mallory = await enrolled(target, "mallory");
    const owner = await trusted(target, "alice", phone);
    const both = async (jar: Jar, name: string, code: string): Promise<boolean> => {
      const answer = await jar.post("/both", { username: name, password: `${name}-password`, code });
      expect(answer.status).toBeLessThan(500);
      expect([name, answer.text.includes(CANARY)]).toEqual([name, await jar.isIn()]);
      return answer.status === 200;
    };
    const now = target.clock();
    expect(await both(new Jar(target), "alice", "000000")).toBe(false);
    expect(await both(new Jar(target), "alice", mallory.phone.code(now))).toBe(false);
    expect(await both(await passworded(target, "JSON", "alice"), "mallory", phone.code(now))).toBe(false);
    expect(await both(new Jar(target), "alice", phone.code(now))).toBe(true);
    expect(await both(new Jar(target), "alice", phone.code(now))).toBe(false);
    expect(await both(new Jar(target), "carol", "")).toBe(true);
    expect(await both(copyOf(owner, [deviceCookie(owner)[0]]), "alice", "")).toBe(true);
  });

  test("a strategy of the library's on a route leaves a full login full", async () => {
    const target = testApp({
      options: { exempt: ["/login", "/logout", "/code"] },
      routes: (app, mfa, authenticator) => {
        authenticator.use(mfa.strategy("totp"));
        app.post("/code", authenticator.authenticate("totp"), (req, res) => {
          res.json({ status: req.secondFactor.status });
        });
      },
    });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const answer = harmless(await jar.post("/code", { code: "000000" }));
    expect([answer.status, answer.body]).toEqual([200, { status: "verified" }]);
    expect(await jar.isIn()).toBe(true);
  });
});
