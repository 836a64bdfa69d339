import { randomBytes } from "node:crypto";
import { base32 } from "@scure/base";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import express, { type Express } from "express";
import { backupCodes, passkeys, push, type SecondFactor, totp } from "express-second-factor";
import { type AuthenticatorApp, authenticatorApp, movableClock } from "express-second-factor/testing";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { CANARY, passwordOf, testApp, type TestUser, userNamed } from "../support/app.js";
import { built } from "../support/built.js";
import { launchChromium } from "../support/chromium.js";
import { type Key, plugIn } from "./keys.js";
import { heading, listen, look, visit, type Visitor } from "./stage.js";

jest.setTimeout(60_000);

const STEP = 30_000;

const clock = movableClock();
const names = new Map<string, string>();
let site: Awaited<ReturnType<typeof listen>>;
let mfa: SecondFactor;
let browser: Browser;

const LOGIN_PAGE = `<!doctype html><html lang="en"><title>Log in</title><form method="post" action="/login">
  <label>Name <input name="username"></label> <label>Password <input name="password" type="password"></label>
  <button>Log in</button></form></html>`;

/** What is open to everybody: the login page, an empty page, and the browser's side of passkeys. */
function publicPart(app: Express): void {
  app.use("/passkeys", express.static(built("esm/browser")));
  app.get("/now", (_req, res) => res.json(clock()));
  app.get("/favicon.ico", (_req, res) => res.status(204).end());
  app.get("/login", (_req, res) => res.send(LOGIN_PAGE));
}

beforeAll(async () => {
  site = await listen((origin) => {
    const target = testApp({
      clock,
      before: publicPart,
      routes(app, _mfa, authenticator) {
        authenticator.use(_mfa.strategy("passkey"));
        app.post("/login/passkey", authenticator.authenticate("passkey"), (req, res) => {
          res.json({ redirectTo: "/account", amr: req.secondFactor.amr });
        });
      },
      options: {
        origin,
        methods: [passkeys({ offer: true }), totp(), push({ channels: [] }), backupCodes()],
        exempt: ["/login", "/logout", "/login/passkey"],
        user: {
          load: async (id) => ["alice", "mallory", "carol", "dave"].map(userNamed).find((user) => user.id === id),
          name: ({ email, id }: TestUser) => names.get(id) ?? email,
        },
      },
    });
    mfa = target.mfa;
    return target.app;
  });
  browser = await launchChromium();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await site.close();
});

/** A user with an authenticator app and nothing else. */
async function withApp(name: string): Promise<AuthenticatorApp> {
  const { id } = userNamed(name);
  await mfa.accounts.erase(id);
  const secret = base32.encode(randomBytes(20)).replace(/=+$/, "");
  const uri = `otpauth://totp/Acme:${name}?secret=${secret}&issuer=Acme`;
  await mfa.accounts.importTotp(id, { secret: uri });
  return authenticatorApp(uri);
}

async function givePassword(page: Page, name: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(passwordOf(name));
  await page.getByRole("button", { name: "Log in" }).click();
}

async function logIn(page: Page, name: string, phone: AuthenticatorApp): Promise<void> {
  await givePassword(page, name);
  clock.advance(STEP);
  await page.getByLabel("6-digit code").fill(phone.code(clock()));
  await page.getByRole("button", { name: "Continue" }).click();
}

async function logOut(page: Page): Promise<void> {
  await page.evaluate(() => fetch("/logout", { method: "POST" }));
}

const offer = (page: Page) => heading(page, "Skip the code next time");
const arrived = async (page: Page): Promise<void> => {
  await page.getByText(CANARY).waitFor();
  expect(new URL(page.url()).pathname).toBe("/account");
};

async function withVisitor(run: (visitor: Visitor) => Promise<void>, options: BrowserContextOptions = {}) {
  const visitor = await visit(browser, site, options);
  try {
    await run(visitor);
    expect(visitor.troubles).toEqual([]);
  } finally {
    await visitor.context.close();
  }
}

