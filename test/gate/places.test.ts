import type { RequestListener } from "node:http";
import { describe, expect, test } from "@jest/globals";
import express, { type Express } from "express";
import { authenticatorApp } from "express-second-factor/testing";
import { passkeys, totp } from "express-second-factor";
import { placesFor, sitePath } from "../../lib/http/places.js";
import { MINUTE, STEP } from "../support/attack.js";
import { passwordOf, testApp, type TestAppOptions } from "../support/app.js";
import { Jar } from "../support/browser.js";
import { overHttp } from "../support/raw.js";

const ACCOUNT = { username: "alice", password: passwordOf("alice") };

/** A proxy in front of the application that takes a path off. */
function stripping(prefix: string, app: RequestListener): Express {
  const proxy: RequestListener = (req, res) => {
    if (req.url?.startsWith(prefix) !== true) {
      res.statusCode = 404;
      res.end();
      return;
    }
    req.url = req.url.slice(prefix.length) || "/";
    app(req, res);
  };
  return proxy as unknown as Express;
}

/** The application mounted in another one. */
function mountedAt(path: string, app: Express): Express {
  return express().use(path, app);
}

const APPLICATIONS: Readonly<Record<string, (given: TestAppOptions) => { jar: () => Jar; prefix: string }>> = {
  "behind a proxy that strips /crm": (given) => {
    const target = testApp({ ...given, options: { publicPath: "/crm/", ...given.options } });
    return { prefix: "/crm", jar: () => new Jar(target, stripping("/crm", target.app)) };
  },
  "mounted below /app": (given) => {
    const target = testApp(given);
    return { prefix: "/app", jar: () => new Jar(target, mountedAt("/app", target.app)) };
  },
  "mounted below /app, behind a proxy that strips /crm": (given) => {
    const target = testApp({ ...given, options: { publicPath: "/crm", ...given.options } });
    return { prefix: "/crm/app", jar: () => new Jar(target, stripping("/crm", mountedAt("/app", target.app))) };
  },
  "mounted below /app, with the whole public path": (given) => {
    const target = testApp({ ...given, options: { publicPath: "/crm/app", ...given.options } });
    return { prefix: "/crm/app", jar: () => new Jar(target, stripping("/crm", mountedAt("/app", target.app))) };
  },
  "mounted below a pattern, /:tenant": (given) => {
    const target = testApp(given);
    return { prefix: "/acme", jar: () => new Jar(target, mountedAt("/:tenant", target.app)) };
  },
};

async function enroll(jar: Jar, prefix: string) {
  await jar.post(`${prefix}/login`, ACCOUNT);
  const begun = (await jar.post(`${prefix}/2fa/totp/enroll`)).body as { factorId: string; uri: string };
  const phone = authenticatorApp(begun.uri);
  const code = phone.code(jar.target.clock());
  await jar.post(`${prefix}/2fa/totp/enroll/confirm`, { factorId: begun.factorId, code });
  jar.target.clock.advance(STEP);
  return phone;
}

