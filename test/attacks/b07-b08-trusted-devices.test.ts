import { describe, expect, test } from "@jest/globals";
import { testApp, type TestApp } from "../support/app.js";
import {
  copyOf,
  deviceCookie,
  expectDenied,
  HOUR,
  MODES,
  passworded,
  putCookie,
  send,
  STEP,
  told,
  trusted,
} from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";

describe("trust that is somebody else's, or nobody's", () => {
  test.each(MODES)("B07 mallory's trusted browser is asked when alice signs in there (%s)", async (mode) => {
    const target = testApp();
    await enrolled(target, "alice");
    const mallory = await enrolled(target, "mallory");
    const [name] = deviceCookie(await trusted(target, "mallory", mallory.phone));
    const [, value] = deviceCookie(await trusted(target, "mallory", mallory.phone));
    const jar = new Jar(target);
    putCookie(jar, name, value);
    expect((await send(jar, mode, "/login", { username: "alice", password: "alice-password" })).status).toBe(
      mode === "JSON" ? 401 : 303,
    );
    await expectDenied(jar);
    // It is good where it belongs, so the refusal was not for another reason.
    await send(jar, mode, "/login", { username: "mallory", password: "mallory-password" });
    expect(await jar.isIn()).toBe(true);
  });

  test.each(MODES)("B07 mallory's token is worth nothing under the name of alice's cookie (%s)", async (mode) => {
    const target = testApp();
    const alice = await enrolled(target, "alice");
    const mallory = await enrolled(target, "mallory");
    const [aliceName] = deviceCookie(await trusted(target, "alice", alice.phone));
    const [, malloryToken] = deviceCookie(await trusted(target, "mallory", mallory.phone));
    const jar = new Jar(target);
    putCookie(jar, aliceName, malloryToken);
    await send(jar, mode, "/login", { username: "alice", password: "alice-password" });
    await expectDenied(jar);
  });

  test.each(MODES)("B07 a token that was touched anywhere is worth nothing (%s)", async (mode) => {
    const target = testApp();
    const alice = await enrolled(target, "alice");
    const mallory = await enrolled(target, "mallory");
    const owner = await trusted(target, "alice", alice.phone);
    const [name, token] = deviceCookie(owner);
    const [, foreign] = deviceCookie(await trusted(target, "mallory", mallory.phone));
    const [id, secret] = token.split(".") as [string, string];
    const [foreignId, foreignSecret] = foreign.split(".") as [string, string];
    const forgeries = [
      `${id}.${flipped(secret)}`,
      `${flipped(id)}.${secret}`,
      `${foreignId}.${secret}`,
      `${id}.${foreignSecret}`,
      `${secret}.${id}`,
      id,
      `${id}.`,
      `.${secret}`,
      `s%3A${token}`,
      token.toLowerCase(),
      `${token}=`,
      `${token}.${secret}`,
      "yes",
      "1",
      "true",
      "__proto__.__proto__",
    ];
    for (const forgery of forgeries) {
      const jar = new Jar(target);
      putCookie(jar, name, forgery);
      await send(jar, mode, "/login", { username: "alice", password: "alice-password" });
      expect([forgery, await jar.isIn()]).toEqual([forgery, false]);
    }
    // Whoever guesses at the token cannot take the owner's trust away with it.
    const back = copyOf(owner, [name]);
    await send(back, mode, "/login", { username: "alice", password: "alice-password" });
    expect(await back.isIn()).toBe(true);
  });

  test("B07 the cookie opens nothing without the password, and is no session", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const owner = await trusted(target, "alice", phone);
    const jar = copyOf(owner, [deviceCookie(owner)[0]]);
    await expectDenied(jar);
    expect((await jar.get("/2fa/settings")).status).toBe(401);
    await send(jar, "JSON", "/login", { username: "alice", password: "wrong" });
    await expectDenied(jar);
  });

  test("B07 a browser whose owner did not ask is given no trust", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    for (const trustDevice of [false, "false", undefined]) {
      const jar = await passworded(target, "JSON", "alice");
      const answer = await jar.verify(phone.code(target.clock()), { trustDevice });
      expect([answer.status, String(answer.headers["set-cookie"])]).toEqual([
        200,
        expect.not.stringContaining("2fa-device"),
      ]);
      target.clock.advance(STEP);
    }
  });
});