describe("the offer of a passkey after a login by code", () => {
  test("is taken up: the browser goes on, and asks for the passkey at the next login", async () => {
    const phone = await withApp("alice");
    await withVisitor(async ({ page }) => {
      const key = await plugIn(page);
      await logIn(page, "alice", phone);
      await offer(page).waitFor();
      expect(await look(page, "passkey-offer")).toEqual([]);
      await page.getByRole("button", { name: "Add a passkey" }).click();
      await arrived(page);
      expect(await key.passkeys()).toHaveLength(1);
      await logOut(page);
      await givePassword(page, "alice");
      await page.getByRole("button", { name: "Use your passkey" }).click();
      await arrived(page);
    });
  });

  test("is answered with the keyboard: not now, and once more never again", async () => {
    const phone = await withApp("mallory");
    await withVisitor(async ({ page }) => {
      await plugIn(page);
      for (const [presses, button] of [
        [2, "Not now"],
        [3, "Don't ask again"],
      ] as const) {
        await logIn(page, "mallory", phone);
        await offer(page).waitFor();
        await page.getByRole("button", { name: "Add a passkey" }).waitFor();
        for (let times = 0; times < presses; times += 1) await page.keyboard.press("Tab");
        expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(button);
        await page.keyboard.press("Enter");
        await arrived(page);
        await logOut(page);
      }
      await logIn(page, "mallory", phone);
      await arrived(page);
    });
  });

  test("a dialog that comes to nothing is told calmly, and every answer stays open", async () => {
    const phone = await withApp("carol");
    await withVisitor(async ({ page }) => {
      const key = await plugIn(page);
      await logIn(page, "carol", phone);
      await key.setUserVerified(false);
      await page.getByRole("button", { name: "Add a passkey" }).click();
      await page.getByRole("alert").filter({ hasText: "No passkey was added" }).waitFor();
      expect(await look(page, "passkey-offer-cancelled")).toEqual([]);
      await page.getByRole("button", { name: "Not now" }).click();
      await arrived(page);
    });
  });

  test("is not needed where the password manager makes one by the way: the browser goes on by itself", async () => {
    const phone = await withApp("carol");
    await withVisitor(async ({ page }) => {
      const key = await plugIn(page);
      await obligingPasswordManager(page);
      await key.leave();
      await logIn(page, "carol", phone);
      await arrived(page);
      expect(await key.passkeys()).toHaveLength(1);
      expect((await mfa.accounts.status(userNamed("carol").id)).methods).toContain("passkey");
    });
  });

  test("is passed over in a browser that has no passkeys", async () => {
    const phone = await withApp("carol");
    await withVisitor(async ({ page }) => {
      await page.addInitScript(() => {
        Reflect.deleteProperty(window, "PublicKeyCredential");
      });
      await logIn(page, "carol", phone);
      await arrived(page);
    });
  });

  test("holds nobody up without scripts", async () => {
    const phone = await withApp("carol");
    await withVisitor(
      async ({ page }) => {
        await logIn(page, "carol", phone);
        await offer(page).waitFor();
        expect(await page.getByText("Passkeys need JavaScript").isVisible()).toBe(true);
        expect(await page.getByRole("button", { name: "Add a passkey" }).count()).toBe(0);
        await page.getByRole("button", { name: "Don't ask again" }).click();
        await arrived(page);
      },
      { javaScriptEnabled: false },
    );
  });
});

/** Chromium has one only with a Google account: here the plugged-in key stands in, which shows no dialog either. */
async function obligingPasswordManager(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const credentials = navigator.credentials;
    const create = credentials.create.bind(credentials);
    credentials.create = (options) => {
      const { mediation, ...rest } = options as CredentialCreationOptions & { mediation?: string };
      if (mediation !== "conditional") throw new Error("A dialog would have been shown");
      return create(rest);
    };
  });
}

type Part = typeof import("express-second-factor/browser");

/** Runs something with the browser's side of passkeys in a page of the application's own. */
function inPage<T>(page: Page, run: (part: Part) => Promise<T>): Promise<T> {
  // The function crosses over as text, and the browser's part is loaded there: it may name nothing else from here.
  return page.evaluate<T>(`import("/passkeys/index.js").then(${run.toString()})`);
}

