import { describe, expect, test } from "@jest/globals";
import { memoryStore, type Policy, type PolicyRules } from "express-second-factor";
import type { Request } from "express";
import { guarded, TEST_KEYS, testApp, type TestApp, type TestUser } from "../support/app.js";
import { DAY, MINUTE, storedAccount } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { HeaderStrategy } from "../support/first-factors.js";

type Rules = PolicyRules<Request, TestUser>;

const GRACE = 14 * DAY;

function under(policy: Policy<Request, TestUser>, app: Parameters<typeof testApp>[0] = {}): TestApp {
  return testApp({ ...app, options: { ...app.options, policy } });
}

function graced(rules: Rules = {}): TestApp {
  return under({ require: true, grace: "14d", ...rules });
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** What a new login of this user comes to, and until when they are only invited. */
async function stateOf(target: TestApp, name: string): Promise<[status: string, graceUntil: string | undefined]> {
  const { body } = await (await pending(target, name)).get("/2fa");
  return [body.status as string, body.graceUntil as string | undefined];
}

describe("rules: grace", () => {
  test("begins for each user with the login at which a factor was first demanded, and ends for each by itself", async () => {
    const target = graced();
    const carols = target.clock() + GRACE;
    expect(await stateOf(target, "carol")).toEqual(["not-enrolled", iso(carols)]);
    target.clock.advance(5 * DAY);
    const daves = target.clock() + GRACE;
    expect(await stateOf(target, "dave")).toEqual(["not-enrolled", iso(daves)]);
    target.clock.set(carols - 1);
    expect(await stateOf(target, "carol")).toEqual(["not-enrolled", iso(carols)]);
    target.clock.set(carols);
    expect(await stateOf(target, "carol")).toEqual(["must-enroll", undefined]);
    expect(await stateOf(target, "dave")).toEqual(["not-enrolled", iso(daves)]);
    expect((await new Jar(target).login("carol")).body.code).toBe("enrollment-required");
  });

  test("ends for a login that is open, too", async () => {
    const target = graced();
    const jar = await pending(target, "carol");
    for (let day = 0; day < 14; day += 1) {
      expect(await jar.isIn()).toBe(true);
      target.clock.advance(DAY);
    }
    const answer = await jar.get("/account");
    expect([answer.status, answer.body.code]).toEqual([403, "enrollment-required"]);
  });

  test("begins with a login that was open when the demand came", async () => {
    let required = false;
    const target = graced({ require: () => required });
    const jar = await pending(target, "carol");
    expect((await jar.get("/2fa")).body).not.toHaveProperty("graceUntil");
    required = true;
    const until = target.clock() + GRACE;
    expect((await jar.get("/2fa")).body).toMatchObject({ status: "not-enrolled", graceUntil: iso(until) });
    expect(JSON.parse((await storedAccount(target, "carol"))!)).toMatchObject({ graceUntil: until });
  });

  test("is told: in req.secondFactor, at GET / and /settings, on the settings page, in an export", async () => {
    const shown: unknown[] = [];
    const target = under(
      { require: true, grace: "14d" },
      {
        routes: (app) =>
          void app.get("/until", (req, res) => {
            shown.push(req.secondFactor.graceUntil);
            res.sendStatus(204);
          }),
      },
    );
    const until = target.clock() + GRACE;
    const jar = await pending(target, "carol");
    await jar.get("/until");
    expect(shown).toEqual([new Date(until)]);
    expect((await jar.get("/2fa/settings")).body.graceUntil).toBe(iso(until));
    const page = await jar.page("/2fa/settings");
    expect(page.text).toContain("Acme will ask you for a second step when you sign in.");
    expect(page.text).toContain(`datetime="${iso(until)}"`);
    expect(await target.mfa.accounts.export("u3")).toMatchObject({ graceUntil: iso(until) });
  });

  test("is nothing that whoever has a factor hears of, or whom nobody asks", async () => {
    const target = graced({ require: (user) => user.name !== "dave" });
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.get("/2fa/settings")).body).not.toHaveProperty("graceUntil");
    expect((await jar.page("/2fa/settings")).text).not.toContain("will ask you for a second step");
    expect(await stateOf(target, "dave")).toEqual(["not-enrolled", undefined]);
    expect(JSON.parse((await storedAccount(target, "dave"))!)).not.toHaveProperty("graceUntil");
  });

  test("is not renewed: by logins, by setting a factor up and removing it, by the end of every session, by new passwords", async () => {
    const target = graced();
    const until = target.clock() + GRACE;
    await pending(target, "carol");
    target.clock.advance(DAY);
    const jar = await pending(target, "carol");
    await jar.enroll();
    expect((await jar.post("/2fa/disable")).status).toBe(204);
    await target.mfa.accounts.signOutEverywhere("u3", { actor: "admin:1" });
    await target.mfa.accounts.passwordChanged("u3", { actor: "admin:1", signOut: true });
    for (let day = 0; day < 5; day += 1) {
      target.clock.advance(DAY);
      expect(await stateOf(target, "carol")).toEqual(["not-enrolled", iso(until)]);
    }
    target.clock.set(until);
    expect(await stateOf(target, "carol")).toEqual(["must-enroll", undefined]);
  });

  test("does not begin for whoever had a factor before it: the last one stays", async () => {
    const [store, keep] = [memoryStore(), { keys: TEST_KEYS }];
    const before = testApp({ store, options: keep });
    const { phone } = await enrolled(before, "alice");
    const target = under({ require: true, grace: "14d" }, { store, clock: before.clock, options: keep });
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/disable")).body).toMatchObject({ code: "last-factor" });
    expect(JSON.parse((await storedAccount(target, "alice"))!)).not.toHaveProperty("graceUntil");
  });

  test("does not begin by a reset: whoever had a factor owes one at the next login; who is in grace keeps what is left", async () => {
    const target = graced();
    await stateOf(target, "carol");
    const until = target.clock() + GRACE;
    target.clock.advance(DAY);
    await enrolled(target, "carol");
    await target.mfa.accounts.importTotp("u1", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA", actor: "admin:1" });
    await target.mfa.accounts.importTotp("u2", { secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA", actor: "admin:1" });
    const [factor] = await target.mfa.accounts.factors("u2");
    await target.mfa.accounts.removeFactor("u2", factor!.id, { actor: "admin:1" });
    for (const id of ["u1", "u3"]) await target.mfa.accounts.reset(id, { actor: "admin:1" });
    target.clock.advance(MINUTE);
    expect(await stateOf(target, "alice")).toEqual(["must-enroll", undefined]);
    expect(await stateOf(target, "mallory")).toEqual(["must-enroll", undefined]);
    expect(await stateOf(target, "carol")).toEqual(["not-enrolled", iso(until)]);
  });

  test("is forgotten with everything else of a user who is erased, and no session from before brings it back", async () => {
    const target = graced();
    const jar = await pending(target, "carol");
    expect(await target.mfa.accounts.erase("u3", { actor: "admin:1" })).toBe(true);
    await jar.get("/account");
    expect(JSON.parse((await storedAccount(target, "carol"))!)).not.toHaveProperty("graceUntil");
    target.clock.advance(DAY);
    expect(await stateOf(target, "carol")).toEqual(["not-enrolled", iso(target.clock() + GRACE)]);
  });

  test("begins once, however many logins come at the same time", async () => {
    const target = graced();
    const answers = await Promise.all(Array.from({ length: 30 }, () => stateOf(target, "carol")));
    expect(new Set(answers.map(String)).size).toBe(1);
    expect(answers[0]).toEqual(["not-enrolled", iso(target.clock() + GRACE)]);
  });

  test("holds for logins that keep no session, and is begun by them", async () => {
    const target = under(
      { require: true, grace: "14d" },
      {
        routes: (app, _mfa, authenticator) => {
          authenticator.use(new HeaderStrategy());
          app.get("/by-token", authenticator.authenticate("header", { session: false }), guarded);
        },
      },
    );
    const ask = () => new Jar(target).get("/by-token").set("X-Test-User", "carol");
    expect((await ask()).status).toBe(200);
    target.clock.advance(GRACE - 1);
    expect((await ask()).status).toBe(200);
    target.clock.advance(1);
    expect((await ask()).body.code).toBe("enrollment-required");
  });

  test("is not given where it cannot be written down", async () => {
    const store = faultyStore();
    const target = under({ require: true, grace: "14d" }, { store });
    store.fail("write", REJECTS);
    const jar = new Jar(target);
    expect((await jar.login("carol")).status).toBe(503);
    expect(await jar.isIn().catch(() => false)).toBe(false);
  });

  test("costs a small record, which outlives it by two years and no more", async () => {
    const kept: { value: string; expiresAt?: number | undefined }[] = [];
    const store = memoryStore();
    const spying: typeof store = Object.create(store);
    spying.write = (key, value, options) => {
      if (key === "account:u3") kept.push({ value, expiresAt: options.expiresAt });
      return store.write(key, value, options);
    };
    const target = under({ require: true, grace: "14d" }, { store: spying });
    await stateOf(target, "carol");
    expect(kept[0]!.value.length).toBeLessThan(250);
    expect(kept.map(({ expiresAt }) => expiresAt)).toEqual(kept.map(() => target.clock() + GRACE + 730 * DAY));
  });

  test("beside graceUntil: the later of the two holds, and the user's own began when they first came", async () => {
    const probe = testApp();
    const deadline = probe.clock() + 10 * DAY;
    const target = graced({ graceUntil: new Date(deadline) });
    target.clock.set(deadline - 10 * DAY);
    const carols = target.clock() + GRACE;
    expect(await stateOf(target, "carol")).toEqual(["not-enrolled", iso(carols)]);
    target.clock.set(deadline);
    const daves = deadline + GRACE;
    expect(await stateOf(target, "dave")).toEqual(["not-enrolled", iso(daves)]);
    target.clock.set(carols);
    expect(await stateOf(target, "carol")).toEqual(["must-enroll", undefined]);
    const later = graced({ graceUntil: new Date(deadline + 100 * DAY) });
    later.clock.set(deadline);
    expect(await stateOf(later, "carol")).toEqual(["not-enrolled", iso(deadline + 100 * DAY)]);
  });

  test("graceUntil alone is told in the same places, and lets the last factor go until then", async () => {
    const target = under({ require: true, graceUntil: "2999-01-01" });
    expect(await stateOf(target, "carol")).toEqual(["not-enrolled", "2999-01-01T00:00:00.000Z"]);
    const { phone } = await enrolled(target, "alice");
    const jar = await full(target, "alice", phone);
    expect((await jar.post("/2fa/disable")).status).toBe(204);
  });

  test("holds for what evaluate requires, and not for what it challenges", async () => {
    const target = graced({ evaluate: (user) => (user.name === "carol" ? "challenge" : "required") });
    expect(await stateOf(target, "carol")).toEqual(["must-enroll", undefined]);
    expect(await stateOf(target, "dave")).toEqual(["not-enrolled", iso(target.clock() + GRACE)]);
  });

  test.each<[unknown, RegExp]>([
    [{ grace: "soon" }, /policy\.grace: "soon" is not a duration such as "14d"/],
    [{ grace: 14 }, /policy\.grace: 14 is not a duration/],
    [{ grace: "401d" }, /policy\.grace: /],
    [{ grace: "14d" }, /policy\.grace: nobody has to have a factor[^]*require: true/],
    [{ graceUntil: "2999-01-01", require: false }, /policy\.graceUntil: nobody has to have a factor/],
    [{ grace: "x", graceUntil: "y", evaluate: 1 }, /policy\.grace: [^]*policy\.graceUntil: [^]*policy\.evaluate: /],
  ])("as %j is refused at start", (policy, problem) => {
    expect(() => under(policy as Rules)).toThrow(problem);
  });
});
