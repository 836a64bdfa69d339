import { describe, expect, test } from "@jest/globals";
import { CANARY, testApp, userNamed } from "../support/app.js";
import { ask, cookies, expectDenied, harmless, MODES, passworded, send, SESSION_COOKIE } from "../support/attack.js";
import { enrolled, Jar } from "../support/browser.js";

/** Every library route a pending login has no business at; the proofs and the way out are not among them. */
const ROUTES = [
  "/2fa/totp/enroll",
  "/2fa/totp/enroll/confirm",
  "/2fa/totp/resync",
  "/2fa/backup-codes",
  "/2fa/factors/x/rename",
  "/2fa/factors/x/remove",
  "/2fa/devices/x/revoke",
  "/2fa/devices/revoke-all",
  "/2fa/sessions/revoke-others",
  "/2fa/disable",
];

const BODY = { factorId: "x", code: "123456", codes: ["123456", "654321"], label: "mine" };

describe("a pending login offered where only a full one is worth something", () => {
  test.each(MODES)(
    "B02 every route of the library but proof and cancel turns a pending login away (%s)",
    async (mode) => {
      const target = testApp();
      await enrolled(target, "alice");
      const jar = await passworded(target, mode, "alice");
      for (const path of ROUTES) {
        const answer = await send(jar, mode, path, BODY);
        expect([path, answer.status >= 400 && answer.status < 500]).toEqual([path, true]);
      }
      expect(harmless(await ask(jar, mode, "/2fa/settings")).status).toBe(401);
      await expectDenied(jar);
    },
  );

  test.each(MODES)(
    "B02 whoami, profile, session list and token routes of the application find nobody (%s)",
    async (mode) => {
      const paths = ["/whoami", "/profile", "/sessions", "/token/refresh"];
      const target = testApp({
        // Exempt, so that they are reached at all: the user must be hidden there.
        options: { exempt: paths },
        routes: (app) => {
          app.all(paths, (req, res) => {
            res.json({ user: req.user ?? null, in: req.isAuthenticated(), canary: req.user ? CANARY : null });
          });
        },
      });
      await enrolled(target, "alice");
      const jar = await passworded(target, mode, "alice");
      for (const path of paths) {
        expect(harmless(await ask(jar, mode, path)).body).toEqual({ user: null, in: false, canary: null });
        expect((await send(jar, mode, path)).body).toEqual({ user: null, in: false, canary: null });
      }
      await expectDenied(jar);
    },
  );

  test.each(MODES)("B02 what a pending login is shown names neither the user nor their address (%s)", async (mode) => {
    const target = testApp();
    await enrolled(target, "alice");
    const { email, id } = userNamed("alice");
    const jar = await passworded(target, mode, "alice");
    const answers = [
      await send(jar, mode, "/login", { username: "alice", password: "alice-password" }),
      await ask(jar, mode, "/2fa"),
      await ask(jar, mode, "/2fa/settings"),
      await ask(jar, mode, "/account"),
      await send(jar, mode, "/2fa/totp", { code: "000000" }),
      await send(jar, mode, "/2fa/disable"),
    ];
    for (const answer of answers) {
      const shown = `${harmless(answer).text} ${JSON.stringify(answer.headers)}`;
      expect(shown).not.toContain(email);
      expect(shown).not.toMatch(/\balice\b/i);
      expect(shown).not.toContain(`"${id}"`);
    }
    await expectDenied(jar);
  });

  test("B02 the pending session's cookie is no bearer token, and worth no more under another name", async () => {
    const target = testApp();
    await enrolled(target, "alice");
    const jar = await passworded(target, "JSON", "alice");
    const value = cookies(jar)[SESSION_COOKIE]!;
    const presented: Record<string, string>[] = [
      { Authorization: `Bearer ${value}` },
      { Authorization: `Basic ${Buffer.from(`alice:${value}`).toString("base64")}` },
      { Cookie: `${SESSION_COOKIE}=${value}` },
      { Cookie: `2fa=${value}; mfa=1; token=${value}` },
      { Cookie: `${SESSION_COOKIE}=${value}; ${SESSION_COOKIE}=${value}` },
    ];
    for (const headers of presented) {
      for (const path of ["/account", "/api/data", "/"]) {
        const bare = new Jar(target);
        expect(harmless(await bare.get(path).set(headers)).text).not.toContain(CANARY);
      }
    }
    await expectDenied(jar);
  });
});
