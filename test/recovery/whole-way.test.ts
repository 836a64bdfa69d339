// Everything is lost, and its owner comes back: asked for, confirmed by mail, waited for, completed, enrolled anew.
import { describe, expect, test } from "@jest/globals";
import { pending } from "../support/browser.js";
import { alice, ask, click, HOUR, MINUTE, ofKind, RECOVERY, run, stateOf, tokenOf, told } from "../support/recovery.js";

describe("an owner who has lost every factor", () => {
  test("comes back by two mails and a wait, and only a new factor takes the place of the old ones", async () => {
    const here = await alice();
    const { clock } = here.target;
    const start = clock();
    const first = await pending(here.target, "alice");
    const asked = await first.post(RECOVERY);
    expect(asked).toMatchObject({ status: 202, body: { expiresAt: new Date(start + 30 * MINUTE).toISOString() } });
    expect(Object.keys(asked.body as object)).toEqual(["expiresAt"]);
    expect((await first.get("/2fa")).body).toMatchObject({ status: "pending", recovery: { state: "requested" } });

    const confirm = await click(here, "confirm", await tokenOf(here, "confirm"));
    const completesAt = new Date(start + 24 * HOUR).toISOString();
    expect(confirm).toMatchObject({ status: 200, body: { completesAt } });
    expect((await first.get("/2fa")).body).toMatchObject({ recovery: { state: "waiting", completesAt } });

    clock.advance(12 * HOUR - 1);
    expect(await run(here)).toBe(1); // the login that asked went no further
    expect(ofKind(here, "recovery-half-time")).toHaveLength(0);
    clock.advance(1);
    expect(await run(here)).toBe(1);
    expect(ofKind(here, "recovery-half-time")).toMatchObject([
      { to: { address: "alice@acme.test" }, details: { until: completesAt }, links: { cancel: expect.any(String) } },
    ]);
    clock.advance(12 * HOUR - 1);
    expect(await run(here)).toBe(0);
    clock.advance(1);
    expect(await run(here)).toBe(1);
    expect(await run(here)).toBe(0);
    expect(await stateOf(here)).toBe("ready");

    const token = await tokenOf(here, "complete");
    expect(await click(here, "complete", token)).toMatchObject({ status: 401, body: { code: "login-required" } });
    const again = await pending(here.target, "alice");
    expect(await again.post(`${RECOVERY}/complete`, { token })).toMatchObject({
      status: 200,
      body: { redirectTo: "/2fa" },
    });
    expect((await again.get("/2fa")).body).toMatchObject({
      status: "must-enroll",
      methods: [],
      preferred: null,
      expiresAt: new Date(clock() + 10 * MINUTE).toISOString(),
    });
    expect(await again.isIn()).toBe(false);

    const { phone } = await again.enroll();
    expect(await again.isIn()).toBe(true);
    const { activity, factors, probation, recovery } = await here.target.mfa.accounts.export("u1");
    expect(factors).toHaveLength(1);
    expect(factors[0]!.id).not.toBe(here.factorId);
    expect(recovery).toEqual({ state: "none", optedOut: false });
    expect(probation).toEqual({ until: new Date(clock() - 30_000 + 72 * HOUR).toISOString() });
    expect(activity[0]).toMatchObject({ action: "recovery-completed" });
    await told();
    expect(ofKind(here, "recovery-completed")).toHaveLength(1);

    const old = await pending(here.target, "alice");
    expect((await old.verify(here.phone.code(clock()))).status).toBe(401);
    expect((await old.post("/2fa/backup-code", { code: here.backupCodes[0] })).status).toBe(401);
    expect((await old.verify(phone.code(clock()))).status).toBe(200);
  });

  test("is told of every step on the way, with links that end it", async () => {
    const here = await alice();
    await ask(here);
    await told();
    expect(here.notices).toMatchObject([
      {
        kind: "recovery-requested",
        to: { address: "alice@acme.test" },
        links: {
          confirm: expect.stringContaining("http://localhost:3000/2fa/recovery/confirm?token="),
          cancel: expect.stringContaining("http://localhost:3000/2fa/recovery/cancel?token="),
        },
      },
    ]);
    expect(here.notices[0]!.links.complete).toBeUndefined();
  });
});
