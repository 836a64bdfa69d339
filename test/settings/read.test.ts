import { describe, expect, test } from "@jest/globals";
import { HOUR, MINUTE, trusted } from "../support/attack.js";
import { testApp } from "../support/app.js";
import { enrolled, full, pending } from "../support/browser.js";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const iso = (time: number): string => new Date(time).toISOString();

describe("GET /2fa/settings", () => {
  test("tells a user who has nothing yet that there is nothing", async () => {
    const jar = await pending(testApp(), "carol");
    const answer = await jar.get("/2fa/settings");
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        factors: [],
        backupCodes: { remaining: 0, createdAt: null },
        devices: [],
        sessions: [expect.objectContaining({ browser: "Unknown browser", current: true })],
        activity: [],
      },
    ]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test("tells a user everything, and nothing secret", async () => {
    const target = testApp();
    const start = target.clock();
    const { phone, factorId, backupCodes } = await enrolled(target, "alice");
    target.clock.advance(HOUR);
    const jar = await pending(target, "alice");
    const at = target.clock();
    await jar.verify(phone.code(at), { trustDevice: true }).set("User-Agent", FIREFOX);
    target.clock.advance(MINUTE);
    const { body, text } = await jar.get("/2fa/settings");
    const there = { outcome: "success", browser: "Firefox on Linux", ip: "127.0.0.1", count: 1 };
    expect(body).toEqual({
      factors: [{ id: factorId, type: "totp", label: "Authenticator app", createdAt: iso(start), lastUsedAt: iso(at) }],
      backupCodes: { remaining: 10, createdAt: iso(start) },
      devices: [
        {
          id: expect.any(String),
          label: "Firefox on Linux",
          createdAt: iso(at),
          lastUsedAt: iso(at),
          expiresAt: iso(at + 30 * 24 * HOUR),
          current: true,
        },
      ],
      sessions: [
        {
          id: expect.stringMatching(/^[\w-]{12,}$/),
          createdAt: iso(at),
          lastSeenAt: iso(at),
          verifiedAt: iso(at),
          trustedDevice: false,
          browser: "Firefox on Linux",
          ip: "127.0.0.1",
          current: true,
        },
      ],
      activity: [
        { at: iso(at), action: "device-trusted", label: "Firefox on Linux", ...there, number: 3 },
        { at: iso(at), action: "factor-verified", method: "totp", ...there, number: 2 },
        {
          at: iso(start),
          action: "factor-enrolled",
          method: "totp",
          label: "Authenticator app",
          ...there,
          browser: "Unknown browser",
          number: 1,
        },
      ],
    });
    for (const secret of [phone.secret, ...backupCodes]) expect(text).not.toContain(secret);
  });

  test("lists every full login, the newest first, and says which one asks", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const first = await full(target, "alice", phone);
    const device = await trusted(target, "alice", phone);
    await device.post("/logout");
    await device.login("alice");
    await pending(target, "alice");
    const { sessions } = (await first.get("/2fa/settings")).body;
    expect(sessions).toMatchObject([
      { trustedDevice: true, verifiedAt: null, current: false },
      { trustedDevice: false, verifiedAt: expect.any(String), current: true },
    ]);
  });

  test("is open on a trusted browser, and shows wrong codes among what happened", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const jar = await trusted(target, "alice", phone);
    await (await pending(target, "alice")).verify("000000");
    await jar.post("/logout");
    await jar.login("alice");
    const { status, body } = await jar.get("/2fa/settings");
    expect([status, body.activity[0]]).toMatchObject([200, { action: "factor-failed", method: "totp" }]);
  });

  test("is a page for a browser, with everything to change", async () => {
    const target = testApp();
    const { phone, factorId } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    const page = await jar.page("/2fa/settings");
    expect(page.status).toBe(200);
    for (const action of [
      `factors/${factorId}/rename`,
      `factors/${factorId}/remove`,
      "backup-codes",
      "totp/enroll",
      "disable",
    ]) {
      expect(page.text).toContain(`action="/2fa/${action}"`);
    }
  });

  test("shows nothing of another user's", async () => {
    const target = testApp();
    const [alice, mallory] = [await enrolled(target, "alice"), await enrolled(target, "mallory")];
    const jar = await full(target, "mallory", mallory.phone);
    expect((await jar.get("/2fa/settings")).text).not.toContain(alice.factorId);
  });
});