describe("the browser's part, in pages of the application's own", () => {
  test("adds a passkey, signs in with it as second step and as whole login, and answers with what came of it", async () => {
    await mfa.accounts.erase(userNamed("dave").id);
    await withVisitor(async ({ page }) => {
      const key = await plugIn(page);
      await givePassword(page, "dave");
      const added = await inPage(page, (part) => part.enrollPasskey({ base: "/2fa", label: "My laptop" }));
      expect(added).toMatchObject({ status: "enrolled", factor: { label: "My laptop" } });
      expect(added.status === "enrolled" && added.backupCodes).toHaveLength(10);
      expect(await inPage(page, (part) => part.enrollPasskey({ base: "/2fa" }))).toEqual({
        status: "refused",
        problem: { code: "conflict" },
      });
      await logOut(page);
      await givePassword(page, "dave");
      const second = await inPage(page, (part) => part.signInWithPasskey({ base: "/2fa" }));
      expect(second).toMatchObject({ status: "verified", redirectTo: "/account" });
      await logOut(page);
      const whole = await inPage(page, (part) => part.signInWithPasskey({ base: "/2fa", to: "/login/passkey" }));
      expect(whole).toMatchObject({ status: "verified", redirectTo: "/account" });
      await key.setUserVerified(false);
      expect(await inPage(page, (part) => part.signInWithPasskey({ base: "/2fa" }))).toEqual({ status: "cancelled" });
      await logOut(page);
      await key.setUserVerified(true);
      const late = await inPage(page, (part) => part.enrollPasskey({ base: "/2fa" }));
      expect(late).toMatchObject({ status: "refused", problem: { code: "login-required" } });
    });
  });

  test("has a passkey made by the way, gives up when it is told to, and says where a browser cannot", async () => {
    const phone = await withApp("dave");
    await withVisitor(async ({ context, page }) => {
      const key = await plugIn(page);
      await logIn(page, "dave", phone);
      await page.goto("/account");
      // This Chromium has no password manager to make one: it would wait for one.
      const given = await inPage(page, (part) => {
        const stop = new AbortController();
        setTimeout(() => stop.abort(), 50);
        return part.upgradeToPasskey({ base: "/2fa", signal: stop.signal });
      });
      expect(given).toEqual({ status: "cancelled" });
      await obligingPasswordManager(page);
      await key.leave();
      await page.reload();
      const made = await inPage(page, (part) => part.upgradeToPasskey({ base: "/2fa", label: "By the way" }));
      expect(made).toMatchObject({ status: "enrolled", factor: { label: "By the way" } });
      const old = await context.newPage();
      await old.addInitScript(() => {
        PublicKeyCredential.getClientCapabilities = () => Promise.resolve({ conditionalCreate: false });
      });
      await old.goto("/account");
      expect(await inPage(old, (part) => part.upgradeToPasskey({ base: "/2fa" }))).toEqual({ status: "unsupported" });
    });
  });
});

describe("a browser that approves", () => {
  /** What a script of the page's own could get at. */
  function takeable(page: Page): Promise<unknown> {
    return page.evaluate(async () => {
      const opening = indexedDB.open("express-second-factor");
      const database = await new Promise<IDBDatabase>((resolve) => {
        opening.onsuccess = () => resolve(opening.result);
      });
      const asking = database.transaction("push-devices").objectStore("push-devices").getAll();
      const rows = await new Promise<{ keys: { privateKey: CryptoKey } }[]>((resolve) => {
        asking.onsuccess = () => resolve(asking.result);
      });
      database.close();
      const tried = rows.flatMap(({ keys: { privateKey } }) =>
        (["pkcs8", "jwk", "raw"] as const).map((format) =>
          crypto.subtle.exportKey(format, privateKey).then(
            () => "exported",
            (error: unknown) => (error as DOMException).name,
          ),
        ),
      );
      return { extractable: rows.map(({ keys }) => keys.privateKey.extractable), exported: await Promise.all(tried) };
    });
  }

  test("keeps its key over a reload, signs with it, and gives it to nobody", async () => {
    await mfa.accounts.erase(userNamed("dave").id);
    await withVisitor(async ({ page }) => {
      await givePassword(page, "dave");
      expect(await inPage(page, (part) => part.pushSupport())).toMatchObject({ keys: true });
      const added = await inPage(page, (part) => part.enrollPushDevice({ base: "/2fa" }));
      expect(added).toMatchObject({ status: "enrolled" });
      await page.reload();
      const asked = await inPage(page, async (part) => {
        const now = (await (await fetch("/now")).json()) as number;
        const devices = await part.pushDevices({ base: "/2fa", clock: () => now });
        return Promise.all(devices.map((device) => device.requests()));
      });
      expect(asked).toEqual([{ status: "listed", requests: [], reached: false }]);
      const refused = Array.from({ length: 3 }, () => expect.stringMatching(/^(InvalidAccess|NotSupported)Error$/));
      expect(await takeable(page)).toEqual({ extractable: [false], exported: refused });
    });
  });

  test("is enrolled by a form, whose answer the browser follows, and can be forgotten", async () => {
    await mfa.accounts.erase(userNamed("dave").id);
    await withVisitor(async ({ page }) => {
      await givePassword(page, "dave");
      await inPage(page, async (part) => {
        const form = document.createElement("form");
        Object.assign(form, { method: "post", action: "/2fa/push/enroll" });
        document.body.append(form);
        void part.enrollPushDevice({ base: "/2fa", form, label: "This browser" });
      });
      await heading(page, "Save your backup codes").waitFor();
      expect(await mfa.accounts.factors(userNamed("dave").id)).toMatchObject([{ type: "push", label: "This browser" }]);
      await page.goto("/account");
      const seen = await inPage(page, async (part) => {
        const now = (await (await fetch("/now")).json()) as number;
        const terms = { base: "/2fa", clock: () => now };
        const [device] = await part.pushDevices(terms);
        const answer = await device!.requests();
        await device!.forget();
        return [device!.label, answer.status, (await part.pushDevices(terms)).length];
      });
      expect(seen).toEqual(["This browser", "listed", 0]);
    });
  });
});

