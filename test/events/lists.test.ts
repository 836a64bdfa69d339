// Everything that can be told, refused or noticed, each brought about once: a name more or less than these is a mistake.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import {
  type ErrorCode,
  ERRORS,
  type KnownAction,
  passkeys,
  type Notice,
  type NoticeKind,
  NotDoneError,
  type Notify,
  type SecondFactorOptions,
  smsCode,
  type TemporaryPass,
  totp,
} from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import type { Response } from "supertest";
import { BASE, colourApp, waitingForColours } from "../methods/colours/stage.js";
import { answerWith, enrollWith } from "../passkeys/stage.js";
import { parseAtLoginOnly, testApp, type TestApp, type TestUser, userNamed } from "../support/app.js";
import { ask, owner as askedOwner } from "../support/asked-owner.js";
import { copyOf, deviceCookie, HOUR, MINUTE, NO_LIMITS, STEP, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { faultyStore, REJECTS } from "../support/faults.js";
import { addDestination, emailApp, withDestination } from "../support/message-codes.js";
import type { Phone } from "../support/phone.js";
import { askedBy } from "../support/push.js";
import { codeApp, CodeOutbox, KINDS } from "../support/sent-codes.js";
import { addThenReport, reported } from "../support/reports.js";
import * as recovering from "../support/recovery.js";

function refusing(): TestApp {
  return testApp({ options: { onLogin: () => Promise.reject(new Error("no seat is left")) } });
}

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

interface Here extends Enrolled {
  readonly target: TestApp;
  /** Keeps what owners are told, in applications of an act's own too. */
  readonly notify: Notify;
  readonly notices: Notice[];
}

async function alice(options: Partial<SecondFactorOptions<TestUser>> = {}, notices: Notice[] = []): Promise<Here> {
  const { notify = () => undefined } = options;
  const target = testApp({ options });
  return { target, notify, notices, ...(await enrolled(target, "alice")) };
}

async function owner({ phone, target }: Pick<Here, "phone" | "target">): Promise<Jar> {
  return full(target, "alice", phone);
}

async function waiting({ target }: Pick<Here, "target">): Promise<Jar> {
  return pending(target, "alice");
}

async function replay(here: Here): Promise<void> {
  const jar = await trusted(here.target, "alice", here.phone);
  const copy = copyOf(jar, [deviceCookie(jar)[0]]);
  await jar.post("/logout");
  await jar.login("alice");
  here.target.clock.advance(MINUTE);
  await copy.login("alice");
}

async function regress(here: Here): Promise<void> {
  const device = softwareAuthenticator({ counter: true });
  await enrollWith(await owner(here), device);
  await answerWith(await waiting(here), device, { counter: 9 });
  await answerWith(await waiting(here), device, { counter: 3 });
}

async function guess(here: Here, times: number): Promise<void> {
  const jar = await waiting(here);
  for (let count = 0; count < times; count += 1) await jar.verify("000000");
}

/** Closes alice's authenticator by guessing. */
async function close({ factorId, target }: Here): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    for (let count = 0; count < 5; count += 1) {
      await target.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
    }
    target.clock.advance(16 * MINUTE);
  }
  expect((await target.mfa.accounts.status("u1")).disabled).toEqual([factorId]);
}

/** An authenticator was added, and its owner says that it was not them. */
async function report(here: Here): Promise<void> {
  await addThenReport(await owner(here));
}

async function lift(here: Here): Promise<void> {
  await report(here);
  await here.target.mfa.accounts.reopenFactors("u1");
}

/** Support asks somebody on their phone. */
async function answered({ notify }: Here, decide: (phone: Phone, number: string) => Promise<void>): Promise<TestApp> {
  const asked = await askedOwner({ options: { notify } });
  const { number, outcome } = ask(asked.target);
  await decide(asked.phone, await number);
  await outcome;
  return asked.target;
}

function disown(here: Here): Promise<TestApp> {
  return answered(here, (phone) => phone.notMe());
}

const DESK = { actor: "support:7", reason: "Lost phone" };

function givePass({ target }: Here): Promise<TemporaryPass> {
  return target.mfa.accounts.issueTemporaryPass("u1", DESK);
}

function beginCheck({ target }: Here): Promise<unknown> {
  return target.mfa.accounts.callerCheck.begin("u1", DESK);
}

/** Support signs in as alice. */
async function actFor({ target }: Here): Promise<Jar> {
  target.app.post("/act", (req, res, next) => {
    target.mfa.assertLogin(req, userNamed("alice"), DESK).then(() => res.sendStatus(204), next);
  });
  const jar = new Jar(target);
  await jar.post("/act");
  return jar;
}

