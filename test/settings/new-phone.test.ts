import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import type { Notice } from "express-second-factor";
import { authenticatorApp, softwareAuthenticator } from "express-second-factor/testing";
import type { TestApp } from "../support/app.js";
import { HOUR, MINUTE, storedAccount, told, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { addDestination, emailApp } from "../support/message-codes.js";
import { fieldOn, phoneWith, shownOn, submit, toldOn } from "../support/pages.js";
import { phone as newDevice } from "../support/phone.js";
import { deviceOwner, enrollWith as enrollDevice, pushApp } from "../support/push-devices.js";
import { completed, alice as recovering, noticing } from "../support/recovery.js";
import { reported } from "../support/reports.js";
import { creationOptions, holder, passkeyApp, storedPasskeys } from "../passkeys/stage.js";
import { desk, passed } from "../help-desk/stage.js";

const REPLACE = "/2fa/replace";
const GUIDED = { from: "replace" };

interface Here extends Enrolled {
  readonly target: TestApp;
  readonly jar: Jar;
  readonly notices: Notice[];
}

/** Alice, whose authenticator is on her old phone, signed in with it. */
async function alice(): Promise<Here> {
  const notices: Notice[] = [];
  const target = noticing(notices);
  const owner = await enrolled(target, "alice");
  const jar = await full(target, "alice", owner.phone);
  await nextTurn();
  notices.length = 0;
  return { target, jar, notices, ...owner };
}

interface Begun {
  readonly factorId: string;
  readonly uri: string;
}

async function begin(jar: Jar, body: object): Promise<Begun> {
  const answer = await jar.post("/2fa/totp/enroll", body);
  if (answer.status !== 201) throw new Error(`beginning answered ${answer.status}: ${answer.text}`);
  return answer.body as Begun;
}

function confirm(jar: Jar, { factorId, uri }: Begun) {
  return jar.post("/2fa/totp/enroll/confirm", { factorId, code: authenticatorApp(uri).code(jar.target.clock()) });
}

async function stepOf(jar: Jar): Promise<string> {
  return ((await jar.get(REPLACE)).body as { step: string }).step;
}

/** The ids of credentials that somebody has. */
async function claimsIn({ store }: TestApp): Promise<readonly string[]> {
  const claims: string[] = [];
  for await (const key of store.list?.("credential") ?? []) claims.push(key);
  return claims;
}

async function idsOf({ mfa }: TestApp): Promise<readonly string[]> {
  return (await mfa.accounts.factors("u1")).map(({ id }) => id);
}

describe("an authenticator app in the place of another", () => {
  test("takes it in the write that proves it: the old one opens nothing, and every other login and all trust is over", async () => {
    const { target, jar, phone, factorId: old } = await alice();
    await jar.post(`/2fa/factors/${old}/rename`, { label: "My phone" });
    const other = await full(target, "alice", phone);
    const browser = await trusted(target, "alice", phone);
    const begun = await begin(jar, { replaces: old });
    expect(await idsOf(target)).toEqual([old]);
    const done = await confirm(jar, begun);
    expect([done.status, done.body]).toMatchObject([201, { factor: { id: begun.factorId, label: "My phone" } }]);
    expect(done.body.backupCodes).toBeUndefined();
    expect(await idsOf(target)).toEqual([begun.factorId]);
    expect([await jar.isIn(), await other.isIn(), await browser.isIn()]).toEqual([true, false, false]);
    target.clock.advance(30_000);
    const next = await pending(target, "alice");
    expect((await next.verify(phone.code(target.clock()))).status).toBe(401);
    expect((await next.verify(authenticatorApp(begun.uri).code(target.clock()))).status).toBe(200);
  });

  test("is told once, with what it ended and a link for whoever it was not; the audit trail has both", async () => {
    const { target, jar, notices, phone, factorId: old } = await alice();
    await full(target, "alice", phone);
    await nextTurn();
    notices.length = 0;
    const begun = await begin(jar, { replaces: old });
    await confirm(jar, begun);
    await nextTurn();
    expect(notices).toMatchObject([
      {
        kind: "factor-replaced",
        details: { method: "totp", factorId: old, ended: { sessions: 1 } },
        links: { report: expect.any(String) },
      },
    ]);
    const events = target.events.filter(({ action }) => action.startsWith("factor-")).slice(-2);
    expect(events).toMatchObject([
      { action: "factor-replaced", factorId: old },
      { action: "factor-enrolled", factorId: begun.factorId },
    ]);
    const { activity } = (await jar.get("/2fa/settings")).body as { activity: { action: string }[] };
    expect(activity.slice(0, 2).map(({ action }) => action)).toEqual(["factor-enrolled", "factor-replaced"]);
  });

  test("may have another name", async () => {
    const { target, jar, factorId } = await alice();
    await confirm(jar, await begin(jar, { replaces: factorId, label: "New phone" }));
    expect(await target.mfa.accounts.factors("u1")).toMatchObject([{ label: "New phone" }]);
  });

  test("begun, and then begun without it, is another one and replaces nothing", async () => {
    const { target, jar, factorId: old } = await alice();
    const replacing = await begin(jar, { replaces: old });
    expect(await begin(jar, { replaces: old })).toEqual(replacing);
    const adding = await begin(jar, {});
    expect([adding.factorId, adding.uri]).not.toEqual([replacing.factorId, replacing.uri]);
    expect((await confirm(jar, replacing)).status).toBe(404);
    expect((await confirm(jar, adding)).status).toBe(201);
    expect(await idsOf(target)).toEqual([old, adding.factorId]);
  });

  test("is refused in the place of what is nobody's, somebody else's or of another kind: one answer, and 400 for no text", async () => {
    const { target, jar } = await alice();
    const { factorId: theirs } = await enrolled(target, "mallory");
    const device = softwareAuthenticator();
    const credential = device.create(await creationOptions(jar));
    const passkey = (await jar.post("/2fa/passkey/enroll", { credential })).body.factor.id as string;
    for (const replaces of [theirs, passkey, "none"]) {
      const answer = await jar.post("/2fa/totp/enroll", { replaces });
      expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
    }
    for (const replaces of [["a"], 5, {}]) expect((await jar.post("/2fa/totp/enroll", { replaces })).status).toBe(400);
  });

  test("needs a fresh proof, by the old one or a backup code", async () => {
    const { target, jar, factorId, backupCodes } = await alice();
    target.clock.advance(16 * MINUTE);
    const stale = await jar.post("/2fa/totp/enroll", { replaces: factorId });
    expect([stale.status, stale.body.code]).toEqual([401, "step-up-required"]);
    const next = await pending(target, "alice");
    await next.post("/2fa/backup-code", { code: backupCodes[0] });
    const begun = await begin(next, { replaces: factorId });
    expect((await confirm(next, begun)).status).toBe(201);
    // Nothing that rests on a backup code makes ten of it.
    expect((await next.post("/2fa/backup-codes")).body).toMatchObject({ except: "backup-code" });
  });

  test("raced by thirty proofs comes once, and by two logins once in all", async () => {
    const { target, jar, phone, factorId: old } = await alice();
    const other = await full(target, "alice", phone);
    const [mine, theirs] = [await begin(jar, { replaces: old }), await begin(other, { replaces: old })];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_none, index) => (index % 2 === 0 ? confirm(jar, mine) : confirm(other, theirs))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => ![201, 401, 404, 410].includes(status))).toEqual([]);
    expect([told("factor-replaced", target), await idsOf(target)]).toEqual([
      1,
      [answers.findIndex(({ status }) => status === 201) % 2 === 0 ? mine.factorId : theirs.factorId],
    ]);
  });

  test("raced by the removal of the old one: one factor is left whatever comes first", async () => {
    const { target, jar, phone, factorId: old } = await alice();
    const { factorId: second } = await jar.enroll();
    const other = await full(target, "alice", phone);
    const begun = await begin(jar, { replaces: old });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_none, index) =>
        index % 2 === 0 ? confirm(jar, begun) : other.post(`/2fa/factors/${old}/remove`),
      ),
    );
    const good = answers.filter(({ status }) => status < 300).map(({ status }) => status);
    expect(good).toHaveLength(1);
    expect(await idsOf(target)).toEqual(good[0] === 201 ? [begun.factorId, second] : [second]);
  });

  test("is of no use to a login that staff ended by removing the old one meanwhile", async () => {
    const { target, jar, factorId: old } = await alice();
    const { factorId: second } = await jar.enroll();
    const begun = await begin(jar, { replaces: old });
    await target.mfa.accounts.removeFactor("u1", old);
    expect((await confirm(jar, begun)).status).toBe(410);
    expect(await idsOf(target)).toEqual([second]);
  });

  test("is not for a login by a temporary pass, nor while something is reported, nor after a recovery; nothing is changed", async () => {
    const { target: help } = await desk();
    const guest = await passed(help);
    const [own] = await help.mfa.accounts.factors("u1");
    const asked = await guest.post("/2fa/totp/enroll", { replaces: own!.id });
    expect(asked.body.code).toBe("step-up-required");
    expect((await guest.get(REPLACE)).body.step).toBe("prove");
    expect((await guest.page(REPLACE)).text).toMatch(/href="\/2fa\/settings#sf-add">Set up the new phone</);

    const { target, phone, factorId } = await alice();
    await reported(target, { kind: "factor-enrolled", factorId });
    const frozen = await full(target, "alice", phone);
    const before = await storedAccount(target, "alice");
    expect((await frozen.post("/2fa/totp/enroll", { replaces: factorId })).body.code).toBe("frozen");
    expect((await frozen.get(REPLACE)).body.frozenUntil).toEqual(expect.any(String));
    const page = (await frozen.page(REPLACE)).text;
    expect([page.includes("reported as not your doing"), fieldOn({ text: page } as never, "replaces")]).toEqual([
      true,
      undefined,
    ]);
    expect(await storedAccount(target, "alice")).toBe(before);

    const back = await recovering();
    const jar = await completed(back);
    const added = await jar.enroll();
    const early = await jar.post("/2fa/totp/enroll", { replaces: added.factorId });
    expect([early.status, early.body.code]).toEqual([403, "probation"]);
    expect((await jar.get(REPLACE)).body).toMatchObject({ step: "remove", probation: { until: expect.any(String) } });
    // No proof would do, so that none is asked for; nor is anything of it told before the second factor.
    back.target.clock.advance(16 * MINUTE);
    const half = await pending(back.target, "alice");
    for (const path of ["/2fa/totp/enroll", "/2fa/passkey/enroll/options"]) {
      const codes = [jar, half].map(async (each) => (await each.post(path, { replaces: added.factorId })).body.code);
      expect([path, await Promise.all(codes)]).toEqual([path, ["probation", "second-factor-required"]]);
    }
  });
});

