import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import type { TestApp } from "../support/app.js";
import { STEP, trusted } from "../support/attack.js";
import { type Enrolled, enrolled, full, Jar } from "../support/browser.js";
import { UV } from "./lies.js";
import { answerWith, enrollWith, passwordless, passwordlessApp, requestOptions } from "./stage.js";

interface Field extends Enrolled {
  readonly target: TestApp;
  readonly synced: ReturnType<typeof softwareAuthenticator>;
  readonly bound: ReturnType<typeof softwareAuthenticator>;
  /** It holds nothing yet. */
  readonly added: ReturnType<typeof softwareAuthenticator>;
}

interface Shown {
  readonly status: string;
  readonly aal: number;
  readonly amr: readonly string[];
  readonly phishingResistant: boolean;
  readonly verifiedAt?: string;
}

const WITHOUT_UV = { flags: (flags: number) => flags & ~UV };

/** alice with an authenticator app, backup codes, a synced passkey and a security key. */
async function field(): Promise<Field> {
  const target = passwordlessApp({
    routes(app) {
      app.get("/shown", (req, res) => {
        const { status, aal, amr, phishingResistant, verifiedAt } = req.secondFactor;
        res.json({ status, aal, amr, phishingResistant, verifiedAt });
      });
    },
    options: { exempt: ["/login", "/logout", "/login/passkey", "/shown"] },
  });
  const factor = await enrolled(target, "alice");
  const jar = await full(target, "alice", factor.phone);
  const [synced, bound] = [softwareAuthenticator(), softwareAuthenticator({ backupEligible: false })];
  await enrollWith(jar, synced);
  await enrollWith(jar, bound);
  return { ...factor, target, synced, bound, added: softwareAuthenticator() };
}

type Step = (jar: Jar, field: Field) => Promise<unknown>;

const password: Step = (jar) => jar.login("alice");
const otp: Step = async (jar, { phone, target }) => {
  target.clock.advance(STEP);
  await jar.verify(phone.code(target.clock()));
};
const backup: Step = (jar, { backupCodes }) => jar.post("/2fa/backup-code", { code: backupCodes[0] });
const answer =
  (device: "synced" | "bound", lie = {}): Step =>
  async (jar, here) => {
    const { allowCredentials: _any, ...options } = await requestOptions(jar);
    const { id } = here[device].passkeys[0]!;
    const credential = here[device].get({ ...options, allowCredentials: [{ id, type: "public-key" }] }, lie);
    return jar.post("/2fa/passkey", { credential });
  };
const setUp: Step = async (jar, { added }) => {
  if ((await enrollWith(jar, added)).status !== 201) throw new Error("The passkey was not set up");
};
const useIt: Step = (jar, { added }) => answerWith(jar, added);
const trust: Step = async (jar, { phone, target }) => {
  target.clock.advance(STEP);
  await jar.verify(phone.code(target.clock()), { trustDevice: true });
  await jar.post("/logout");
  await jar.login("alice");
};
const whole =
  (lie = {}): Step =>
  (jar, { synced }) =>
    passwordless(jar, synced, lie);