/** Asks for a reset that somebody else has to approve. */
async function requestId({ mfa }: TestApp): Promise<string> {
  const error: unknown = await mfa.accounts.reset("u1", DESK).catch((refused: unknown) => refused);
  return error instanceof NotDoneError ? (error.requestId ?? "") : "";
}

/** Does what it does to its own application, or in another that it answers. */
type Act = (here: Here) => unknown;

const ACTS: Readonly<Record<KnownAction, Act>> = {
  "challenge-issued": waiting,
  "challenge-expired": async (here) => {
    const jar = await waiting(here);
    here.target.clock.advance(11 * MINUTE);
    await jar.get("/account");
  },
  "challenge-cancelled": async (here) => (await waiting(here)).post("/2fa/cancel"),
  "factor-verified": owner,
  "recovery-requested": (here) => recovering.ask(here),
  "recovery-refused": async (here) => {
    await (await owner(here)).post("/2fa/recovery/opt-out", { optedOut: true });
    await (await waiting(here)).post("/2fa/recovery");
  },
  "recovery-confirmed": (here) => recovering.confirmed(here),
  "recovery-shortened": async ({ notify }) => {
    const stage = await recovering.aliceOnTwoChannels();
    await recovering.shortened(stage);
    for (const notice of stage.notices) notify(notice);
    return stage.target;
  },
  "recovery-half-time": async (here) => {
    await recovering.confirmed(here);
    here.target.clock.advance(12 * HOUR);
    await here.target.mfa.runDue();
  },
  "recovery-ready": (here) => recovering.ready(here),
  "recovery-cancelled": async (here) => {
    await recovering.ask(here);
    await here.target.mfa.accounts.cancelRecovery("u1", { actor: "support:7", reason: "ticket 1" });
  },
  "recovery-started": (here) => recovering.completed(here),
  "recovery-completed": async (here) => (await recovering.completed(here)).enroll(),
  "recovery-opted-out": async (here) => (await owner(here)).post("/2fa/recovery/opt-out", { optedOut: true }),
  "recovery-opted-in": async (here) => {
    const jar = await owner(here);
    for (const optedOut of [true, false]) await jar.post("/2fa/recovery/opt-out", { optedOut });
  },
  "factor-failed": (here) => guess(here, 1),
  "factor-enrolled": async (here) => (await owner(here)).enroll(),
  "factor-imported": ({ target }) => target.mfa.accounts.importTotp("u1", { secret: SECRET }),
  "factor-removed": async (here) => (await owner(here)).post(`/2fa/factors/${here.factorId}/remove`),
  "factor-renamed": async (here) => (await owner(here)).post(`/2fa/factors/${here.factorId}/rename`, { label: "x" }),
  "factor-replaced": async ({ notify }) => {
    const target = emailApp(undefined, { options: { notify } });
    const { factorId, jar } = await withDestination(target);
    target.clock.advance(MINUTE);
    await addDestination(jar, { address: "new@acme.test", replaces: factorId });
    return target;
  },
  "factor-resynced": async (here) => {
    const { factorId, phone, target } = here;
    const jar = await owner(here);
    const at = target.clock() + 10 * MINUTE;
    await jar.post("/2fa/totp/resync", { factorId, codes: [phone.code(at), phone.code(at + STEP)] });
  },
  "backup-codes-regenerated": async (here) => (await owner(here)).post("/2fa/backup-codes"),
  "backup-code-used": async (here) => (await waiting(here)).post("/2fa/backup-code", { code: here.backupCodes[0] }),
  "device-trusted": ({ phone, target }) => trusted(target, "alice", phone),
  "device-used": async ({ phone, target }) => {
    const jar = await trusted(target, "alice", phone);
    await jar.post("/logout");
    await jar.login("alice");
  },
  "device-revoked": async ({ phone, target }) =>
    (await trusted(target, "alice", phone)).post("/2fa/devices/revoke-all"),
  "device-replayed": replay,
  locked: (here) => guess(here, 5),
  "attempt-refused": (here) => guess(here, 6),
  "factor-disabled": async () => {
    const here = await alice({ limits: NO_LIMITS });
    await guess(here, 50);
    return here.target;
  },
  "factor-reopened": async () => {
    const here = await alice({ limits: NO_LIMITS });
    await guess(here, 50);
    await here.target.mfa.accounts.reopenFactors("u1");
    return here.target;
  },
  "factor-suspended": report,
  "factor-resumed": lift,
  "freeze-lifted": lift,
  reported: report,
  "step-up": async (here) => (await owner(here)).verify(here.phone.code(here.target.clock())),
  "admin-reset": ({ target }) => target.mfa.accounts.reset("u1"),
  "temporary-pass-issued": givePass,
  "temporary-pass-used": async (here) => (await waiting(here)).post("/2fa/temporary-pass", await givePass(here)),
  "acting-login": actFor,
  "caller-check-begun": beginCheck,
  "caller-check-shown": async (here) => {
    await beginCheck(here);
    await (await owner(here)).post("/2fa/caller-check");
  },
  "caller-check-verified": async (here) => {
    await beginCheck(here);
    await here.target.mfa.accounts.callerCheck.verify("u1", "000000", DESK);
  },
  "approval-requested": async ({ notify }) => {
    const { target } = await alice({ notify, helpDesk: { approvals: 2 } });
    await requestId(target);
    return target;
  },
  "approval-given": async ({ notify }) => {
    const { target } = await alice({ notify, helpDesk: { approvals: 2 } });
    await target.mfa.accounts.approve(await requestId(target), { actor: "support:8" });
    return target;
  },
  "account-exported": ({ target }) => target.mfa.accounts.export("u1"),
  "account-erased": ({ target }) => target.mfa.accounts.erase("u1"),
  "password-changed": ({ target }) => target.mfa.accounts.passwordChanged("u1"),
  "signed-out": async (here) => (await owner(here)).post("/logout"),
  "session-displaced": async ({ target }) => {
    for (let login = 0; login < 51; login += 1) await new Jar(target).login("carol");
  },
  "session-revoked": async (here) => {
    const jar = await owner(here);
    const { sessions } = (await jar.get("/2fa/settings")).body as { sessions: readonly { id: string }[] };
    await jar.post(`/2fa/sessions/${sessions[0]?.id}/revoke`);
  },
  "sessions-revoked": async (here) => (await owner(here)).post("/2fa/sessions/revoke-others"),
  "signed-out-everywhere": ({ target }) => target.mfa.accounts.signOutEverywhere("u1"),
  "passkey-counter-regressed": regress,
  "would-block": async () => {
    const here = await alice({ enforce: "report" });
    await (await waiting(here)).get("/account");
    return here.target;
  },
  "notice-failed": async () => {
    const { target } = await alice({ notify: () => Promise.reject(new Error("away")) });
    await new Promise((resolve) => setImmediate(resolve));
    return target;
  },
  "backup-codes-low": async ({ backupCodes, target }) => {
    for (const code of backupCodes.slice(0, 8))
      await (await pending(target, "alice")).post("/2fa/backup-code", { code });
  },
  "new-browser": owner,
  "login-unfinished": async (here) => {
    await waiting(here);
    here.target.clock.advance(11 * MINUTE);
    await here.target.mfa.runDue();
  },
  "code-sent": async () => {
    const jar = await waitingForColours(colourApp());
    await jar.post(`${BASE}/send`);
    return jar.target;
  },
  "push-requested": (here) => answered(here, (phone) => phone.deny()),
  "push-approved": (here) => answered(here, (phone, number) => phone.approve(number)),
  "push-denied": (here) => answered(here, (phone) => phone.deny()),
  "push-reported": disown,
  "push-unreachable": async () => {
    const asked = await askedOwner();
    asked.channel.isGone = true;
    await ask(asked.target).outcome.catch(() => undefined);
    return asked.target;
  },
  "login-failed": async () => {
    const target = refusing();
    await new Jar(target).login("carol");
    return target;
  },
  "login-denied": async () => {
    const target = testApp({ options: { policy: () => "deny" } });
    await new Jar(target).login("carol");
    return target;
  },
  "delivery-failed": async () => {
    const jar = await waitingForColours(colourApp());
    jar.target.outbox.fault = REJECTS;
    await jar.post(`${BASE}/send`);
    return jar.target;
  },
  "sms-ceiling-near": async () => {
    const outbox = new CodeOutbox();
    const methods = [smsCode({ send: outbox.send, countries: ["DE"], ceilings: { country: 1 } }), totp()];
    const target = codeApp({ options: { methods } }, outbox);
    const jar = new Jar(target);
    await jar.login("carol");
    await jar.post("/2fa/sms-code/enroll", { phone: KINDS["sms-code"].destinationOf("carol") });
    return target;
  },
  "no-method-left": async () => {
    const { target } = await alice({ methods: [totp()] });
    const without = testApp({ clock: target.clock, store: target.store, options: { methods: [passkeys()] } });
    await pending(without, "alice");
    return without;
  },
  unavailable: async () => {
    const store = faultyStore();
    const target = testApp({ store });
    const here = { target, ...(await enrolled(target, "alice")) };
    const jar = await owner(here);
    store.fail("read", REJECTS);
    await jar.get("/account");
    return target;
  },
};