interface Reason {
  readonly what: string;
  act(target: TestApp, owner: Jar, alice: Enrolled): Promise<unknown>;
}

async function post(jar: Jar, path: string, body: object = {}): Promise<void> {
  const answer = await send(jar, "JSON", path, body);
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
}

const REASONS: readonly Reason[] = [
  {
    what: "a second authenticator was added",
    act: async (_target, owner) => owner.enroll(),
  },
  {
    what: "the authenticator was replaced",
    async act(_target, owner, { factorId }) {
      await owner.enroll();
      await post(owner, `/2fa/factors/${factorId}/remove`);
    },
  },
  {
    what: "the password changed",
    act: ({ mfa }) => mfa.accounts.passwordChanged("u1"),
  },
  {
    what: "the second factor was switched off and on",
    async act(_target, owner) {
      await post(owner, "/2fa/disable");
      await owner.enroll();
    },
  },
  {
    what: "the owner signed out everywhere else",
    act: (_target, owner) => post(owner, "/2fa/sessions/revoke-others"),
  },
  {
    what: "the application signed the owner out everywhere",
    act: ({ mfa }) => mfa.accounts.signOutEverywhere("u1"),
  },
  {
    what: "the owner stopped trusting every browser",
    act: (_target, owner) => post(owner, "/2fa/devices/revoke-all"),
  },
  {
    what: "the application revoked the browsers",
    act: ({ mfa }) => mfa.accounts.revokeDevices("u1"),
  },
  {
    what: "an operator reset the account and the owner enrolled again",
    async act(target) {
      await target.mfa.accounts.reset("u1");
      await enrolled(target, "alice");
    },
  },
  {
    what: "thirty days passed, however often it was used",
    async act(target, owner) {
      const [name] = deviceCookie(owner);
      const used = copyOf(owner, [name]);
      for (let day = 0; day < 29; day += 1) {
        target.clock.advance(24 * HOUR);
        await send(used, "JSON", "/login", { username: "alice", password: "alice-password" });
      }
      if (!(await used.isIn())) throw new Error("The browser was not trusted while it should have been");
      putCookie(owner, ...deviceCookie(used));
      target.clock.advance(24 * HOUR);
    },
  },
];

describe("trust that outlives the reason for it", () => {
  describe.each(MODES)("as a client of %s", (mode) => {
    test.each(REASONS)("B08 a trusted browser is asked again after $what", async ({ act }) => {
      const target = testApp();
      const alice = await enrolled(target, "alice");
      const browser = await trusted(target, "alice", alice.phone);
      const owner = await full(target, "alice", alice.phone);
      putCookie(owner, ...deviceCookie(browser));
      await act(target, owner, alice);
      const [name] = deviceCookie(browser);
      const later = copyOf(browser, [name]);
      const [, newest] = deviceCookie(owner);
      for (const token of new Set([deviceCookie(browser)[1], newest])) {
        putCookie(later, name, token);
        await send(later, mode, "/login", { username: "alice", password: "alice-password" });
        await expectDenied(later);
      }
    });
  });

  test.each(REASONS.filter(({ what }) => !what.startsWith("thirty")))(
    "B08 a login that rests on a trusted browser is over after $what",
    async ({ act }) => {
      const target = testApp();
      const alice = await enrolled(target, "alice");
      const browser = await trusted(target, "alice", alice.phone);
      const resting = copyOf(browser, [deviceCookie(browser)[0]]);
      await send(resting, "JSON", "/login", { username: "alice", password: "alice-password" });
      expect(await resting.isIn()).toBe(true);
      expect(told("device-used", target)).toBe(1);
      await act(target, await full(target, "alice", alice.phone), alice);
      await expectDenied(resting);
    },
  );
});

/** The same text with one bit of its middle character flipped. */
function flipped(text: string): string {
  const bytes = Buffer.from(text);
  const middle = bytes.length >> 1;
  bytes[middle] = bytes[middle]! ^ 1;
  return bytes.toString();
}
