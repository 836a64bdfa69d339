// What is told of a device once it is set up: its name, and the name of what wakes it.
import { describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import type { Notice } from "express-second-factor";
import { TEST_KEYS, type TestApp } from "../support/app.js";
import { ask, harmless, MODES, passworded, send, storedAccount } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { overhear } from "../support/overheard.js";
import { phone, type Phone } from "../support/phone.js";
import { challengeFor, deviceOwner, ENDPOINT, pushApp, SUBSCRIPTION } from "../support/push-devices.js";
import { recordingStore } from "../support/recording-store.js";
import { found, PAGES, stateRoutes } from "../support/routes.js";

const overheard = overhear();

/** Every way what a device was given by its push service could be written down, and parts of it. */
function subscriptionNeedles(): string[] {
  const parts = [ENDPOINT, "canary-p256dh", "canary-auth", "canary-of-a-subscription"];
  const texts = [JSON.stringify(SUBSCRIPTION), ...parts];
  const written = (encoding: "hex" | "base64" | "base64url"): string[] =>
    texts.map((each) => Buffer.from(each).toString(encoding).replace(/=+$/, ""));
  return [...parts, encodeURIComponent(ENDPOINT), ...written("hex"), ...written("base64"), ...written("base64url")];
}

/** … and its key, and what is stored of both. */
async function needlesOf(target: TestApp, device: Phone): Promise<string[]> {
  const { factors } = JSON.parse((await storedAccount(target, "alice"))!) as {
    factors: { state: { reached?: { subscription: string } } }[];
  };
  const sealed = factors.flatMap(({ state }) => state.reached?.subscription ?? []);
  expect(sealed.length).toBeGreaterThan(0);
  const spki = Buffer.from(device.publicKey, "base64url");
  const point = spki.subarray(-64);
  const key = [spki, point, point.subarray(0, 32)].flatMap((bytes) =>
    (["hex", "base64", "base64url"] as const).map((encoding) => bytes.toString(encoding).replace(/=+$/, "")),
  );
  return [...subscriptionNeedles(), ...sealed, ...key, device.publicKey];
}

function told({ headers, text }: Response): string {
  return text + JSON.stringify(headers);
}

describe("B28 a device, after its enrollment", () => {
  test.each(MODES)("B28 no page and no change below /2fa shows its key or where it is reached (%s)", async (mode) => {
    const target = pushApp();
    const { device, jar } = await deviceOwner(target, "alice");
    const needles = await needlesOf(target, device);
    const { factorId } = device;
    const paths = ["/2fa/push", "/2fa/push/enroll", "/2fa/push/enroll/options", "/2fa/push/subscription"];
    const asked = [...PAGES, "/2fa?method=push", ...paths, `/2fa/push/${factorId}`, `/2fa/factors/${factorId}`];
    for (const path of asked) {
      const answer = harmless(await ask(jar, mode, path));
      expect([path, found(told(answer), needles)]).toEqual([path, []]);
    }
    const again = await device.enrollBody(await challengeFor(jar));
    const own = [
      { path: "/2fa/push/enroll/options", body: {} },
      { path: "/2fa/push/enroll", body: { ...again, channel: "web-push", subscription: JSON.stringify(SUBSCRIPTION) } },
      { path: "/2fa/push/subscription", body: await device.subscriptionBody("web-push", JSON.stringify(SUBSCRIPTION)) },
      { path: "/2fa/preferred", body: { type: "push" } },
    ];
    for (const { path, body } of [...own, ...stateRoutes({ factorId })]) {
      if (path === "/2fa/cancel") continue;
      const answer = await send(jar, mode, path, body);
      expect([path, found(told(answer), needles)]).toEqual([path, []]);
    }
  });

  test("B28 neither the application's own calls, the session nor the request's state hold it", async () => {
    const target = pushApp({
      routes: (app) =>
        app.get("/state", (req, res) => void res.json({ state: req.secondFactor, session: req.session })),
    });
    const { device, jar } = await deviceOwner(target, "alice");
    const needles = await needlesOf(target, device);
    const { accounts } = target.mfa;
    const views = [await accounts.export("u1"), await accounts.factors("u1"), await accounts.status("u1")];
    expect(found(JSON.stringify(views), needles)).toEqual([]);
    expect(found((await jar.get("/state")).text, needles)).toEqual([]);
    const waiting = await passworded(target, "JSON", "alice");
    expect(found(told(await waiting.get("/account")), needles)).toEqual([]);
  });

  test("B28 nothing is printed, and no event, error, notice or row of the store holds where it is reached", async () => {
    const [notices, store] = [[] as Notice[], recordingStore()];
    const notify = async (notice: Notice): Promise<void> => void notices.push(notice);
    const target = pushApp({ store, options: { notify, keys: TEST_KEYS } });
    const { device, jar } = await deviceOwner(target, "alice");
    const text = JSON.stringify(SUBSCRIPTION);
    await new Jar(target).post("/2fa/push/subscription", await device.subscriptionBody("web-push", text));
    const elsewhere = JSON.stringify({ endpoint: `${ENDPOINT}/elsewhere`.replace("push.example", "evil.example") });
    await new Jar(target).post("/2fa/push/subscription", await device.subscriptionBody("web-push", elsewhere));
    const body = await (await phone(target)).enrollBody(await challengeFor(jar));
    await jar.post("/2fa/push/enroll", { ...body, signature: "x", channel: "web-push", subscription: SUBSCRIPTION });
    await jar.post(`/2fa/factors/${device.factorId}/rename`, { label: "mine" });
    await jar.post(`/2fa/factors/${device.factorId}/remove`);
    await new Promise((resolve) => setImmediate(resolve));
    const places = {
      printed: overheard.printed.join(""),
      events: JSON.stringify([target.events, overheard.published]),
      errors: JSON.stringify(target.errors),
      notices: JSON.stringify(notices),
      rows: store.written.join("\n"),
    };
    expect([store.written.length > 5, notices.length > 0]).toEqual([true, true]);
    const needles = subscriptionNeedles();
    for (const [place, all] of Object.entries(places)) expect([place, found(all, needles)]).toEqual([place, []]);
  });
});
