// What ends a recovery, and what does not.
import { describe, expect, test } from "@jest/globals";
import { ConfigurationError } from "express-second-factor";
import { ask as asking } from "../support/asked-owner.js";
import { STEP, trusted } from "../support/attack.js";
import { full, Jar, pending } from "../support/browser.js";
import { phone } from "../support/phone.js";
import { pushMethods, SUBSCRIPTION, TestChannel } from "../support/push.js";
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
  type Recovering,
  RECOVERY,
  run,
  stateOf,
  tokenOf,
  told,
} from "../support/recovery.js";
import { reported } from "../support/reports.js";

const EXPIRED = { status: 410, body: { code: "expired" } };

async function why(here: Recovering): Promise<unknown> {
  await told();
  return ofKind(here, "recovery-cancelled").map(({ details }) => details.reason);
}

async function proved(here: Recovering): Promise<Jar> {
  here.target.clock.advance(STEP);
  return full(here.target, "alice", here.phone);
}

describe("a recovery that is under way is ended by", () => {
  test.each(["requested", "waiting", "ready"])("a link in any mail: %s", async (state) => {
    const here = await alice();
    await { requested: ask, waiting: confirmed, ready }[state]!(here);
    expect(await stateOf(here)).toBe(state);
    const ours = here.notices.filter(({ kind }) => kind.startsWith("recovery"));
    for (const { links } of ours) expect(links.cancel).toBeDefined();
    expect((await click(here, "cancel", await tokenOf(here, "cancel"))).status).toBe(204);
    expect(await stateOf(here)).toBe("none");
    expect(await why(here)).toEqual(["link"]);
    here.target.clock.advance(48 * HOUR);
    await run(here);
    expect(await why(here)).toEqual(["link"]);
  });

  test.each(["deny", "throw"])(
    "a link in a browser with a login that the policy refuses or cannot judge: %s",
    async (what) => {
      let says = "optional";
      const evaluate = (): "optional" | "deny" => {
        if (says === "throw") throw new Error("The risk engine is down");
        return says as "optional";
      };
      const here = await alice({ options: { policy: evaluate } });
      const jar = await confirmed(here);
      const token = await tokenOf(here, "cancel");
      says = what;
      expect((await jar.page(`${RECOVERY}/cancel?token=${token}`)).status).toBe(200);
      expect((await jar.post(`${RECOVERY}/cancel`, { token })).status).toBe(204);
      expect(await stateOf(here)).toBe("none");
      expect((await jar.get("/account")).text).not.toContain("canary");
    },
  );

  test("any sign-in with a real proof, after which no link of it works", async () => {
    const here = await alice();
    await ready(here);
    const token = await tokenOf(here, "complete");
    await proved(here);
    expect(await why(here)).toEqual(["proof"]);
    const jar = await pending(here.target, "alice");
    expect(await jar.post(`${RECOVERY}/complete`, { token })).toMatchObject(EXPIRED);
  });

  test("a step-up in a session from before", async () => {
    const here = await alice();
    const jar = await proved(here);
    await confirmed(here);
    here.target.clock.advance(STEP);
    expect((await jar.verify(here.phone.code(here.target.clock()))).status).toBe(200);
    expect(await why(here)).toEqual(["proof"]);
  });

  test("its owner in the settings, without a link; twice it is over", async () => {
    const here = await alice();
    const jar = await proved(here);
    await confirmed(here);
    expect((await jar.get("/2fa/settings")).body).toMatchObject({ recovery: { state: "waiting", optedOut: false } });
    // It may be somebody else's doing.
    const { text } = await jar.page("/2fa/settings");
    expect(text).toContain("This account is being recovered.");
    expect(text).toContain("Did you not ask for this?");
    expect((await jar.post(`${RECOVERY}/cancel`)).status).toBe(204);
    expect(await jar.post(`${RECOVERY}/cancel`)).toMatchObject(EXPIRED);
    expect(await why(here)).toEqual(["settings"]);
    expect((await new Jar(here.target).post(`${RECOVERY}/cancel`)).status).toBe(401);
    const waiting = await pending(here.target, "alice");
    expect(await waiting.post(`${RECOVERY}/cancel`)).toMatchObject({
      status: 401,
      body: { code: "second-factor-required" },
    });
  });

  test("is told to the login that asked for it as well, once its link had been confirmed", async () => {
    const here = await alice();
    const jar = await confirmed(here);
    const seen = async (): Promise<unknown> => (await jar.get("/2fa")).body.recovery;
    here.target.clock.advance(MINUTE);
    await jar.post(RECOVERY);
    expect(await seen()).toMatchObject({ state: "waiting" });
    here.target.clock.advance(1);
    await click(here, "cancel", await tokenOf(here, "cancel"));
    expect(await seen()).toEqual({ state: "none" });
    here.target.clock.advance(MINUTE);
    expect((await jar.post(RECOVERY)).status).toBe(202);
    expect(await seen()).toEqual({ state: "requested" });
    // Before that it would tell that a mail had come to somebody.
    await click(here, "cancel", await tokenOf(here, "cancel"));
    expect(await seen()).toEqual({ state: "requested" });
  });

  test("a sign-in by a temporary pass: there is a way in again", async () => {
    const here = await alice();
    await confirmed(here);
    const terms = { actor: "support:7", reason: "ticket 1" };
    const { code } = await here.target.mfa.accounts.issueTemporaryPass("u1", terms);
    expect(await stateOf(here)).toBe("waiting");
    const jar = await pending(here.target, "alice");
    expect((await jar.post("/2fa/temporary-pass", { code })).status).toBe(200);
    expect(await stateOf(here)).toBe("none");
    expect(await why(here)).toEqual(["proof"]);
  });

  test("staff, who say who they are and why", async () => {
    const here = await alice();
    const { accounts } = here.target.mfa;
    await confirmed(here);
    const halves = [{}, { actor: "support:7" }, { reason: "ticket 1" }, { actor: "support:7", reason: " " }];
    for (const given of [...halves, { actor: "u1", reason: "ticket 1" }]) {
      await expect(accounts.cancelRecovery("u1", given as never)).rejects.toThrow(ConfigurationError);
    }
    expect(await stateOf(here)).toBe("waiting");
    expect(await accounts.cancelRecovery("u1", { actor: "support:7", reason: "ticket 1" })).toBe(true);
    expect(await accounts.cancelRecovery("u1", { actor: "support:7", reason: "ticket 1" })).toBe(false);
    expect(here.target.events.findLast(({ action }) => action === "recovery-cancelled")).toMatchObject({
      actor: "support:7",
      reason: "ticket 1",
    });
    // Why is for the audit trail: its owner is told by whom.
    await told();
    const { actor, reason } = ofKind(here, "recovery-cancelled")[0]!.details;
    expect([actor, reason]).toEqual(["support:7", "staff"]);
  });

  test("a report, a reset, and its owner who wants no recovery", async () => {
    const here = await alice();
    await confirmed(here);
    await reported(here.target, { kind: "recovery-confirmed" });
    expect(await why(here)).toEqual(["report"]);

    const other = await alice();
    await confirmed(other);
    await other.target.mfa.accounts.reset("u1");
    expect(await stateOf(other)).toBe("none");

    const third = await alice();
    const jar = await proved(third);
    await confirmed(third);
    expect((await jar.post(`${RECOVERY}/opt-out`, { optedOut: true })).status).toBe(204);
    expect(await why(third)).toEqual(["settings"]);
  });

  test("the last factor that goes, whoever takes it, and an approval on a device that support asked for", async () => {
    const gone: readonly ((jar: Jar, here: Recovering) => Promise<unknown>)[] = [
      async (jar) => jar.post("/2fa/disable"),
      async (jar, { factorId }) => jar.post(`/2fa/factors/${factorId}/remove`),
      (_jar, { factorId, target }) => target.mfa.accounts.removeFactor("u1", factorId, { actor: "support:7" }),
    ];
    for (const act of gone) {
      const here = await alice();
      const jar = await proved(here);
      await confirmed(here);
      await act(jar, here);
      expect(await stateOf(here)).toBe("none");
      await told();
      expect(ofKind(here, "recovery-cancelled")).toHaveLength(1);
    }

    const here = await alice({ options: { methods: pushMethods(new TestChannel()) } });
    const jar = await proved(here);
    const device = await phone(here.target);
    await device.enroll(jar, { channel: "test", subscription: SUBSCRIPTION });
    await confirmed(here);
    const { number, outcome } = asking(here.target);
    await device.approve(await number);
    expect(await outcome).toBe("approved");
    expect(await why(here)).toEqual(["proof"]);
  });

  test("an old factor used while a new one is being set up: that session is over, and every factor is there", async () => {
    const here = await alice();
    const enrolling = await completed(here);
    const { factorId } = (await enrolling.post("/2fa/totp/enroll")).body as { factorId: string };
    await proved(here);
    expect(await enrolling.post("/2fa/totp/enroll/confirm", { factorId, code: "000000" })).toMatchObject(EXPIRED);
    expect((await here.target.mfa.accounts.factors("u1")).map(({ id }) => id)).toEqual([here.factorId]);
    expect((await here.target.mfa.accounts.status("u1")).backupCodesRemaining).toBe(10);
  });
});

describe("a recovery is not ended by", () => {
  test("a trusted browser's sign-in, or a new password", async () => {
    const here = await alice();
    here.target.clock.advance(STEP);
    const jar = await trusted(here.target, "alice", here.phone);
    await confirmed(here);
    await jar.post("/logout");
    await jar.login("alice");
    expect((await jar.get("/")).body).toMatchObject({ status: "trusted-device" });
    await here.target.mfa.accounts.passwordChanged("u1", { signOut: true });
    expect(await stateOf(here)).toBe("waiting");
  });

  test("a wrong code", async () => {
    const here = await alice();
    const jar = await confirmed(here);
    expect((await jar.verify("000000")).status).toBe(401);
    expect(await stateOf(here)).toBe("waiting");
  });
});
