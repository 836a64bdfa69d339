import { describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import { type ErrorCode, ERRORS } from "express-second-factor";
import { MINUTE } from "../support/attack.js";
import { passwordOf, testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyKeys, REJECTS } from "../support/faults.js";

async function waiting(target: TestApp = testApp()): Promise<Jar> {
  await enrolled(target, "alice");
  return pending(target, "alice");
}

async function proved(target: TestApp = testApp()): Promise<Jar> {
  const { phone } = await enrolled(target, "alice");
  return full(target, "alice", phone);
}

/** How each code comes about that this release can answer. */
const WAYS: Partial<Record<ErrorCode, () => Promise<Response>>> = {
  "invalid-request": async () => (await waiting()).post("/2fa/totp", { code: 123456 }),
  "login-required": async () => new Jar(testApp()).get("/2fa/settings"),
  "second-factor-required": async () => (await waiting()).get("/account"),
  "step-up-required": async () => {
    const jar = await proved();
    jar.target.clock.advance(20 * MINUTE);
    return jar.post("/2fa/backup-codes");
  },
  "invalid-code": async () => (await waiting()).verify("000000"),
  "enrollment-required": async () => new Jar(testApp({ options: { policy: "required" } })).login("carol"),
  "cross-site-request": async () => (await waiting()).verify("000000").set("Sec-Fetch-Site", "cross-site"),
  "not-found": async () => (await proved()).post("/2fa/factors/nobody/remove"),
  conflict: async () => {
    const jar = await proved();
    const letters = Array.from("ABCDEFGHIJKLMNOPQR");
    for (const letter of letters) {
      await jar.target.mfa.accounts.importTotp("u1", { secret: `JBSWY3DPEHPK3PXPJBSWY3DPEHPK3P${letter}A` });
    }
    return jar.post("/2fa/totp/enroll");
  },
  "last-factor": async () => (await proved(testApp({ options: { policy: "required" } }))).post("/2fa/disable"),
  expired: async () => {
    const jar = await waiting();
    jar.target.clock.advance(10 * MINUTE);
    return jar.get("/2fa");
  },
  "too-many-attempts": async () => {
    const jar = await waiting(testApp({ options: { limits: { totp: { limit: 1, window: "15m" } } } }));
    await jar.verify("000000");
    return jar.verify("000000");
  },
  unavailable: async () => {
    const keys = faultyKeys();
    const jar = await waiting(testApp({ options: { keys } }));
    keys.fail("decrypt", REJECTS);
    return jar.verify("000000");
  },
};

describe("a problem", () => {
  test.each(Object.entries(WAYS))(
    "%s is application/problem+json with the members of RFC 9457",
    async (code, happen) => {
      const { status, title } = ERRORS[code as ErrorCode];
      const answer = await happen();
      expect(answer.headers["content-type"]).toMatch(/^application\/problem\+json/);
      expect(answer.headers["cache-control"]).toBe("no-store");
      expect(answer.status).toBe(status);
      const body = answer.body as Record<string, unknown>;
      expect(body).toMatchObject({ type: `urn:express-second-factor:problem:${code}`, title, status, code });
      expect(body.detail).toMatch(/^[A-Z].*[.!]$/s);
      for (const member of Object.keys(body)) expect(member).toMatch(/^[A-Za-z][A-Za-z0-9_]*$/);
      expect(answer.text).not.toMatch(/\bat .*\.(ts|js):\d+/);
    },
  );

  test.each([
    "second-factor-required",
    "invalid-code",
    "not-found",
    "unavailable",
    "expired",
    "login-required",
  ] as const)("%s is a page for a browser, at the same status", async (code) => {
    const target = testApp();
    const happen: Partial<Record<ErrorCode, () => Promise<Response>>> = {
      "second-factor-required": async () => (await waiting(target)).page("/2fa/settings"),
      "invalid-code": async () => (await waiting(target)).form("/2fa/totp", { code: "000000" }),
      "not-found": async () => (await proved(target)).form("/2fa/factors/nobody/remove"),
      expired: async () => {
        const jar = await waiting(target);
        target.clock.advance(10 * MINUTE);
        return jar.page("/2fa");
      },
      "login-required": async () => new Jar(target).page("/2fa"),
      unavailable: async () => {
        const keys = faultyKeys();
        const jar = await waiting(testApp({ options: { keys } }));
        keys.fail("decrypt", REJECTS);
        return jar.form("/2fa/totp", { code: "000000" });
      },
    };
    const answer = await happen[code]!();
    expect([answer.status, answer.headers["content-type"]]).toEqual([
      ERRORS[code].status,
      expect.stringMatching(/^text\/html/),
    ]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("step-up-required says in WWW-Authenticate what RFC 9470 asks for", async () => {
    const answer = await WAYS["step-up-required"]!();
    expect(answer.headers["www-authenticate"]).toBe('Bearer error="insufficient_user_authentication", max_age="900"');
    expect(answer.body).toMatchObject({ maxAge: 900, methods: [{ type: "totp" }, { type: "backup-code" }] });
  });

  test("too-many-attempts says in Retry-After, in whole seconds, what its body says", async () => {
    const answer = await WAYS["too-many-attempts"]!();
    expect(answer.headers["retry-after"]).toMatch(/^[0-9]+$/);
    expect(String(answer.body.retryAfter)).toBe(answer.headers["retry-after"]);
  });
});

describe("a code that is wrong, used or somebody else's", () => {
  test("is answered the same to the last byte", async () => {
    const target = testApp();
    const [alice, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const used = alice.phone.code(target.clock());
    await full(target, "alice", alice.phone);
    const jar = await pending(target, "alice");
    const answers = [
      await jar.verify("000000"),
      await jar.verify(used),
      await jar.verify(mallory.phone.code(target.clock())),
    ];
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  });
});

describe("bodies", () => {
  function unparsed(): TestApp {
    return testApp({
      parsers: [(_req, _res, next) => next()],
      options: { exempt: ["/enter"] },
      routes: (app) =>
        app.get("/enter", (req, res, next) => {
          req.logIn({ id: "u1", name: "alice", email: "alice@acme.test" }, (error) => {
            if (error) next(error);
            else res.json({});
          });
        }),
    });
  }

  async function entered() {
    const target = unparsed();
    const jar = new Jar(target);
    await jar.get("/enter");
    const factor = await jar.enroll();
    await jar.post("/logout");
    await jar.get("/enter");
    return { target, jar, ...factor };
  }

  test("are read by the routes themselves: JSON and forms", async () => {
    const { target, jar, phone } = await entered();
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
    target.clock.advance(MINUTE);
    expect((await jar.form("/2fa/totp", { code: phone.code(target.clock()) })).status).toBe(303);
  });

  test("already read by the application are taken as they are", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    expect((await (await pending(target, "alice")).verify(phone.code(target.clock()))).status).toBe(200);
  });

  test("of more than 64 kB are 413 too-large", async () => {
    const { jar } = await entered();
    const answer = await jar.verify("1".repeat(65 * 1024));
    expect([answer.status, answer.body.code]).toEqual([413, "too-large"]);
    expect((await jar.verify("1".repeat(60 * 1024))).body.code).toBe("invalid-request");
  });

  test.each(["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/jsonp"])(
    "of another kind are 415: %s",
    async (type) => {
      const { jar } = await entered();
      const answer = await jar.agent
        .post("/2fa/totp")
        .set({ Accept: "application/json", "Content-Type": type, "Sec-Fetch-Site": "same-origin" })
        .send('{"code":"000000"}');
      expect([answer.status, answer.body.code]).toEqual([415, "unsupported-media-type"]);
    },
  );

  test.each(["{", '{"code":', "[]", '"code"', "null", "5", ""])("that are no object are 400: %j", async (text) => {
    const { jar } = await entered();
    const answer = await jar.agent
      .post("/2fa/totp")
      .set({ Accept: "application/json", "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin" })
      .send(text);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
  });

  test.each([
    { code: ["123456"] },
    { code: { a: 1 } },
    { code: null },
    { code: true },
    { code: "1".repeat(1025) },
    { code: "123456", trustDevice: "yes" },
    { code: "123456", trustDevice: 1 },
    { code: "123456", trustDevice: ["true"] },
    {},
  ])("of another shape are 400: %j", async (body) => {
    const jar = await waiting();
    const answer = await jar.post("/2fa/totp", body);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
  });
});

describe("what lies below the path and is not known", () => {
  test.each([
    ["get", "/2fa/nowhere"],
    ["get", "/2fa/totp"],
    ["get", "/2fa/totp/enroll"],
    ["get", "/2fa/backup-codes"],
    ["put", "/2fa/totp"],
    ["patch", "/2fa/settings"],
    ["delete", "/2fa/settings"],
    ["post", "/2fa"],
    ["post", "/2fa/settings"],
    ["post", "/2fa/totp/nowhere"],
    ["post", "/2fa/nowhere"],
    ["options", "/2fa/totp"],
  ] as const)("is 404 not-found: %s %s", async (verb, path) => {
    const jar = await waiting();
    const answer = await jar.agent[verb](path).set({ Accept: "application/json", "Sec-Fetch-Site": "same-origin" });
    expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("is found in any case, and with a slash behind, as Express has it", async () => {
    const jar = await waiting();
    for (const path of ["/2FA", "/2fa/", "/2Fa/"]) expect((await jar.get(path)).body.status).toBe("pending");
  });
});

describe("a write from another site", () => {
  test.each([
    [{ "Sec-Fetch-Site": "cross-site" }, 403],
    [{ "Sec-Fetch-Site": "same-site" }, 403],
    [{ "Sec-Fetch-Site": "same-origin", Origin: "https://evil.test" }, 403],
    [{ Origin: "https://evil.test" }, 403],
    [{ Origin: "null" }, 403],
    [{ "Sec-Fetch-Site": "cross-site", Origin: "null" }, 403],
    [{ "Sec-Fetch-Site": "same-origin", Origin: "null" }, 401],
    [{ "Sec-Fetch-Site": "none", Origin: "null" }, 401],
    [{ "Sec-Fetch-Site": "cross-site", Origin: "http://localhost:3000" }, 401],
    [{ Origin: "http://localhost:3000.evil.test" }, 403],
    [{ Origin: "http://localhost:3001" }, 403],
    [{ Origin: "https://localhost:3000" }, 403],
    [{ "Sec-Fetch-Site": "same-origin" }, 401],
    [{ "Sec-Fetch-Site": "none" }, 401],
    [{ Origin: "http://localhost:3000" }, 401],
    [{}, 401],
  ])("with %j is answered %i", async (headers, status) => {
    const jar = await waiting();
    const answer = await jar.verify("000000").set(headers as Record<string, string>);
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.body.code).toBe("cross-site-request");
  });

  test("is refused as a form where no header says where it comes from", async () => {
    const jar = await waiting();
    const answer = await jar.agent
      .post("/2fa/totp")
      .set("Accept", "application/json")
      .type("form")
      .send({ code: "000000" });
    expect([answer.status, answer.body.code]).toEqual([403, "cross-site-request"]);
  });

  test("takes any of the configured origins", async () => {
    const target = testApp({ options: { origin: ["https://acme.example", "https://www.acme.example"] } });
    const jar = await waiting(target);
    for (const origin of ["https://acme.example", "https://www.acme.example"]) {
      expect((await jar.verify("000000").set("Origin", origin)).status).toBe(401);
    }
    expect((await jar.verify("000000").set("Origin", "https://shop.acme.example")).status).toBe(403);
  });

  test("is not asked of reading", async () => {
    const jar = await proved();
    expect((await jar.get("/2fa/settings").set("Sec-Fetch-Site", "cross-site")).status).toBe(200);
  });

  test("never believes the Host header", async () => {
    const jar = await waiting();
    const answer = await jar.verify("000000").set({ Host: "evil.test", Origin: "http://evil.test" });
    expect(answer.status).toBe(403);
  });
});

describe("pages", () => {
  test("carry the headers that keep other sites and scripts out", async () => {
    const jar = await waiting();
    const { headers } = await jar.page("/2fa");
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "same-origin",
    });
  });

  test("have their style and script at addresses anybody may read", async () => {
    const jar = new Jar(testApp());
    for (const [path, type] of [
      ["/2fa/assets/style.css", /css/],
      ["/2fa/assets/page.js", /javascript/],
    ] as const) {
      const answer = await jar.get(path);
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, expect.stringMatching(type)]);
    }
  });

  test("of a wrong code are the same page again, with the code gone", async () => {
    const jar = await waiting();
    const page = await jar.form("/2fa/totp", { code: "918273", username: passwordOf("alice") });
    expect([page.status, page.text.includes('action="/2fa/totp"'), page.text.includes("918273")]).toEqual([
      401,
      true,
      false,
    ]);
  });
});
