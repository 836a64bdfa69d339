import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import type { Response } from "supertest";
import { passwordOf, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { cookies, STEP, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { creationOptions, enrollWith, passkeyApp, storedPasskeys } from "./stage.js";

const OFFER = "/2fa/passkey/offer";
const DECLINE = `${OFFER}/decline`;
const GOING_TO = "/api/data?page=2";

interface Field extends Enrolled {
  readonly target: TestApp;
}

async function field(rest: TestAppOptions = {}): Promise<Field> {
  const target = passkeyApp({ offer: true }, rest);
  return { target, ...(await enrolled(target, "alice")) };
}

function place({ headers, status }: Response): [number, unknown] {
  return [status, headers.location];
}

/** On the pages: the password, then a page that is wanted. */
async function onTheWay({ target }: Field): Promise<Jar> {
  const jar = new Jar(target);
  await jar.form("/login", { username: "alice", password: passwordOf("alice") });
  await jar.page(GOING_TO);
  return jar;
}

/** And the code. Answers where that leads. */
async function landing(here: Field, jar: Jar, body: object = {}): Promise<unknown> {
  here.target.clock.advance(STEP);
  const answer = await jar.form("/2fa/totp", { code: here.phone.code(here.target.clock()), ...body });
  expect(answer.status).toBe(303);
  return answer.headers.location;
}

/** Somebody to whom a passkey is offered right now. */
async function offered(here: Field): Promise<Jar> {
  const jar = await onTheWay(here);
  expect(await landing(here, jar)).toBe(OFFER);
  return jar;
}

describe("after a login by code a passkey is offered", () => {
  test("on a page with three answers, and nothing in its address", async () => {
    const jar = await offered(await field());
    const page = await jar.page(OFFER);
    expect(page.status).toBe(200);
    for (const action of [OFFER, DECLINE]) expect(page.text).toContain(`action="${action}"`);
    expect(page.text).toContain("Not now");
    expect(page.text).toContain("Don&#39;t ask again");
    expect(page.text).not.toContain("/api/data");
    expect(await jar.isIn()).toBe(true);
  });

  test("and added there, from where the browser goes on to where it was going; then no more", async () => {
    const here = await field();
    const jar = await offered(here);
    const device = softwareAuthenticator();
    const credential = JSON.stringify(device.create(await creationOptions(jar)));
    expect(place(await jar.form(OFFER, { credential }))).toEqual([303, GOING_TO]);
    expect(await storedPasskeys(here.target, "alice")).toHaveLength(1);
    expect(place(await jar.page(OFFER))).toEqual([303, "/"]);
    expect(await landing(here, await onTheWay(here))).toBe(GOING_TO);
  });

  test("and made by the way, as a browser with conditional create does", async () => {
    const here = await field();
    const jar = await offered(here);
    const manager = softwareAuthenticator({ userPresence: false });
    const credential = JSON.stringify(manager.create(await creationOptions(jar, { conditional: true })));
    expect(place(await jar.form(OFFER, { credential }))).toEqual([303, GOING_TO]);
  });

  test("and declined for now: the browser goes on, and is asked at the next login", async () => {
    const here = await field();
    const jar = await offered(here);
    expect(place(await jar.form(DECLINE))).toEqual([303, GOING_TO]);
    expect(await jar.isIn()).toBe(true);
    await offered(here);
  });

  test("and declined for good: in every browser, kept with the account and in no cookie", async () => {
    const here = await field();
    const jar = await offered(here);
    const before = Object.keys(cookies(jar));
    expect(place(await jar.form(DECLINE, { forever: "true" }))).toEqual([303, GOING_TO]);
    expect(Object.keys(cookies(jar))).toEqual(before);
    expect(await landing(here, await onTheWay(here))).toBe(GOING_TO);
    expect(await here.target.mfa.accounts.export("u1")).toMatchObject({ declinesPasskeys: true });
    expect((await enrollWith(jar, softwareAuthenticator())).status).toBe(201);
  });

  test("and what was refused is told there, with every answer still open; by itself the page tries once", async () => {
    const jar = await offered(await field());
    expect((await jar.page(OFFER)).text).toContain("data-silent");
    const credential = JSON.stringify(
      softwareAuthenticator({ origin: "https://evil.test" }).create(await creationOptions(jar)),
    );
    const again = await jar.form(OFFER, { credential });
    expect(again.status).toBe(401);
    expect(again.text).toContain("That passkey was not accepted");
    expect(again.text).toContain(`action="${DECLINE}"`);
    expect(again.text).not.toContain("data-silent");
    expect(place(await jar.form(DECLINE))).toEqual([303, GOING_TO]);
  });

  test("and left alone: every page is open, and the place is used up by the first answer", async () => {
    const jar = await offered(await field());
    expect((await jar.page("/2fa/settings")).status).toBe(200);
    expect(place(await jar.form(DECLINE))).toEqual([303, GOING_TO]);
    expect(place(await jar.form(DECLINE))).toEqual([303, "/"]);
  });

  test("without pages of its own an application asks whether to offer one, and answers for its user", async () => {
    const { phone, target } = await field({ options: { pages: false } });
    const jar = await full(target, "alice", phone);
    expect((await jar.get(OFFER)).body).toEqual({ offered: true, redirectTo: "/" });
    expect((await jar.post(DECLINE, { forever: true })).status).toBe(204);
    expect((await jar.get(OFFER)).body).toEqual({ offered: false, redirectTo: "/" });
  });
});

describe("the browser goes straight to where it was going", () => {
  test("by default: there is no offer", async () => {
    const target = testApp();
    const here = { target, ...(await enrolled(target, "alice")) };
    const jar = await onTheWay(here);
    expect(await landing(here, jar)).toBe(GOING_TO);
    expect((await jar.page(OFFER)).status).toBe(404);
    expect((await jar.form(DECLINE)).status).toBe(404);
  });

  test("of a client of the API, a backup code, and a browser that is to be trusted", async () => {
    const here = await field();
    const client = await onTheWay(here);
    here.target.clock.advance(STEP);
    const answer = await client.verify(here.phone.code(here.target.clock()));
    expect([answer.status, answer.body.redirectTo]).toEqual([200, GOING_TO]);
    const byPaper = await onTheWay(here);
    expect(place(await byPaper.form("/2fa/backup-code", { code: here.backupCodes[0] }))).toEqual([303, GOING_TO]);
    expect(await landing(here, await onTheWay(here), { trustDevice: "true" })).toBe(GOING_TO);
  });

  test("of a confirmation, whether the application or the settings asked for it", async () => {
    const here = await field({
      routes(app, mfa) {
        app.all("/transfer", mfa.require({ bind: () => "Pay" }), (_req, res) => {
          res.send("paid");
        });
      },
    });
    const jar = await full(here.target, "alice", here.phone);
    const [, operation] = (await jar.page("/transfer")).headers.location!.split("operation=");
    expect(await landing(here, jar, { operation })).toBe("/transfer");
    await jar.page("/2fa").set("Referer", "http://localhost:3000/2fa/settings");
    expect(await landing(here, jar)).toBe("/2fa/settings");
  });

  test("of a trusted browser that confirms something", async () => {
    const here = await field();
    const jar = await trusted(here.target, "alice", here.phone);
    await jar.post("/logout");
    await jar.login("alice");
    expect(place(await jar.page(OFFER))).toEqual([303, "/"]);
    expect(await landing(here, jar)).toBe("/");
  });
});

describe("the page of the offer", () => {
  test("leads a pending login to the challenge, and is no way round it", async () => {
    const here = await field();
    const jar = await pending(here.target, "alice");
    expect(place(await jar.page(OFFER))).toEqual([303, "/2fa"]);
    expect((await jar.form(DECLINE, { forever: "true" })).status).toBe(401);
    expect((await jar.form(OFFER, { credential: "{}" })).status).toBe(400);
    expect(await jar.isIn()).toBe(false);
    await offered(here);
  });

  test("tells nobody to sign in first, and leads on who has nothing to gain by it", async () => {
    const { target } = await field();
    const nobody = await new Jar(target).page(OFFER);
    expect([nobody.status, nobody.text.includes("Sign in first")]).toEqual([401, true]);
    const carol = new Jar(target);
    await carol.login("carol");
    expect(place(await carol.page(OFFER))).toEqual([303, "/"]);
  });

  test("takes no place to go to from a query or a body", async () => {
    const jar = await offered(await field());
    await jar.page(`${OFFER}?returnTo=//evil.test&redirectTo=/evil`);
    const answer = await jar.form(`${DECLINE}?returnTo=/evil`, { returnTo: "//evil.test", redirectTo: "/evil" });
    expect(place(answer)).toEqual([303, GOING_TO]);
  });

  test("where an application sends everybody to it: it ends at the front page", async () => {
    const here = await field({
      routes(app, _mfa, authenticator) {
        app.post("/login-to-offer", authenticator.authenticate("local", { successRedirect: OFFER }));
      },
      options: { exempt: ["/login-to-offer"] },
    });
    const jar = new Jar(here.target);
    await jar.form("/login-to-offer", { username: "alice", password: passwordOf("alice") });
    expect(await landing(here, jar)).toBe(OFFER);
    expect(place(await jar.form(DECLINE, { forever: "true" }))).toEqual([303, OFFER]);
    expect(place(await jar.page(OFFER))).toEqual([303, "/"]);
  });

  test("is answered by the site's own pages only", async () => {
    const jar = await offered(await field());
    const answer = await jar.form(DECLINE, { forever: "true" }).set("Sec-Fetch-Site", "cross-site");
    expect(answer.status).toBe(403);
    expect((await jar.page(OFFER)).status).toBe(200);
  });
});