describe("password managers", () => {
  /** A user with a passkey, on the settings page. */
  async function onSettings(page: Page, name: string): Promise<Key> {
    await mfa.accounts.erase(userNamed(name).id);
    const key = await plugIn(page);
    await givePassword(page, name);
    await inPage(page, (part) => part.enrollPasskey({ base: "/2fa" }));
    await page.goto("/2fa/settings");
    return key;
  }

  const eventually = async (check: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 100 && !(await check()); tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await check()).toBe(true);
  };

  test("hear from the settings page which passkeys are in force, when one is removed, and of the account's new name", async () => {
    await withVisitor(async ({ page }) => {
      const key = await onSettings(page, "carol");
      expect(await key.passkeys()).toMatchObject([{ userName: "carol@acme.test" }]);
      names.set(userNamed("carol").id, "caroline@acme.test");
      await page.reload();
      // The name is told last: a passkey that was taken for a removed one would be gone by then.
      await eventually(async () => (await key.passkeys())[0]?.userName === "caroline@acme.test");
      names.clear();
      await page.getByText("Remove", { exact: true }).click();
      await page.getByRole("button", { name: "Yes, remove it" }).click();
      await page.getByText("You have none yet").waitFor();
      await eventually(async () => (await key.passkeys()).length === 0);
    });
  });

  test("hear from an application's own pages, by what the settings answer as JSON", async () => {
    await withVisitor(async ({ page }) => {
      const key = await onSettings(page, "carol");
      await page.goto("/account");
      const told = await inPage(page, async (part) => {
        const answer = await fetch("/2fa/settings", { headers: { Accept: "application/json" } });
        const { passkeys } = (await answer.json()) as { passkeys: Parameters<Part["signalAccepted"]>[0] };
        const { rpId, userId } = passkeys;
        return [await part.signalAccepted(passkeys), await part.signalUserDetails({ rpId, userId, name: "carol" })];
      });
      expect(told).toEqual([true, true]);
      expect(await key.passkeys()).toMatchObject([{ userName: "carol", userDisplayName: "carol" }]);
      const gone = await inPage(page, async (part) => {
        const answer = await fetch("/2fa/settings", { headers: { Accept: "application/json" } });
        const { passkeys } = (await answer.json()) as { passkeys: { rpId: string; credentialIds: [string] } };
        return part.signalRemoved({ rpId: passkeys.rpId, credentialId: passkeys.credentialIds[0] });
      });
      expect(gone).toBe(true);
      expect(await key.passkeys()).toEqual([]);
    });
  });

  test("are told nothing where the browser has no way to, or the words are another site's", async () => {
    await withVisitor(async ({ page }) => {
      await page.goto("/login");
      expect(await inPage(page, (part) => part.signalRemoved({ rpId: "evil.test", credentialId: "AAAA" }))).toBe(false);
      await page.evaluate(() => Reflect.deleteProperty(PublicKeyCredential, "signalAllAcceptedCredentials"));
      const told = inPage(page, (part) =>
        part.signalAccepted({ rpId: "localhost", userId: "AAAA", credentialIds: [] }),
      );
      expect(await told).toBe(false);
    });
  });
});
