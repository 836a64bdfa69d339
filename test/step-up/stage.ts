import type { RequestHandler } from "express";
import type { SecondFactor } from "express-second-factor";
import { CANARY, testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { STEP } from "../support/attack.js";
import { type Enrolled, enrolled, full, type Jar } from "../support/browser.js";

export type Requirement = NonNullable<Parameters<SecondFactor["require"]>[0]>;

export const open: RequestHandler = (req, res) => {
  res.json({ canary: CANARY, body: req.body ?? null });
};

export const bindTransfer: NonNullable<Requirement["bind"]> = (req) => {
  const { amount, to } = (req.body ?? {}) as Record<string, string>;
  return `Send ${amount} to ${to}`;
};

export function routesFor(rows: Readonly<Record<string, Requirement>>): NonNullable<TestAppOptions["routes"]> {
  return (app, mfa) => {
    for (const [path, requirement] of Object.entries(rows)) app.all(path, mfa.require(requirement), open);
  };
}

export function guardedApp(rows: Readonly<Record<string, Requirement>>, given: TestAppOptions = {}): TestApp {
  return testApp({
    ...given,
    routes(...parts) {
      routesFor(rows)(...parts);
      given.routes?.(...parts);
    },
  });
}

export const ROWS = {
  "/fresh": { maxAge: "5m" },
  "/proved": {},
  "/aal2": { aal: 2 },
  "/by-totp": { methods: ["totp"] },
  "/by-passkey": { methods: ["passkey"] },
  "/strong": { phishingResistant: true },
  "/strong-and-fresh": { phishingResistant: true, maxAge: "5m" },
  "/transfer": { bind: bindTransfer },
  "/payout": { bind: bindTransfer },
  "/transfer-within-the-hour": { bind: bindTransfer, maxAge: "1h" },
} as const satisfies Record<string, Requirement>;

export interface Field extends Enrolled {
  readonly target: TestApp;
  /** alice, who gave both factors. */
  readonly jar: Jar;
}

export async function field(given: TestAppOptions = {}): Promise<Field> {
  const target = guardedApp(ROWS, given);
  const factor = await enrolled(target, "alice");
  return { target, ...factor, jar: await full(target, "alice", factor.phone) };
}

export async function opens(jar: Jar, path: string, body?: object): Promise<boolean> {
  const answer = await (body === undefined ? jar.get(path) : jar.post(path, body));
  if (answer.status >= 500) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.text.includes(CANARY);
}

export async function prove({ jar, phone, target }: Field): Promise<void> {
  target.clock.advance(STEP);
  const answer = await jar.verify(phone.code(target.clock()));
  if (answer.status !== 200) throw new Error(`verify answered ${answer.status}: ${answer.text}`);
}

/** An operation as its refusal says it. */
export interface Asked {
  readonly id: string;
  readonly text: string;
}

export const SEND = { amount: "5", to: "bob" };
export const LARGE = { amount: "1000", to: "mallory" };

/** Asks for an operation, which is refused; answers what is to be confirmed, as far as the refusal says it. */
export async function asked(jar: Jar, body: object = SEND, path = "/transfer"): Promise<Asked> {
  const answer = await jar.post(path, body);
  if (answer.status !== 401) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.body.operation as Asked;
}

/** A right code for this operation. Answers the status. */
export async function confirm({ jar, phone, target }: Field, { id }: { readonly id: string }): Promise<number> {
  target.clock.advance(STEP);
  return (await jar.verify(phone.code(target.clock()), { operation: id })).status;
}

/** Asks for the operation, and gives the proof it wants. */
export async function confirmed(here: Field, body: object = SEND): Promise<Asked> {
  const operation = await asked(here.jar, body);
  const status = await confirm(here, operation);
  if (status !== 200) throw new Error(`the proof of an operation answered ${status}`);
  return operation;
}

/** What waits for a proof. */
export async function waiting(jar: Jar): Promise<readonly (Asked & { readonly expiresAt: string })[]> {
  return (await jar.get("/2fa")).body.operations;
}