function isTarget(value: unknown): value is TestApp {
  return typeof value === "object" && value !== null && "mfa" in value && "events" in value;
}

interface Observed {
  readonly told: readonly string[];
  readonly notices: readonly Notice[];
}

const seen = new Map<Act, Promise<Observed>>();

async function act(how: Act): Promise<Observed> {
  const notices: Notice[] = [];
  const here = await alice({ notify: (notice) => void notices.push(notice) }, notices);
  const answer = await how(here);
  await new Promise((resolve) => setImmediate(resolve));
  const { events } = isTarget(answer) ? answer : here.target;
  return { told: events.map(({ action }) => action), notices };
}

/** What an act brings about. Each is done once. */
function observed(how: Act): Promise<Observed> {
  const known = seen.get(how) ?? act(how);
  seen.set(how, known);
  return known;
}

describe("everything that is told of", () => {
  test.each(Object.keys(ACTS) as KnownAction[])("%s happens", async (action) => {
    expect((await observed(ACTS[action])).told).toContain(action);
  });

  test("has a name of this list, whatever happens", async () => {
    const all = await Promise.all(Object.values(ACTS).map(observed));
    const told = all.flatMap((each) => each.told);
    expect([...new Set(told)].sort()).toEqual(Object.keys(ACTS).sort());
  });
});

