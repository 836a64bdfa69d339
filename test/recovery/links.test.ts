// What a link in a mail of a recovery is good for: once, in its time, for what it says, and for nobody who only opens it.
import { describe, expect, test } from "@jest/globals";
import express from "express";
import session from "express-session";
import { emailCode, smsCode, totp } from "express-second-factor";
import { outbox } from "express-second-factor/testing";
import { above, loggedInAbove } from "../logins/stage.js";
import { copyOf, DAY } from "../support/attack.js";
import { enrolled, Jar, pending } from "../support/browser.js";
import {
  alice,
  ask,
  click,
  completed,
  confirmed,
  HOUR,
  MINUTE,
  ofKind,
  ready,
  RECOVERY,
  run,
  stateOf,
  told,
  tokenOf,
} from "../support/recovery.js";

const EXPIRED = { status: 410, body: { code: "expired" } };

describe("a link of a recovery", () => {
  test.each(["confirm", "cancel", "complete"] as const)("changes nothing when it is opened: %s", async (way) => {
    const here = await alice();
    await (way === "complete" ? ready(here) : ask(here));
    const token = await tokenOf(here, way);
    const state = await stateOf(here);
    const stranger = new Jar(here.target);
    for (let count = 0; count < 3; count += 1) {
      const page = await stranger.page(`${RECOVERY}/${way}?token=${token}`);
      expect(page.status).toBe(200);
      expect(page.text).not.toContain("alice");
      expect(page.headers["referrer-policy"]).toBe("strict-origin");
      expect((await stranger.get(`${RECOVERY}/${way}?token=${token}`)).body).toMatchObject({ state });
    }
    expect(await stateOf(here)).toBe(state);
  });

  test("says what to do to whoever did not ask, and leads on to the application once it is used", async () => {
    const here = await alice();
    await ask(here);
    const token = await tokenOf(here, "confirm");
    const stranger = new Jar(here.target);
    const opened = await stranger.page(`${RECOVERY}/confirm?token=${token}`);
    expect(opened.text).toContain("If it is not, leave it, and open “Stop the recovery” in the same e-mail.");
    for (const way of ["confirm", "cancel"] as const) {
      const done = await stranger.form(`${RECOVERY}/${way}`, { token: await tokenOf(here, way) });
      expect(done.text).toMatch(/role="status" tabindex="-1" autofocus/);
      expect(done.text).toMatch(/<a class="sf-button sf-button-quiet" href="\/">Back to [^<]+<\/a>/);
    }
  });

  test("confirms once, in 30 minutes", async () => {
    const here = await alice();
    await ask(here);
    const token = await tokenOf(here, "confirm");
    here.target.clock.advance(30 * MINUTE - 1);
    expect((await click(here, "confirm", token)).status).toBe(200);
    expect(await click(here, "confirm", token)).toMatchObject(EXPIRED);

    const late = await alice();
    await ask(late);
    const lateToken = await tokenOf(late, "confirm");
    late.target.clock.advance(30 * MINUTE);
    expect(await click(late, "confirm", lateToken)).toMatchObject(EXPIRED);
    expect(await stateOf(late)).toBe("none");
  });

  test("is replaced by the one of a request that is repeated, whose mails all cancel", async () => {
    const here = await alice();
    await ask(here);
    const [first, cancel] = [await tokenOf(here, "confirm"), await tokenOf(here, "cancel")];
    await ask(here);
    expect(await click(here, "confirm", first)).toMatchObject(EXPIRED);
    expect((await click(here, "confirm", await tokenOf(here, "confirm"))).status).toBe(200);
    expect((await click(here, "cancel", cancel)).status).toBe(204);
    expect(await click(here, "cancel", cancel)).toMatchObject(EXPIRED);
  });

  test("does nothing but what it says, and nothing of somebody else's", async () => {
    const here = await alice();
    await ask(here);
    const token = await tokenOf(here, "confirm");
    for (const way of ["cancel", "complete"]) expect(await click(here, way, token)).toMatchObject(EXPIRED);
    for (const wrong of ["", "x", `x${token}`, "A".repeat(4096)])
      expect(await click(here, "confirm", wrong)).toMatchObject(EXPIRED);
    expect(await click(here, "confirm", "A".repeat(4097))).toMatchObject({ status: 400 });
    expect((await new Jar(here.target).post(`${RECOVERY}/confirm`, { token: [token] })).status).toBe(400);
    expect(await stateOf(here)).toBe("requested");
  });

  test("completes once, within a day, in the browser whose owner gave the first factor again", async () => {
    const here = await alice();
    await ready(here);
    const token = await tokenOf(here, "complete");
    const signIn = { status: 401, body: { code: "login-required" } };
    expect(await click(here, "complete", token)).toMatchObject(signIn);
    const mallory = new Jar(here.target);
    await mallory.login("mallory");
    expect(await mallory.post(`${RECOVERY}/complete`, { token })).toMatchObject(signIn);
    const page = await new Jar(here.target).form(`${RECOVERY}/complete`, { token });
    expect([page.status, page.text.includes("Sign in first")]).toEqual([401, true]);

    const own = await pending(here.target, "alice");
    const before = copyOf(own);
    expect((await own.post(`${RECOVERY}/complete`, { token })).status).toBe(200);
    // The session has another id by it.
    expect((await before.get("/2fa")).status).toBe(401);
    const other = await pending(here.target, "alice");
    expect(await other.post(`${RECOVERY}/complete`, { token })).toMatchObject(EXPIRED);
    expect((await other.get("/2fa")).body).toMatchObject({ status: "pending" });

    const late = await alice();
    await ready(late);
    const lateToken = await tokenOf(late, "complete");
    late.target.clock.advance(DAY);
    const jar = await pending(late.target, "alice");
    expect(await jar.post(`${RECOVERY}/complete`, { token: lateToken })).toMatchObject(EXPIRED);
  });

  test("does not complete with a login that was found in its session: nobody knows when its first factor was given", async () => {
    const here = await alice({ before: above });
    await ready(here);
    const token = await tokenOf(here, "complete");
    const found = await loggedInAbove(here.target, "alice");
    expect((await found.get("/2fa")).body).toMatchObject({ status: "pending" });
    expect(await found.post(`${RECOVERY}/complete`, { token })).toMatchObject({ status: 401 });
    await found.login("alice");
    expect((await found.post(`${RECOVERY}/complete`, { token })).status).toBe(200);
  });

  test("is come back to from the sign-in that it needs, by what no address and no session tells", async () => {
    const sessionStore = new session.MemoryStore();
    const here = await alice({ sessionStore });
    await ready(here);
    const token = await tokenOf(here, "complete");
    const jar = new Jar(here.target);
    const opened = await jar.page(`${RECOVERY}/complete?token=${token}`);
    expect([opened.status, opened.text.includes("Sign in first"), opened.text.includes(token)]).toEqual([
      200,
      true,
      false,
    ]);
    const [cookie = ""] = opened.get("Set-Cookie") ?? [];
    expect(cookie).toMatch(/^2fa-recovery=[^;]+; Max-Age=1800; Path=\/2fa; .*HttpOnly; SameSite=Lax$/);
    await jar.login("alice");
    const challenge = await jar.page("/2fa");
    expect(challenge).toMatchObject({ status: 303, headers: { location: `${RECOVERY}/complete` } });
    const page = await jar.page(`${RECOVERY}/complete`);
    expect([page.status, page.text.includes('value="' + token)]).toEqual([200, true]);
    expect(JSON.stringify(sessionStore)).not.toContain(token);
    // Once: whoever has found their authenticator after all is not sent round in circles.
    expect((await jar.page("/2fa")).status).toBe(200);
    const done = await jar.form(`${RECOVERY}/complete`, { token });
    expect(done).toMatchObject({ status: 303, headers: { location: "/2fa" } });
    expect(done.get("Set-Cookie")?.join()).toMatch(/2fa-recovery=; Path=\/2fa; Expires=Thu, 01 Jan 1970/);
    expect((await jar.page("/2fa")).text).toContain("/2fa/totp/enroll");
  });

  test("is come back to by nobody else, and not once the recovery is over", async () => {
    const here = await alice();
    await ready(here);
    const token = await tokenOf(here, "complete");
    const jar = new Jar(here.target);
    await jar.page(`${RECOVERY}/complete?token=${token}`);
    await enrolled(here.target, "mallory");
    await jar.login("mallory");
    expect((await jar.page("/2fa")).status).toBe(200);
    await jar.login("alice");
    await click(here, "cancel", await tokenOf(here, "cancel"));
    const over = await jar.page("/2fa");
    expect([over.status, over.get("Set-Cookie")?.join()]).toEqual([200, expect.stringContaining("2fa-recovery=;")]);
    expect((await jar.page(`${RECOVERY}/complete`)).status).toBe(410);
    const secure = await alice({ options: { origin: "https://acme.test" } });
    await ready(secure);
    const opened = await new Jar(secure.target).page(`${RECOVERY}/complete?token=${await tokenOf(secure, "complete")}`);
    expect(opened.get("Set-Cookie")?.join()).toMatch(/^__Secure-2fa-recovery=[^;]+; .*Path=\/2fa; .*HttpOnly; Secure;/);
    // What is no link leads nowhere.
    const evil = new Jar(here.target);
    await evil.login("alice");
    evil.agent.jar.setCookie("2fa-recovery=https://evil.test; Path=/2fa", "127.0.0.1");
    expect((await evil.page("/2fa")).status).toBe(200);
    expect((await evil.page(`${RECOVERY}/complete`)).status).toBe(410);
  });

  test("is opened below whatever a pattern matches that the application is mounted at", async () => {
    const here = await alice();
    await ready(here);
    const token = await tokenOf(here, "complete");
    const outer = express().use("/:tenant", here.target.app);
    for (const tenant of ["a", "a;b", "a%3Bb", "a,b", "%C3%A4"]) {
      const page = await new Jar(here.target, outer).page(`/${tenant}${RECOVERY}/complete?token=${token}`);
      expect([page.status, page.get("Set-Cookie")?.[0]]).toEqual([
        200,
        expect.stringContaining(`; Path=/${tenant.replace(";", "%3B")}/2fa;`),
      ]);
    }
  });

  test("does not complete with the login that asked", async () => {
    const here = await alice({ options: { recovery: { wait: "0s", approve: () => true } } });
    const jar = await confirmed(here);
    await run(here);
    const token = await tokenOf(here, "complete");
    expect(await jar.post(`${RECOVERY}/complete`, { token })).toMatchObject({ status: 401 });
    const again = await pending(here.target, "alice");
    expect((await again.post(`${RECOVERY}/complete`, { token })).status).toBe(200);
  });

  test("unfinished after ten minutes, another is asked for within a day, and waits for nothing", async () => {
    const here = await alice();
    const jar = await completed(here);
    here.target.clock.advance(10 * MINUTE - 1);
    expect((await jar.get("/2fa")).body).toMatchObject({ status: "must-enroll" });
    here.target.clock.advance(1);
    expect(await jar.get("/2fa")).toMatchObject(EXPIRED);
    const again = await pending(here.target, "alice");
    expect((await again.get("/2fa")).body).toMatchObject({ status: "pending", recovery: { state: "ready" } });
    expect((await again.post(RECOVERY)).status).toBe(202);
    const token = await tokenOf(here, "complete");
    expect((await again.post(`${RECOVERY}/complete`, { token })).status).toBe(200);
    await again.enroll();
    expect(await again.isIn()).toBe(true);

    const late = await alice();
    await completed(late);
    late.target.clock.advance(DAY);
    await run(late);
    expect(await stateOf(late)).toBe("none");
    expect(ofKind(late, "recovery-cancelled")).toMatchObject([{ details: { reason: "expired" } }]);
  });

  test("used in its last minute is good for ten more, whoever asks for another meanwhile", async () => {
    const here = await alice();
    await ready(here);
    const token = await tokenOf(here, "complete");
    here.target.clock.advance(DAY - MINUTE);
    const jar = await pending(here.target, "alice");
    expect((await jar.post(`${RECOVERY}/complete`, { token })).status).toBe(200);
    here.target.clock.advance(MINUTE);
    here.notices.length = 0;
    const other = await pending(here.target, "alice");
    expect((await other.post(RECOVERY)).status).toBe(202);
    await told();
    expect(here.notices).toEqual([]);
    await jar.enroll();
    expect(await jar.isIn()).toBe(true);
  });

  test("is mailed to the address on file alone, while every channel of the account is told", async () => {
    const sent = outbox();
    const methods = [totp(), emailCode({ send: sent.send }), smsCode({ send: sent.send, countries: ["DE"] })];
    const here = await alice({ options: { methods } });
    const { accounts } = here.target.mfa;
    const verifiedAt = new Date(here.target.clock());
    await accounts.enrollEmail("u1", { address: "second@acme.test", verifiedAt });
    await accounts.enrollPhone("u1", { phone: "+49 151 23456789", verifiedAt });
    await told();
    here.notices.length = 0;
    await ready(here);
    const places = ["+4915123456789", "alice@acme.test", "second@acme.test"];
    const placesOf = (kind: string): string[] =>
      ofKind(here, kind)
        .map(({ to }) => (typeof to === "string" ? to : (to?.address ?? "")))
        .sort();
    expect(placesOf("recovery-requested")).toEqual(["alice@acme.test"]);
    for (const kind of ["recovery-confirmed", "recovery-ready"]) expect(placesOf(kind)).toEqual(places);
    for (const { links, to } of here.notices) {
      const isOwn = typeof to === "object" && to.address === "alice@acme.test";
      if (!isOwn) expect(Object.keys(links).sort()).toEqual(["cancel", "report"]);
    }
    expect(ofKind(here, "recovery-ready").filter(({ links }) => links.complete !== undefined)).toHaveLength(1);
  });

  test("reaches its owner where no user can be found outside a request", async () => {
    const here = await alice({ options: { user: {} } });
    await ready(here);
    expect(ofKind(here, "recovery-ready")).toMatchObject([
      { to: { address: "alice@acme.test" }, links: { complete: expect.stringContaining("/2fa/recovery/complete?") } },
    ]);
  });

  test("is good from a page, too, which says what was done", async () => {
    const here = await alice();
    const jar = await pending(here.target, "alice");
    const asked = await jar.form(RECOVERY);
    expect(asked).toMatchObject({ status: 303, headers: { location: "/2fa" } });
    expect((await jar.page("/2fa")).text).toContain("a link is on its way");
    const stranger = new Jar(here.target);
    const confirm = await stranger.form(`${RECOVERY}/confirm`, { token: await tokenOf(here, "confirm") });
    expect([confirm.status, confirm.text.includes("The waiting time has begun")]).toEqual([200, true]);
    here.target.clock.advance(24 * HOUR);
    await run(here);
    const again = await pending(here.target, "alice");
    const done = await again.form(`${RECOVERY}/complete`, { token: await tokenOf(here, "complete") });
    expect(done).toMatchObject({ status: 303, headers: { location: "/2fa" } });
    expect((await again.page("/2fa")).text).toContain("/2fa/totp/enroll");
  });
});