/** Everything a page links to, loads or sends to. */
function placesIn(text: string): string[] {
  return Array.from(text.matchAll(/(?:action|href|src|data-base|data-step-up)="([^"#][^"]*)"/g), ([, place]) => place!);
}

/** Its successful logins go on nowhere in particular. */
const plainLogin: TestAppOptions = {
  options: { exempt: ["/login", "/plain-login"] },
  routes(app, mfa, authenticator) {
    app.post("/plain-login", authenticator.authenticate("local"), (_req, res) => void res.json({}));
    app.all("/transfer", mfa.require({ maxAge: "5m" }), (_req, res) => void res.json({}));
    app.all("/bound", mfa.require({ bind: (req) => req.path }), (_req, res) => void res.json({}));
  },
};

describe.each(Object.entries(APPLICATIONS))("an application %s", (_name, made) => {
  test("answers a login that was going nowhere with its own front page", async () => {
    const { jar, prefix } = made(plainLogin);
    const phone = await enroll(jar(), prefix);
    const browser = jar();
    const login = await browser.post(`${prefix}/plain-login`, ACCOUNT);
    expect(login.body.location).toBe(`${prefix}/2fa`);
    const answer = await browser.post(`${prefix}/2fa/totp`, { code: phone.code(browser.target.clock()) });
    expect(answer.body.redirectTo).toBe(prefix);
  });

  test("brings the browser back to the page it was on, and to its own login page", async () => {
    const { jar, prefix } = made(plainLogin);
    const phone = await enroll(jar(), prefix);
    const browser = jar();
    await browser.form(`${prefix}/plain-login`, ACCOUNT);
    expect((await browser.page(`${prefix}/api/data?x=1`)).headers.location).toBe(`${prefix}/2fa`);
    const answer = await browser.form(`${prefix}/2fa/totp`, { code: phone.code(browser.target.clock()) });
    expect(answer.headers.location).toBe(`${prefix}/api/data?x=1`);
    const turned = jar();
    await turned.form(`${prefix}/plain-login`, ACCOUNT);
    expect((await turned.form(`${prefix}/2fa/cancel`)).headers.location).toBe(`${prefix}/login`);
  });

  test("asks for more within itself: location, operation, settings", async () => {
    const { jar, prefix } = made(plainLogin);
    const browser = jar();
    const phone = await enroll(browser, prefix);
    browser.target.clock.advance(20 * MINUTE);
    expect((await browser.post(`${prefix}/transfer`)).body.location).toBe(`${prefix}/2fa`);
    const bound = (await browser.post(`${prefix}/bound`)).body as { location: string; operation: { id: string } };
    expect(bound.location).toBe(`${prefix}/2fa?operation=${bound.operation.id}`);
    expect((await browser.page(`${prefix}/transfer?to=bob`)).headers.location).toBe(`${prefix}/2fa`);
    const answer = await browser.form(`${prefix}/2fa/totp`, { code: phone.code(browser.target.clock()) });
    expect(answer.headers.location).toBe(`${prefix}/transfer?to=bob`);
    browser.target.clock.advance(STEP);
    const confirmed = { code: phone.code(browser.target.clock()), operation: bound.operation.id };
    expect((await browser.post(`${prefix}/2fa/totp`, confirmed)).body.redirectTo).toBe(prefix);
    const stranger = await jar().post(`${prefix}/transfer`);
    expect(stranger.body.code).toBe("login-required");
  });

  test("has pages that lead nowhere else", async () => {
    const { jar, prefix } = made({ ...plainLogin, options: { methods: [totp(), passkeys()] } });
    const browser = jar();
    await enroll(browser, prefix);
    const begun = await browser.form(`${prefix}/2fa/totp/enroll`);
    expect(begun.headers.location).toBe(`${prefix}/2fa/totp/enroll`);
    const pages = [
      await browser.page(`${prefix}/2fa?confirm`),
      await browser.page(`${prefix}/2fa/settings`),
      await browser.page(`${prefix}/2fa/none`),
      await browser.page(`${prefix}/2fa/totp/enroll`),
      await jar().page(`${prefix}/2fa`),
      await jar().page(`${prefix}/transfer`),
    ];
    for (const { text } of pages) {
      const places = placesIn(text).filter((place) => !/^(otpauth|data):/.test(place));
      expect(places).not.toEqual([]);
      expect(places.filter((place) => place !== prefix && !place.startsWith(`${prefix}/`))).toEqual([]);
    }
    expect(placesIn(pages[1]!.text)).toContain(prefix);
    expect(placesIn(pages[4]!.text)).toContain(`${prefix}/login`);
  });

  test("names its settings to password managers", async () => {
    const { jar, prefix } = made({ options: { methods: [totp(), passkeys()] } });
    const { body } = await jar().get(`${prefix}/.well-known/passkey-endpoints`);
    expect(Object.values(body)).not.toEqual([]);
    for (const place of Object.values(body)) expect(place).toBe(`http://localhost:3000${prefix}/2fa/settings`);
  });

  test("leads where homePath and loginPath say, below itself, written either way", async () => {
    for (const inFront of ["", "/crm", "/crm/app", "/app", "/acme"].filter((each) =>
      ["", made({}).prefix].includes(each),
    )) {
      const options = { ...plainLogin.options, homePath: `${inFront}/start?a=1`, loginPath: `${inFront}/sign-in` };
      const { jar, prefix } = made({ ...plainLogin, options });
      const phone = await enroll(jar(), prefix);
      const browser = jar();
      await browser.post(`${prefix}/plain-login`, ACCOUNT);
      const answer = await browser.post(`${prefix}/2fa/totp`, { code: phone.code(browser.target.clock()) });
      expect(answer.body.redirectTo).toBe(`${prefix}/start?a=1`);
      expect(placesIn((await browser.page(`${prefix}/2fa/settings`)).text)).toContain(`${prefix}/start?a=1`);
      expect(placesIn((await jar().page(`${prefix}/2fa`)).text)).toContain(`${prefix}/sign-in`);
    }
  });
});

describe("homePath", () => {
  test("may lie outside of the mount path, written in full with a listed origin", async () => {
    const target = testApp({
      options: { homePath: "http://localhost:3000/", loginPath: "http://localhost:3000/in?a" },
    });
    const jar = new Jar(target, mountedAt("/app", target.app));
    await enroll(jar, "/app");
    expect(placesIn((await jar.page("/app/2fa/settings")).text)).toContain("/");
    expect(placesIn((await new Jar(target, mountedAt("/app", target.app)).page("/app/2fa")).text)).toContain("/in?a");
  });

  test("is the front page where nothing else is said", async () => {
    const target = testApp();
    const jar = new Jar(target);
    await enroll(jar, "");
    expect(placesIn((await jar.page("/2fa/settings")).text)).toContain("/");
  });
});

describe("a plain cookie", () => {
  test("is the public path's, where there is one", async () => {
    const target = testApp({ options: { publicPath: "/crm" } });
    const proxied = stripping("/crm", target.app);
    const phone = await enroll(new Jar(target, proxied), "/crm");
    const browser = new Jar(target, proxied);
    await browser.post("/crm/login", ACCOUNT);
    const body = { code: phone.code(target.clock()), trustDevice: true };
    const answer = await browser.post("/crm/2fa/totp", body);
    expect(String(answer.headers["set-cookie"])).toMatch(/2fa-device-[^;]*;.*Path=\/crm;/);
    await browser.post("/crm/logout");
    expect((await browser.post("/crm/login", ACCOUNT)).status).toBe(302);
  });
});

describe("words of the client's own in a mount path lead to no other site", () => {
  const WORDS = [
    "/\\evil.test",
    "//evil.test",
    "/\\\\evil.test",
    "/%5cevil.test",
    "/..",
    "/.",
    "/%2e%2e",
    "/evil.test:443",
  ];

  function anywhere(path: string): Express {
    return mountedAt(path, testApp({ ...plainLogin, options: { methods: [totp(), passkeys()] } }).app);
  }

  const isHere = (place: string): boolean => {
    const { origin } = new URL(place, "https://acme.example/a/b");
    return origin === "https://acme.example" || origin === "http://localhost:3000";
  };

  const ANY = /^\/[^]*?(?=\/2fa|\/transfer|\/\.well-known)/ as unknown as string;

  test.each(
    WORDS.flatMap(
      (words) =>
        [
          [words, "/:tenant"],
          [words, ANY],
        ] as const,
    ),
  )("%s below %s", async (words, path) => {
    await overHttp(anywhere(path), async (send) => {
      for (const below of ["/2fa", "/transfer", "/.well-known/passkey-endpoints"]) {
        const { body, headers, status } = await send(words + below, { headers: { accept: "text/html" } });
        expect(status).toBeLessThan(500);
        const named = Array.from(body.matchAll(/"(https?:[^"]*)"/g), ([, url]) => url!);
        expect([...placesIn(body), ...named].filter((place) => !isHere(place))).toEqual([]);
        expect(isHere(headers.location ?? "/")).toBe(true);
      }
    });
  });

  test("whatever they are made of", () => {
    const pieces = ["/", "\\", "//", ".", "..", "%2e", "\t", "evil.test", "?", "#", "@", ":", "https:", " ", "%5c"];
    const at = placesFor({ path: "/2fa", publicPath: "", home: undefined, login: { path: "/login", isWhole: false } });
    for (const a of pieces)
      for (const b of pieces)
        for (const c of pieces)
          for (const d of pieces) {
            const words = a + b + c + d;
            const { base, home, login, root } = at(words);
            for (const place of [base, home, login, `${base}/settings`, sitePath(words) || "/"]) {
              const url = new URL(place, "https://acme.example/deep/er");
              if (url.origin !== "https://acme.example" || place.startsWith("//"))
                throw new Error(`${words}: ${place}`);
            }
            if (root.endsWith("/")) throw new Error(`${words}: ${root}`);
          }
  });
});
