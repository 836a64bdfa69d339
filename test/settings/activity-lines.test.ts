// The owner's own list: everything that can get onto it, with its name, and words for all of that and nothing else.
import { describe, expect, test } from "@jest/globals";
import {
  backupCodes,
  emailCode,
  english,
  type Notice,
  passkeys,
  push,
  type TemporaryPass,
  totp,
} from "express-second-factor";
import { softwareAuthenticator } from "express-second-factor/testing";
import { answerWith, enrollWith } from "../passkeys/stage.js";
import { type TestApp, userNamed } from "../support/app.js";
import { ask } from "../support/asked-owner.js";
import { copyOf, deviceCookie, HOUR, MINUTE, STEP, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import { addDestination, type CodeApp, type CodeJar, emailApp, Outbox } from "../support/message-codes.js";
import { phone } from "../support/phone.js";
import * as recovering from "../support/recovery.js";
import { addThenReport, reported } from "../support/reports.js";

const SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXA";

interface Here extends Enrolled {
  readonly target: CodeApp;
  readonly jar: CodeJar;
  readonly notices: Notice[];
}

interface Line {
  readonly action: string;
  readonly method?: string;
  readonly label?: string;
}

async function alice(): Promise<Here> {
  // Some of it is looked for only where owners are told.
  const outbox = new Outbox();
  const methods = [totp(), backupCodes(), passkeys(), emailCode({ send: outbox.send }), push({ channels: [] })];
  const notices: Notice[] = [];
  const notify = (notice: Notice): void => void notices.push(notice);
  const target = emailApp(outbox, { options: { notify, recovery: { evidence: { secondChannel: "6h" } } } }, methods);
  const factor = await enrolled(target, "alice");
  return { target, ...factor, notices, jar: await full(target, "alice", factor.phone) };
}

async function activityOf({ mfa }: TestApp): Promise<readonly Line[]> {
  return (await mfa.accounts.export("u1")).activity;
}

/** Closes alice's authenticator by guessing. */
async function close({ target }: Here): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    for (let count = 0; count < 5; count += 1) {
      await target.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
    }
    target.clock.advance(16 * MINUTE);
  }
}

const CODE = { method: "totp", label: "Authenticator app" };
const BROWSER = { browser: expect.any(String) };

function givePass({ target }: Here): Promise<TemporaryPass> {
  return target.mfa.accounts.issueTemporaryPass("u1", { actor: "admin:1", reason: "Lost phone" });
}

async function actFor({ target }: Here): Promise<void> {
  target.app.post("/act", (req, res, next) => {
    target.mfa.assertLogin(req, userNamed("alice"), { actor: "admin:1", reason: "Lost phone" }).then(() => {
      res.sendStatus(204);
    }, next);
  });
  await new Jar(target).post("/act");
}

/** Something is reported, and support lifts what came of it. */
async function lift({ jar, target }: Here): Promise<void> {
  await addThenReport(jar);
  await target.mfa.accounts.reopenFactors("u1");
}

/** A phone of hers is asked, and says no. */
async function refuse({ jar, target }: Here, how: "deny" | "notMe"): Promise<void> {
  const device = await phone(target);
  await device.enroll(jar, { label: "My phone" });
  const { number, outcome } = ask(target);
  await number;
  await device[how]();
  await outcome;
}