/** What was given, and what the request then says; as in docs/assurance.md. */
const ROWS: readonly (readonly [string, readonly Step[], string, number, readonly string[], boolean])[] = [
  ["Nothing", [], "anonymous", 0, [], false],
  ["Password; a factor is due", [password], "pending", 1, [], false],
  ["Password on a trusted browser", [password, trust], "trusted-device", 1, [], false],
  ["Password, TOTP", [password, otp], "verified", 2, ["otp", "mfa"], false],
  ["Password, backup code", [password, backup], "verified", 2, ["mfa"], false],
  ["Password, synced passkey", [password, answer("synced")], "verified", 2, ["swk", "pop", "user", "mfa"], true],
  [
    "Password, synced passkey without user verification",
    [password, answer("synced", WITHOUT_UV)],
    "verified",
    2,
    ["swk", "pop", "user", "mfa"],
    true,
  ],
  ["Password, device-bound passkey", [password, answer("bound")], "verified", 2, ["hwk", "pop", "user", "mfa"], true],
  [
    "Password, TOTP, then a synced passkey",
    [password, otp, answer("synced")],
    "verified",
    2,
    ["otp", "swk", "pop", "user", "mfa"],
    true,
  ],
  [
    "Password, synced passkey, then TOTP",
    [password, answer("synced"), otp],
    "verified",
    2,
    ["swk", "pop", "user", "mfa", "otp"],
    true,
  ],
  ["Password, TOTP, then a backup code", [password, otp, backup], "verified", 2, ["otp", "mfa"], false],
  [
    "Password, TOTP, then a synced passkey set up",
    [password, otp, setUp],
    "verified",
    2,
    ["otp", "swk", "pop", "user", "mfa"],
    false,
  ],
  [
    "Password, TOTP, then a synced passkey set up and used",
    [password, otp, setUp, useIt],
    "verified",
    2,
    ["otp", "swk", "pop", "user", "mfa"],
    true,
  ],
  [
    "Password, device-bound passkey, then a synced one set up",
    [password, answer("bound"), setUp],
    "verified",
    2,
    ["hwk", "swk", "pop", "user", "mfa"],
    true,
  ],
  ["Passkey with user verification, alone", [whole()], "verified", 2, ["swk", "pop", "user", "mfa"], true],
  ["Passkey without user verification; a factor is due", [whole(WITHOUT_UV)], "pending", 1, [], false],
  ["Passkey without user verification, TOTP", [whole(WITHOUT_UV), otp], "verified", 2, ["otp", "mfa"], false],
];

async function shown(jar: Jar): Promise<Shown> {
  return (await jar.get("/shown")).body;
}

describe("req.secondFactor after", () => {
  test.each(ROWS)("%s", async (_says, steps, status, aal, amr, phishingResistant) => {
    const here = await field();
    const jar = new Jar(here.target);
    for (const step of steps) {
      await step(jar, here);
    }
    const { verifiedAt, ...said } = await shown(jar);
    expect({ ...said, amr: [...said.amr].sort() }).toEqual({ status, aal, amr: [...amr].sort(), phishingResistant });
    expect(verifiedAt).toBe(status === "verified" ? new Date(here.target.clock()).toISOString() : undefined);
  });

  test("a user without factors: one step", async () => {
    const { target } = await field();
    const jar = new Jar(target);
    await jar.login("carol");
    expect(await shown(jar)).toEqual({ status: "not-enrolled", aal: 1, amr: [], phishingResistant: false });
  });

  test("verifiedAt is the newest real proof: nothing else moves it", async () => {
    const here = await field();
    const jar = new Jar(here.target);
    await password(jar, here);
    await otp(jar, here);
    const first = (await shown(jar)).verifiedAt;
    here.target.clock.advance(STEP);
    await jar.verify("000000");
    await jar.get("/account");
    expect((await shown(jar)).verifiedAt).toBe(first);
    expect((await answerWith(jar, here.bound)).status).toBe(200);
    expect((await shown(jar)).verifiedAt).toBe(new Date(here.target.clock()).toISOString());
  });

  test("the answer to a proof says the same amr", async () => {
    const here = await field();
    const jar = new Jar(here.target);
    await password(jar, here);
    const { body } = await answerWith(jar, here.bound);
    expect(body.amr).toEqual((await shown(jar)).amr);
  });

  test("a trusted browser has no verifiedAt, whoever trusted it", async () => {
    const here = await field();
    const jar = await trusted(here.target, "alice", here.phone).catch(() => new Jar(here.target));
    await jar.post("/logout");
    await jar.login("alice");
    expect((await shown(jar)).verifiedAt).toBeUndefined();
  });
});

test("docs/assurance.md has every row", () => {
  const text = readFileSync(fileURLToPath(new URL("../../docs/assurance.md", import.meta.url)), "utf8");
  const cells = (line: string): string =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .join("|");
  const lines = text.split("\n").map(cells);
  for (const [says, , status, aal, amr, phishingResistant] of ROWS) {
    const values = amr.map((value) => `\`${value}\``).join(" ") || "–";
    const resistant = phishingResistant ? "yes" : "no";
    const proved = status === "verified" ? "the last proof" : "–";
    expect(lines).toContain(`|${says}|\`${status}\`|${aal}|${values}|${resistant}|${proved}|`);
  }
});