describe("a passkey in the place of another", () => {
  test("takes it with its name, gives its id up, and is refused once that is gone", async () => {
    const target = passkeyApp();
    const { jar, device: old, factorId } = await holder(target, "alice");
    await jar.post(`/2fa/factors/${factorId}/rename`, { label: "My phone" });
    const fresh = softwareAuthenticator();
    const credential = fresh.create(await creationOptions(jar, { replaces: factorId }));
    const later = softwareAuthenticator().create(await creationOptions(jar));
    const done = await jar.post("/2fa/passkey/enroll", { credential, replaces: factorId });
    expect([done.status, done.body.factor.label]).toEqual([201, "My phone"]);
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
    expect(told("factor-replaced", target)).toBe(1);
    const again = await jar.post("/2fa/passkey/enroll", { credential: later, replaces: factorId });
    expect([again.status, again.body.code]).toEqual([404, "not-found"]);
    expect(await claimsIn(target)).toHaveLength(1);
    const next = await pending(target, "alice");
    const asked = (await next.post("/2fa/passkey/options")).body;
    expect(() => old.get(asked)).toThrow();
    expect((await next.post("/2fa/passkey", { credential: fresh.get(asked) })).status).toBe(200);
  });

  test("raced by thirty takes it once", async () => {
    const target = passkeyApp();
    const { jar, factorId } = await holder(target, "alice");
    const credentials = [];
    for (let index = 0; index < 30; index += 1)
      credentials.push(softwareAuthenticator().create(await creationOptions(jar)));
    const answers = await Promise.all(
      credentials.map((credential) => jar.post("/2fa/passkey/enroll", { credential, replaces: factorId })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect([await storedPasskeys(target, "alice"), await claimsIn(target)].map(({ length }) => length)).toEqual([1, 1]);
  });

  test("is never made by the way, without its owner", async () => {
    const { jar, factorId } = await holder(passkeyApp(), "alice");
    const options = await jar.post("/2fa/passkey/enroll/options", { conditional: true, replaces: factorId });
    expect(options.status).toBe(400);
    const silent = await jar.post("/2fa/passkey/enroll/options", { conditional: true });
    const credential = softwareAuthenticator().create(silent.body);
    expect((await jar.post("/2fa/passkey/enroll", { credential, replaces: factorId })).status).toBe(400);
  });
});

describe("a device in the place of another", () => {
  test("takes it with its name, and what the old one was asked is asked of nobody any more", async () => {
    const target = pushApp();
    const { jar, device } = await deviceOwner(target, "alice");
    const waiting = await pending(target, "alice");
    await waiting.post("/2fa/push/send");
    const isAsked = async (): Promise<boolean> => (await storedAccount(target, "alice"))!.includes('"request":');
    expect(await isAsked()).toBe(true);
    const next = await newDevice(target);
    const done = await enrollDevice(jar, next, { replaces: device.factorId, label: "" });
    expect([done.status, done.body.factor.type]).toEqual([201, "push"]);
    expect(await idsOf(target)).toEqual([done.body.factor.id]);
    expect(told("factor-replaced", target)).toBe(1);
    expect(await isAsked()).toBe(false);
    const gone = await enrollDevice(jar, await newDevice(target), { replaces: device.factorId });
    expect([gone.status, gone.body.code]).toEqual([404, "not-found"]);
  });
});

describe("the page for a new phone", () => {
  test("is closed before the second factor, and leads to the settings where there is none", async () => {
    const { target } = await alice();
    expect((await new Jar(target).get(REPLACE)).status).toBe(401);
    expect((await (await pending(target, "alice")).get(REPLACE)).body.code).toBe("second-factor-required");
    const carol = new Jar(target);
    await carol.login("carol");
    expect((await carol.get(REPLACE)).body).toMatchObject({ step: "set-up", factors: [] });
    expect((await carol.page(REPLACE)).headers.location).toBe("/2fa/settings");
  });

  test("says in JSON what is next, and what can be replaced", async () => {
    const { jar, factorId } = await alice();
    expect((await jar.get(REPLACE)).body).toEqual({
      step: "set-up",
      factors: [expect.objectContaining({ id: factorId, type: "totp", replaceable: true })],
      backupCodes: { remaining: 10, createdAt: expect.any(String) },
    });
    const begun = await begin(jar, { replaces: factorId });
    await confirm(jar, begun);
    expect((await jar.get(REPLACE)).body).toMatchObject({
      step: "remove",
      factors: [{ id: begun.factorId, isNew: true }],
    });
  });

  test("is left and come back to at any time: the step follows from what there is", async () => {
    const { target, jar, phone, factorId } = await alice();
    expect(await stepOf(jar)).toBe("set-up");
    target.clock.advance(16 * MINUTE);
    expect(await stepOf(jar)).toBe("prove");
    await jar.verify(phone.code(target.clock()));
    expect(await stepOf(jar)).toBe("set-up");
    target.clock.advance(30_000);
    const added = await jar.enroll();
    expect(await stepOf(jar)).toBe("remove");
    target.clock.advance(16 * MINUTE);
    expect(await stepOf(jar)).toBe("prove");
    await jar.verify(added.phone.code(target.clock()));
    expect(await stepOf(jar)).toBe("remove");
    await jar.post(`/2fa/factors/${factorId}/remove`);
    target.clock.advance(16 * MINUTE);
    // All is done, and nothing need be shown for that.
    expect(await stepOf(jar)).toBe("remove");
    target.clock.advance(HOUR);
    expect(await stepOf(jar)).toBe("prove");
  });

  test("leads with forms alone from a backup code to the new phone, and back to itself after each", async () => {
    const { target, backupCodes } = await alice();
    const jar = await pending(target, "alice");
    await jar.post("/2fa/backup-code", { code: backupCodes[0] });
    target.clock.advance(16 * MINUTE);
    const first = (await jar.page(REPLACE)).text;
    expect(first).toContain('href="/2fa?confirm=replace"');
    expect((await jar.page("/2fa?confirm=replace")).status).toBe(200);
    const proved = await submit(jar, "/2fa/backup-code", { code: backupCodes[1] });
    expect(proved.location).toBe(REPLACE);
    expect(proved.page.text).toContain("You have 8 backup codes left.");
    const replaces = fieldOn(proved.page, "replaces");
    const enrolling = await submit(jar, "/2fa/totp/enroll", { ...GUIDED, replaces });
    expect(enrolling.location).toBe("/2fa/totp/enroll");
    expect(enrolling.page.text).toContain("It takes the place of “Authenticator app”");
    const shown = shownOn(enrolling.page);
    const wrong = await jar.form("/2fa/totp/enroll/confirm", { factorId: shown.factorId, code: "000000" });
    expect([wrong.status, wrong.text.includes("It takes the place of")]).toEqual([401, true]);
    const code = phoneWith(shown).code(target.clock());
    const done = await submit(jar, "/2fa/totp/enroll/confirm", { factorId: shown.factorId, code });
    expect(done.location).toBe(REPLACE);
    expect(toldOn(done.page)).toContain("is set up in the place of the old one");
    expect(done.page.text).toContain("Nothing is left from before.");
    expect(done.page.text).toContain("set up again or removed here, delete Acme from it");
  });

  test("shows again what is set up for a while, and what for; turning away from it leads back", async () => {
    const { target, jar, factorId } = await alice();
    const body = { ...GUIDED, replaces: factorId };
    const { page } = await submit(jar, "/2fa/totp/enroll", body);
    target.clock.advance(6 * MINUTE);
    const later = await jar.page("/2fa/totp/enroll");
    expect([shownOn(later).uri, fieldOn(later, "replaces"), fieldOn(later, "from")]).toEqual([
      undefined,
      factorId,
      "replace",
    ]);
    const again = await submit(jar, "/2fa/totp/enroll", body);
    expect(shownOn(again.page)).toEqual(shownOn(page));
    expect((await submit(jar, "/2fa/totp/enroll/cancel")).location).toBe(REPLACE);
    expect(await idsOf(target)).toEqual([factorId]);
  });

  test("removes what is left of the old phone, and asks for a proof that is too old", async () => {
    const { target, jar, factorId } = await alice();
    const { phone } = await jar.enroll();
    expect((await jar.page(REPLACE)).text).toContain(`action="/2fa/factors/${factorId}/remove"`);
    target.clock.advance(6 * MINUTE);
    const stale = await jar.form(`/2fa/factors/${factorId}/remove`, GUIDED);
    expect([stale.status, stale.text.includes("Confirm that it is you")]).toEqual([401, true]);
    const proved = await submit(jar, "/2fa/totp", { code: phone.code(target.clock()) });
    expect(proved.location).toBe(REPLACE);
    const removed = await submit(jar, `/2fa/factors/${factorId}/remove`, GUIDED);
    expect([removed.location, toldOn(removed.page)]).toEqual([REPLACE, "Authenticator app removed."]);
    const twice = await jar.form(`/2fa/factors/${factorId}/remove`, GUIDED);
    expect([twice.status, twice.text.includes("Set up your new phone")]).toEqual([404, true]);
    expect((await jar.form(`/2fa/factors/${factorId}/remove`, { from: "https://evil.test" })).text).not.toContain(
      "evil.test",
    );
  });

  test("changes an address as the settings do, and comes back", async () => {
    const target = emailApp();
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.enroll();
    const mailbox = await addDestination(jar, { address: "old@home.test" });
    target.clock.advance(MINUTE);
    const body = { ...GUIDED, address: "new@home.test", replaces: mailbox };
    const { page } = await submit(jar, "/2fa/email-code/enroll", body);
    expect(page.text).toContain("It takes the place of");
    const { factorId } = shownOn(page);
    const done = await submit(jar, "/2fa/email-code/enroll/confirm", { factorId, code: target.outbox.code });
    expect(done.location).toBe(REPLACE);
    expect(done.page.text).toContain("n•••@home.test");
  });
});