/** What brings about each line, and the line. */
const LINES: Readonly<Record<string, readonly [act: (here: Here) => Promise<unknown>, line: object]>> = {
  "factor-verified": [async () => undefined, { method: "totp", ...BROWSER }],
  "factor-failed": [async ({ target }) => (await pending(target, "alice")).verify("000000"), { method: "totp" }],
  "factor-enrolled": [({ jar }) => jar.enroll(), { method: "totp", label: "Authenticator app 2" }],
  "factor-imported": [
    ({ target }) => target.mfa.accounts.importTotp("u1", { secret: SECRET, label: "Old phone" }),
    { method: "totp", label: "Old phone" },
  ],
  "factor-removed": [({ factorId, jar }) => jar.post(`/2fa/factors/${factorId}/remove`), CODE],
  "factor-renamed": [
    ({ factorId, jar }) => jar.post(`/2fa/factors/${factorId}/rename`, { label: "Work" }),
    { method: "totp", label: "Work" },
  ],
  "factor-replaced": [
    async ({ jar, target }) => {
      const replaces = await addDestination(jar);
      target.clock.advance(MINUTE);
      await addDestination(jar, { address: "new@home.test", replaces });
    },
    { method: "email-code", label: "E-mail" },
  ],
  "factor-resynced": [
    ({ factorId, jar, phone, target }) => {
      const at = target.clock() + 10 * MINUTE;
      return jar.post("/2fa/totp/resync", { factorId, codes: [phone.code(at), phone.code(at + STEP)] });
    },
    CODE,
  ],
  "factor-disabled": [close, { method: "totp" }],
  "factor-reopened": [
    async (here) => {
      await close(here);
      await here.target.mfa.accounts.reopenFactors("u1");
    },
    { method: "totp" },
  ],
  "backup-codes-regenerated": [({ jar }) => jar.post("/2fa/backup-codes"), {}],
  "backup-code-used": [
    async ({ backupCodes, target }) =>
      (await pending(target, "alice")).post("/2fa/backup-code", { code: backupCodes[0] }),
    { method: "backup-code", ...BROWSER },
  ],
  "device-trusted": [({ phone, target }) => trusted(target, "alice", phone), BROWSER],
  "device-revoked": [
    async ({ jar, phone, target }) => {
      await trusted(target, "alice", phone);
      const { devices } = (await jar.get("/2fa/settings")).body as { devices: { id: string }[] };
      expect((await jar.post(`/2fa/devices/${devices[0]!.id}/revoke`)).status).toBe(204);
    },
    BROWSER,
  ],
  "device-replayed": [
    async ({ phone, target }) => {
      const jar = await trusted(target, "alice", phone);
      const copy = copyOf(jar, [deviceCookie(jar)[0]]);
      await jar.post("/logout");
      await jar.login("alice");
      target.clock.advance(MINUTE);
      await copy.login("alice");
    },
    BROWSER,
  ],
  "admin-reset": [({ target }) => target.mfa.accounts.reset("u1", { actor: "admin:1" }), {}],
  "temporary-pass-issued": [givePass, { method: "temporary-pass" }],
  "temporary-pass-used": [
    async (here) => {
      const { code } = await givePass(here);
      await (await pending(here.target, "alice")).post("/2fa/temporary-pass", { code });
    },
    { method: "temporary-pass", ...BROWSER },
  ],
  "acting-login": [actFor, BROWSER],
  reported: [({ target }) => reported(target), {}],
  "factor-suspended": [({ jar }) => addThenReport(jar), { method: "totp", label: "Authenticator app 2" }],
  "factor-resumed": [lift, { method: "totp", label: "Authenticator app 2" }],
  "freeze-lifted": [lift, {}],
  "password-changed": [({ target }) => target.mfa.accounts.passwordChanged("u1"), {}],
  "session-displaced": [
    async ({ phone, target }) => {
      for (let login = 0; login < 50; login += 1) await full(target, "alice", phone);
    },
    {},
  ],
  "session-revoked": [
    async ({ jar, phone, target }) => {
      await full(target, "alice", phone);
      const { sessions } = (await jar.get("/2fa/settings")).body as { sessions: { id: string; current: boolean }[] };
      const other = sessions.find(({ current }) => !current);
      expect((await jar.post(`/2fa/sessions/${other!.id}/revoke`)).status).toBe(204);
    },
    {},
  ],
  "sessions-revoked": [({ jar }) => jar.post("/2fa/sessions/revoke-others"), {}],
  "signed-out-everywhere": [({ target }) => target.mfa.accounts.signOutEverywhere("u1"), {}],
  "passkey-counter-regressed": [
    async ({ jar, target }) => {
      const device = softwareAuthenticator({ counter: true });
      await enrollWith(jar, device);
      await answerWith(await pending(target, "alice"), device, { counter: 9 });
      await answerWith(await pending(target, "alice"), device, { counter: 3 });
    },
    { method: "passkey" },
  ],
  locked: [
    async ({ target }) => {
      const jar = await pending(target, "alice");
      for (let count = 0; count < 5; count += 1) await jar.verify("000000");
    },
    { method: "totp", ...BROWSER },
  ],
  "backup-codes-low": [
    async ({ backupCodes, target }) => {
      for (const code of backupCodes) await (await pending(target, "alice")).post("/2fa/backup-code", { code });
    },
    { method: "backup-code", ...BROWSER },
  ],
  "new-browser": [({ phone, target }) => full(target, "alice", phone), BROWSER],
  "push-denied": [(here) => refuse(here, "deny"), { method: "push", label: "My phone", ...BROWSER }],
  "push-reported": [(here) => refuse(here, "notMe"), { method: "push", label: "My phone", ...BROWSER }],
  "recovery-requested": [recovering.ask, BROWSER],
  "recovery-refused": [
    async (here) => {
      await here.jar.post("/2fa/recovery/opt-out", { optedOut: true });
      await recovering.ask(here);
    },
    BROWSER,
  ],
  "recovery-confirmed": [recovering.confirmed, BROWSER],
  "recovery-shortened": [
    async (here) => {
      const verifiedAt = new Date(here.target.clock());
      await here.target.mfa.accounts.enrollEmail("u1", { address: recovering.SECOND, verifiedAt });
      await recovering.shortened(here);
    },
    BROWSER,
  ],
  "recovery-half-time": [
    async (here) => {
      await recovering.confirmed(here);
      here.target.clock.advance(12 * HOUR);
      await here.target.mfa.runDue();
    },
    BROWSER,
  ],
  "recovery-ready": [recovering.ready, BROWSER],
  "recovery-cancelled": [
    async (here) => {
      await recovering.ask(here);
      await here.jar.post("/2fa/recovery/cancel");
    },
    BROWSER,
  ],
  "recovery-completed": [
    // From then on it is the new authenticator that she has.
    async (here) => Object.assign(here, await (await recovering.completed(here)).enroll()),
    BROWSER,
  ],
  "recovery-opted-out": [({ jar }) => jar.post("/2fa/recovery/opt-out", { optedOut: true }), BROWSER],
  "recovery-opted-in": [
    async ({ jar }) => {
      for (const optedOut of [true, false]) await jar.post("/2fa/recovery/opt-out", { optedOut });
    },
    BROWSER,
  ],
  "login-unfinished": [
    async ({ target }) => {
      await pending(target, "alice");
      target.clock.advance(11 * MINUTE);
      await target.mfa.runDue();
    },
    BROWSER,
  ],
};

