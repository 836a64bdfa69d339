import { describe, expect, test } from "@jest/globals";
import type { StrategyOptions } from "express-second-factor";
import { guarded, passwordOf } from "../support/app.js";
import { ask, type AskedOwner, owner } from "../support/asked-owner.js";
import { full, Jar, pending } from "../support/browser.js";

const PATH = "/approved";

/** Alice, at an application that finishes logins on a route of its own. */
function alice(options: StrategyOptions = {}): Promise<AskedOwner> {
  return owner({
    options: { exempt: ["/login", "/logout", PATH, "/one-form"] },
    routes(app, mfa, authenticator) {
      authenticator.use(mfa.strategy("push", options));
      app.post(PATH, authenticator.authenticate("push"), guarded);
      const inline = authenticator.authenticate("local", { secondFactor: "inline" });
      app.post("/one-form", inline, authenticator.authenticate("push"), guarded);
    },
  });
}

interface Sent {
  readonly requestId: string;
  readonly number: string;
}

async function send(jar: Jar): Promise<Sent> {
  const { body, status } = await jar.post("/2fa/push/send");
  if (status !== 202) throw new Error(`send answered ${status}: ${JSON.stringify(body)}`);
  return body as Sent;
}

describe("a route with the strategy of push", () => {
  test("completes one login by what the device has approved, five requests at once: no other, and not again", async () => {
    const { phone, target } = await alice();
    const jar = await pending(target, "alice");
    const { number, requestId } = await send(jar);
    await phone.approve(number);
    const answers = await Promise.all(Array.from({ length: 5 }, () => jar.post(PATH, { requestId })));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect(await jar.isIn()).toBe(true);
    expect(
      target.events.filter(({ action, method }) => action === "factor-verified" && method === "push"),
    ).toHaveLength(1);
    const other = await pending(target, "alice");
    expect((await other.post(PATH, { requestId })).status).toBe(401);
    expect(await other.isIn()).toBe(false);
  });

  test("fails with 401 for what another login has asked, approved or not; whoever asked still finishes with it", async () => {
    const { phone, target } = await alice();
    const jar = await pending(target, "alice");
    const { number, requestId } = await send(jar);
    const thief = await pending(target, "alice");
    expect((await thief.post(PATH, { requestId })).status).toBe(401);
    await phone.approve(number);
    expect((await thief.post(PATH, { requestId })).status).toBe(401);
    expect((await (await pending(target, "mallory")).post(PATH, { requestId })).text).not.toContain("alice");
    expect([await thief.isIn(), (await jar.post(PATH, { requestId })).status]).toEqual([false, 200]);
  });

  test("fails for what the application itself has asked (mfa.approve)", async () => {
    const { phone, target } = await alice();
    const { number, outcome } = ask(target);
    const shown = await number;
    const { requestId } = await phone.request();
    await phone.approve(shown);
    const jar = await pending(target, "alice");
    expect((await jar.post(PATH, { requestId })).status).toBe(401);
    expect([await jar.isIn(), await outcome]).toEqual([false, "approved"]);
  });

  test("does not begin a login, nor finish one in the request that begins it", async () => {
    const { phone, target } = await alice();
    const { number, requestId } = await send(await pending(target, "alice"));
    await phone.approve(number);
    const stranger = new Jar(target);
    expect((await stranger.post(PATH, { requestId })).status).toBe(401);
    const form = { username: "alice", password: passwordOf("alice"), requestId };
    expect((await stranger.post("/one-form", form)).status).toBe(401);
    expect(await stranger.isIn()).toBe(false);
  });
});

describe("with always", () => {
  test("it asks where a login is complete too, and takes what that login has asked", async () => {
    const { app, phone, target } = await alice({ always: true });
    const jar = await full(target, "alice", app);
    expect((await jar.post(PATH)).status).toBe(401);
    const { number, requestId } = await send(jar);
    expect((await jar.post(PATH, { requestId })).status).toBe(401);
    await phone.approve(number);
    expect((await jar.post(PATH, { requestId })).status).toBe(200);
    expect((await jar.post(PATH, { requestId })).status).toBe(401);
    expect(await jar.isIn()).toBe(true);
  });

  test("whoever has no device fails", async () => {
    const { target } = await alice({ always: true });
    const jar = new Jar(target);
    await jar.login("carol");
    expect((await jar.post(PATH, { requestId: "nonsense" })).status).toBe(401);
  });
});
