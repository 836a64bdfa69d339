import { describe, expect, test } from "@jest/globals";
import { copyOf, expectDenied, MINUTE, STEP, trusted } from "../support/attack.js";
import { testApp } from "../support/app.js";
import { enrolled, full, type Jar, pending } from "../support/browser.js";

const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const SAFARI =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1";

interface Listed {
  readonly id: string;
  readonly current: boolean;
}

async function listOf(jar: Jar): Promise<readonly Listed[]> {
  return ((await jar.get("/2fa/settings")).body as { sessions: readonly Listed[] }).sessions;
}

async function otherOf(jar: Jar): Promise<string> {
  const others = (await listOf(jar)).filter(({ current }) => !current);
  expect(others).toHaveLength(1);
  return others[0]!.id;
}

async function two() {
  const target = testApp();
  const { phone } = await enrolled(target, "alice");
  return { target, phone, other: await full(target, "alice", phone), jar: await full(target, "alice", phone) };
}

describe("one login is signed out", () => {
  test("by its owner, from another one: it and every copy of it is over, and the others stay", async () => {
    const { jar, other, target } = await two();
    const copy = copyOf(other);
    const answer = await jar.post(`/2fa/sessions/${await otherOf(jar)}/revoke`);
    expect([answer.status, answer.text]).toEqual([204, ""]);
    for (const ended of [other, copy]) await expectDenied(ended);
    expect(await jar.isIn()).toBe(true);
    expect(await listOf(jar)).toMatchObject([{ current: true }]);
    expect(target.events.map(({ action }) => action)).toContain("session-revoked");
    const { activity } = (await jar.get("/2fa/settings")).body as { activity: object[] };
    expect(activity[0]).toMatchObject({ action: "session-revoked", count: 1, label: "Unknown browser" });
  });

  test("with a form: 303 to the settings", async () => {
    const { jar, other } = await two();
    const answer = await jar.form(`/2fa/sessions/${await otherOf(jar)}/revoke`);
    expect([answer.status, answer.headers.location]).toEqual([303, "/2fa/settings"]);
    expect(await other.isIn()).toBe(false);
  });

  test("by somebody without a second factor, too", async () => {
    const target = testApp();
    const [other, jar] = [await pending(target, "carol"), await pending(target, "carol")];
    expect((await jar.post(`/2fa/sessions/${await otherOf(jar)}/revoke`)).status).toBe(204);
    expect([await other.isIn(), await jar.isIn()]).toEqual([false, true]);
  });

  test("and leaves the trust in its browser, which is another list", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const device = await trusted(target, "alice", phone);
    const jar = await full(target, "alice", phone);
    expect((await jar.post(`/2fa/sessions/${await otherOf(jar)}/revoke`)).status).toBe(204);
    expect(await device.isIn()).toBe(false);
    await device.login("alice");
    expect((await device.get("/")).body.status).toBe("trusted-device");
  });

  test("only once, and only by whose it is: 404 for what nobody has, or another has", async () => {
    const { jar, target } = await two();
    const id = await otherOf(jar);
    const mallory = await pending(target, "mallory");
    const answers = [
      await mallory.post(`/2fa/sessions/${id}/revoke`),
      await jar.post("/2fa/sessions/nothing/revoke"),
      await jar.post(`/2fa/sessions/${(await listOf(mallory))[0]!.id}/revoke`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(answers.every(({ body }) => (body as { code: string }).code === "not-found")).toBe(true);
    await jar.post(`/2fa/sessions/${id}/revoke`);
    expect((await jar.post(`/2fa/sessions/${id}/revoke`)).status).toBe(404);
    expect(await mallory.isIn()).toBe(true);
  });

  test("not without a fresh proof, not on a trusted browser alone, not by another site", async () => {
    const { jar, other, phone, target } = await two();
    const id = await otherOf(jar);
    const path = `/2fa/sessions/${id}/revoke`;
    expect((await jar.form(path).set("Sec-Fetch-Site", "cross-site")).status).toBe(403);
    const waiting = await pending(target, "alice");
    expect((await waiting.post(path)).body.code).toBe("second-factor-required");
    target.clock.advance(16 * MINUTE);
    expect((await jar.post(path)).body).toMatchObject({ code: "step-up-required", maxAge: 900 });
    expect(await other.isIn()).toBe(true);
    await jar.verify(phone.code(target.clock()));
    expect((await jar.post(path)).status).toBe(204);
  });

  test("the one that asks as well: it is over with the answer", async () => {
    const { jar, other } = await two();
    const own = (await listOf(jar)).find(({ current }) => current)!;
    expect((await jar.post(`/2fa/sessions/${own.id}/revoke`)).status).toBe(204);
    await expectDenied(jar);
    expect(await other.isIn()).toBe(true);
  });
});

describe("the settings page", () => {
  test("shows when each login was last seen, from where, and a button that ends it", async () => {
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    const other = await pending(target, "alice");
    await other.verify(phone.code(target.clock())).set("User-Agent", SAFARI);
    target.clock.advance(STEP);
    const jar = await pending(target, "alice");
    await jar.verify(phone.code(target.clock())).set("User-Agent", FIREFOX);
    const list = await listOf(jar);
    const page = (await jar.page("/2fa/settings")).text;
    expect(page).toContain("Last seen");
    expect(page).toContain("127.0.0.1");
    const [current, elsewhere] = list as [Listed, Listed];
    expect(page).toContain(`action="/2fa/sessions/${elsewhere.id}/revoke"`);
    expect(page).toContain('aria-label="Sign out Safari on iOS"');
    expect(page).not.toContain(`/2fa/sessions/${current.id}/revoke`);
  });
});