describe("the owner's list has a line, with method and name where there is one, when", () => {
  test.each(Object.entries(LINES))("%s", async (action, [act, line]) => {
    const here = await alice();
    await act(here);
    const lines = await activityOf(here.target);
    expect(lines.find((each) => each.action === action)).toMatchObject({ action, ...line });
  });

  test("and there are words for each of these, and for nothing else", () => {
    expect(Object.keys(english.settings.activity.names).sort()).toEqual(Object.keys(LINES).sort());
    expect(new Set(Object.values(english.settings.activity.names)).size).toBe(Object.keys(LINES).length);
  });

  test.each(Object.entries(LINES))("and the page shows %s in those words", async (action, [act]) => {
    const here = await alice();
    await act(here);
    here.target.clock.advance(MINUTE);
    const jar = await pending(here.target, "alice");
    await jar.verify(here.phone.code(here.target.clock() + 10 * MINUTE));
    if (!(await jar.isIn())) await jar.verify(here.phone.code(here.target.clock()));
    if (!(await jar.isIn())) await jar.post("/2fa/backup-code", { code: here.backupCodes[1] });
    const page = await jar.page("/2fa/settings");
    const shown = page.status === 200 ? page.text : "";
    const word = english.settings.activity.names[action as keyof typeof english.settings.activity.names];
    expect([action, shown.includes(word)]).toEqual([action, true]);
  });
});