const NOTICES: Readonly<Record<NoticeKind, Act>> = {
  "factor-enrolled": () => undefined,
  "factor-removed": ACTS["factor-removed"],
  "factor-renamed": ACTS["factor-renamed"],
  "factor-imported": ACTS["factor-imported"],
  "factor-replaced": ACTS["factor-replaced"],
  "backup-codes-regenerated": ACTS["backup-codes-regenerated"],
  "backup-code-used": ACTS["backup-code-used"],
  "backup-codes-low": ACTS["backup-codes-low"],
  "device-trusted": ACTS["device-trusted"],
  "device-replayed": replay,
  "passkey-counter-regressed": regress,
  "new-browser": owner,
  "login-unfinished": ACTS["login-unfinished"],
  "push-reported": disown,
  "recovery-requested": ACTS["recovery-requested"],
  "recovery-confirmed": ACTS["recovery-confirmed"],
  "recovery-shortened": ACTS["recovery-shortened"],
  "recovery-half-time": ACTS["recovery-half-time"],
  "recovery-ready": ACTS["recovery-ready"],
  "recovery-cancelled": ACTS["recovery-cancelled"],
  "recovery-completed": ACTS["recovery-completed"],
  "recovery-opted-out": ACTS["recovery-opted-out"],
  "recovery-opted-in": ACTS["recovery-opted-in"],
  locked: ACTS.locked,
  "session-revoked": ACTS["session-revoked"],
  "sessions-revoked": ACTS["sessions-revoked"],
  "password-changed": ACTS["password-changed"],
  "factor-disabled": close,
  "factor-reopened": async (here) => {
    await close(here);
    await here.target.mfa.accounts.reopenFactors("u1");
  },
  "factor-resumed": lift,
  "freeze-lifted": lift,
  reported: report,
  "admin-reset": ACTS["admin-reset"],
  "acting-login": ACTS["acting-login"],
  "temporary-pass-issued": ACTS["temporary-pass-issued"],
  "temporary-pass-used": ACTS["temporary-pass-used"],
  "signed-out-everywhere": ACTS["signed-out-everywhere"],
};

describe("everything that owners are told of", () => {
  test.each(Object.keys(NOTICES) as NoticeKind[])("%s is a notice, to whom and of what it is", async (kind) => {
    const { notices } = await observed(NOTICES[kind]);
    const notice = notices.find((each) => each.kind === kind);
    expect(notice).toMatchObject({ kind, userId: "u1", event: { action: kind, userId: "u1" } });
  });

  test("has a name of this list, whatever happens", async () => {
    const all = await Promise.all([...Object.values(ACTS), ...Object.values(NOTICES)].map(observed));
    const kinds = all.flatMap(({ notices }) => notices.map(({ kind }) => kind));
    expect([...new Set(kinds)].sort()).toEqual(Object.keys(NOTICES).sort());
  });
});

type Ask = (here: Here) => Promise<Response>;

/** An application whose routes ask for more, and one whose policy does. */
async function inside(options = {}): Promise<Jar> {
  const target = testApp({
    options,
    routes(app, mfa) {
      app.get("/passkey", mfa.require({ methods: ["passkey"] }), (_req, res) => void res.sendStatus(200));
    },
  });
  return owner({ target, ...(await enrolled(target, "alice")) });
}

