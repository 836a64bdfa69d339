// B23, B24, B25, B05: the way back for whoever has lost every factor must not be the way in.
import { describe, expect, test } from "@jest/globals";
import { expectDenied, STEP } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import {
  alice,
  ask,
  click,
  completed,
  confirmed,
  HOUR,
  ready,
  RECOVERY,
  run,
  stateOf,
  told,
  tokenOf,
} from "../support/recovery.js";

describe("B23: a check of a link that always says yes", () => {
  test("there is none: empty, shortened, changed, another's and made-up tokens do nothing", async () => {
    const here = await alice();
    await ask(here);
    const token = await tokenOf(here, "confirm");
    const { links } = here.notices[0]!;
    const report = new URL(links.report!).searchParams.get("token")!;
    const changed = Buffer.from(token, "base64url");
    changed[changed.length - 3]! ^= 1;
    const wrong = ["", token.slice(0, -4), changed.toString("base64url"), report, "undefined", "null", "true", "0"];
    for (const each of wrong) {
      for (const way of ["confirm", "cancel", "complete"]) expect((await click(here, way, each)).status).toBe(410);
    }
    expect(await stateOf(here)).toBe("requested");
  });
});

describe("B24: what a client says of itself", () => {
  test("neither ends the wait nor names an account, a state or an address", async () => {
    const here = await alice();
    const jar = await pending(here.target, "alice");
    const claims = {
      state: "ready",
      wait: "0s",
      userId: "u2",
      email: "mallory@acme.test",
      address: "mallory@acme.test",
    };
    expect((await jar.post(RECOVERY, claims)).status).toBe(202);
    await told();
    expect(here.notices.map(({ to }) => to)).toEqual([{ address: "alice@acme.test" }]);
    const token = await tokenOf(here, "confirm");
    const answer = await new Jar(here.target).post(`${RECOVERY}/confirm`, {
      token,
      completesAt: "2000-01-01",
      ...claims,
    });
    expect(answer.body).toEqual({ completesAt: new Date(here.target.clock() + 24 * HOUR).toISOString() });
    expect(await stateOf(here)).toBe("waiting");
    await expectDenied(jar);
  });

  test("a session that says it has completed a recovery is over, where the account does not", async () => {
    const here = await alice();
    const jar = await completed(here);
    await click(here, "cancel", await tokenOf(here, "cancel"));
    expect((await jar.post("/2fa/totp/enroll")).status).toBe(410);
    await expectDenied(jar);
  });
});

describe("B25: a factor taken off without a proof", () => {
  test("the password alone asks, and takes nothing off before two links of the owner's mailbox and a day", async () => {
    const here = await alice();
    const jar = await confirmed(here);
    here.target.clock.advance(24 * HOUR - 1);
    await run(here);
    for (const path of ["/2fa/totp/enroll", "/2fa/disable", `/2fa/factors/${here.factorId}/remove`]) {
      expect((await (await pending(here.target, "alice")).post(path)).status).toBe(401);
    }
    expect((await jar.get("/2fa")).status).toBe(410);
    expect(await stateOf(here)).toBe("waiting");
    here.target.clock.advance(STEP);
    const owner = await pending(here.target, "alice");
    expect((await owner.verify(here.phone.code(here.target.clock()))).status).toBe(200);
    expect(await stateOf(here)).toBe("none");
  });

  test("the mailbox alone opens nothing: both links without the first factor", async () => {
    const here = await alice();
    await ready(here);
    const thief = new Jar(here.target);
    const token = await tokenOf(here, "complete");
    expect((await thief.post(`${RECOVERY}/complete`, { token })).status).toBe(401);
    const form = await thief.form(`${RECOVERY}/complete`, { token }).set("Sec-Fetch-Site", "cross-site");
    expect(form.status).toBe(403);
    await expectDenied(thief);
  });
});

describe("B05: a new password", () => {
  test("neither completes a recovery nor shortens it", async () => {
    const here = await alice();
    await confirmed(here);
    await here.target.mfa.accounts.passwordChanged("u1");
    const jar = await pending(here.target, "alice");
    expect((await jar.get("/2fa")).body).toMatchObject({ status: "pending", recovery: { state: "waiting" } });
    await expectDenied(jar);
  });

  test("ends what the old one has begun: a login that was to complete it, and one that has", async () => {
    const here = await alice();
    const attacker = await completed(here);
    await here.target.mfa.accounts.passwordChanged("u1");
    expect((await attacker.post("/2fa/totp/enroll")).status).toBe(410);
    const next = await pending(here.target, "alice");
    expect((await next.post(RECOVERY)).status).toBe(202);
    const token = await tokenOf(here, "complete");
    await here.target.mfa.accounts.passwordChanged("u1");
    expect((await next.post(`${RECOVERY}/complete`, { token })).status).toBe(401);
    await expectDenied(next);
    // Its owner, with the new one, goes on with the same link.
    const owner = await pending(here.target, "alice");
    expect((await owner.post(`${RECOVERY}/complete`, { token })).status).toBe(200);
    expect((await owner.post("/2fa/totp/enroll")).status).toBe(201);
  });
});
