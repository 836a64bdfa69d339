import { describe, expect, test } from "@jest/globals";
import session from "express-session";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";

/** The addresses that a page loads its style sheet and its script from. */
async function addresses(jar: Jar): Promise<string[]> {
  const page = await jar.page("/2fa/settings");
  return [...page.text.matchAll(/(?:href|src)="([^"]*\/assets\/[^"]*)"/g)].map(([, address]) => address!);
}

describe("what the pages load", () => {
  test("has its content's hash in its address, and may be kept for a year by everybody", async () => {
    const jar = await pending(testApp(), "carol");
    const [sheet = "", script = ""] = await addresses(jar);
    expect(sheet).toMatch(/^\/2fa\/assets\/style\.[0-9a-f]{16}\.css$/);
    expect(script).toMatch(/^\/2fa\/assets\/page\.[0-9a-f]{16}\.js$/);
    for (const [address, type] of [
      [sheet, /^text\/css/],
      [script, /^text\/javascript/],
    ] as const) {
      const answer = await jar.agent.get(address);
      expect([answer.status, answer.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
      expect(answer.headers["content-type"]).toMatch(type);
      expect(answer.headers["x-content-type-options"]).toBe("nosniff");
      expect(answer.headers).not.toHaveProperty("vary");
      expect((await jar.agent.head(address)).headers["content-length"]).toBe(String(Buffer.byteLength(answer.text)));
    }
  });

  test.each(["/2fa/assets/style.css", "/2fa/assets/style.0123456789abcdef.css"])(
    "answers at %s, of no version or another, with what there is, and nobody keeps that",
    async (address) => {
      const answer = await new Jar(testApp()).agent.get(address);
      expect([answer.status, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
      expect(answer.text).toContain(".sf-card");
    },
  );

  test.each([
    "/2fa/assets/style.js",
    "/2fa/assets/page.css",
    "/2fa/assets/other.css",
    "/2fa/assets/style.0123.css",
    "/2fa/assets/style.0123456789abcdeF.css",
    "/2fa/assets/../assets/style.css/x",
  ])("is nothing else: %s is not found", async (address) => {
    expect((await new Jar(testApp()).agent.get(address)).status).toBe(404);
  });

  test("brings nobody a cookie that something above has set", async () => {
    const target = testApp({
      before(app) {
        app.use((_req, res, next) => {
          res.cookie("csrf", "of-one-visitor");
          next();
        });
      },
    });
    const [sheet = ""] = await addresses(await pending(target, "carol"));
    const answer = await new Jar(target).agent.get(sheet);
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([200, undefined]);
  });

  test("brings nobody a session's cookie, and asks no store about a login", async () => {
    const sessionStore = new session.MemoryStore();
    // An application whose cookie lives on with every answer.
    const target = testApp({
      sessionStore,
      before(app) {
        app.use((req, _res, next) => {
          req.session.touch();
          (req.session as unknown as { seen?: number }).seen = Math.random();
          next();
        });
      },
    });
    const jar = await pending(target, "carol");
    const [sheet = ""] = await addresses(jar);
    const stranger = await new Jar(target).agent.get(sheet);
    expect(stranger.headers).not.toHaveProperty("set-cookie");
    expect((await new Jar(target).agent.get("/2fa/assets/style.css")).headers).toHaveProperty("set-cookie");
    // Nothing is read of the account: a store that is gone does not matter.
    const broken = testApp({ store: { read: () => new Promise(() => undefined), write: gone, remove: gone } });
    expect((await new Jar(broken).agent.get(sheet)).status).toBe(200);
  });
});

async function gone(): Promise<never> {
  throw new Error("gone");
}

describe("what is shown once, or to one", () => {
  /** A wide sweep of what can be answered: by page and by JSON, to nobody, somebody waiting, and somebody inside. */
  async function answers(target: TestApp) {
    const { phone } = await enrolled(target, "alice");
    const inside = await full(target, "alice", phone);
    const visitors = [new Jar(target), await pending(target, "alice"), await pending(target, "carol"), inside];
    const paths = ["/2fa", "/2fa/settings", "/2fa/reopen", "/2fa/passkey/offer", "/2fa/nowhere", "/account"];
    const posts = ["/2fa/totp/enroll", "/2fa/passkey/enroll/options", "/2fa/backup-codes", "/2fa/passkey/options"];
    const asked = visitors.flatMap((jar) => [
      ...paths.flatMap((path) => [() => jar.page(path), () => jar.get(path)]),
      ...posts.flatMap((path) => [() => jar.form(path), () => jar.post(path)]),
      () => jar.form("/2fa/totp", { code: "000000" }),
      () => jar.post("/2fa/cancel", { operation: "none" }),
    ]);
    const given = [];
    for (const ask of asked) given.push(await ask());
    return given;
  }

  test("has no tag to compare it by, on any page and in any answer below path", async () => {
    const given = await answers(testApp());
    // The application's own answers may have one.
    const own = given.filter(({ request }) => !String((request as { url?: string }).url).endsWith("/account"));
    expect(own.length).toBeGreaterThan(60);
    expect(own.filter(({ headers }) => "etag" in headers || "last-modified" in headers)).toEqual([]);
    expect([...new Set(own.map(({ headers }) => headers["cache-control"]))]).toEqual(["no-store"]);
  });
});