const REFUSALS: Readonly<Record<ErrorCode, Ask>> = {
  "invalid-request": async (here) => (await waiting(here)).post("/2fa/totp", { code: ["000000"] }),
  "login-required": ({ target }) => new Jar(target).get("/2fa").then((answer) => answer),
  "second-factor-required": async (here) => (await waiting(here)).get("/account"),
  "step-up-required": async () => (await inside()).get("/passkey"),
  "invalid-code": async (here) => (await waiting(here)).verify("000000"),
  "invalid-passkey": async (here) => {
    const device = softwareAuthenticator();
    await enrollWith(await owner(here), device);
    return answerWith(await waiting(here), device, { rpId: "evil.test" });
  },
  "acting-login": async (here) => (await actFor(here)).get("/2fa/settings"),
  "enrollment-required": async () => {
    const jar = new Jar(testApp({ options: { policy: "required" } }));
    await jar.login("carol");
    return jar.get("/account");
  },
  frozen: async (here) => {
    await reported(here.target);
    here.target.clock.advance(STEP);
    return (await owner(here)).post("/2fa/disable");
  },
  probation: async () => {
    const jar = await recovering.completed(await recovering.alice());
    await jar.enroll();
    return jar.post("/2fa/disable");
  },
  "same-browser": async () => {
    const { phone, target } = await askedOwner();
    const jar = await pending(target, "alice");
    const { number } = await askedBy(jar);
    return jar.post("/2fa/push/decide", await phone.decideBody(await phone.request(), "approve", number));
  },
  "cross-site-request": async (here) =>
    (await waiting(here)).post("/2fa/totp", { code: "000000" }).set("Origin", "https://evil.test"),
  "not-found": async (here) => (await owner(here)).post("/2fa/factors/nobodys/remove"),
  conflict: async (here) => {
    const jar = await owner(here);
    const device = softwareAuthenticator();
    await enrollWith(jar, device);
    const { id } = device.passkeys[0]!;
    return enrollWith(jar, softwareAuthenticator(), { id, attestedId: id });
  },
  "last-factor": async () => (await inside({ policy: "required" })).post("/2fa/disable"),
  expired: async (here) => {
    const jar = await owner(here);
    const { factorId } = (await jar.post("/2fa/totp/enroll")).body as { factorId: string };
    here.target.clock.advance(10 * MINUTE);
    return jar.post("/2fa/totp/enroll/confirm", { factorId, code: "000000" });
  },
  "too-large": async () => {
    const target = testApp({ parsers: parseAtLoginOnly });
    const jar = await waiting({ target, ...(await enrolled(target, "alice")) });
    return jar.post("/2fa/totp", { code: "0".repeat(70_000) });
  },
  "unsupported-media-type": async (here) =>
    (await waiting(here)).agent.post("/2fa/totp").set("Sec-Fetch-Site", "same-origin").type("text/plain").send("code"),
  "too-many-attempts": async (here) => {
    await guess(here, 5);
    return (await waiting(here)).verify("000000");
  },
  "login-failed": () => new Jar(refusing()).login("carol"),
  denied: () => new Jar(testApp({ options: { policy: () => "deny" } })).login("carol"),
  "delivery-failed": async () => {
    const jar = await waitingForColours(colourApp());
    jar.target.outbox.fault = REJECTS;
    return jar.post(`${BASE}/send`);
  },
  unavailable: async () => {
    const store = faultyStore();
    const target = testApp({ store });
    const jar = await owner({ target, ...(await enrolled(target, "alice")) });
    store.fail("read", REJECTS);
    return jar.get("/account");
  },
};

describe("everything that is refused", () => {
  test.each(Object.keys(REFUSALS) as ErrorCode[])("%s is answered as the table says", async (code) => {
    const { body, headers, status } = await REFUSALS[code](await alice());
    expect({ status, code: body.code, title: body.title }).toEqual({ code, ...ERRORS[code] });
    expect(headers["content-type"]).toMatch(/^application\/problem\+json/);
  });

  test("is in the table, in this list and in docs/codes.md, and nothing else is", () => {
    const documented = readFileSync(new URL("../../docs/codes.md", import.meta.url), "utf8").matchAll(
      /^\| (\d{3}) +\| `([a-z-]+)`/gm,
    );
    const rows = [...documented].map(([, status, code]) => [code, Number(status)]);
    const table = Object.entries(ERRORS).map(([code, { status }]) => [code, status]);
    expect(rows.sort()).toEqual(table.sort());
    expect(Object.keys(REFUSALS).sort()).toEqual(Object.keys(ERRORS).sort());
  });
});
