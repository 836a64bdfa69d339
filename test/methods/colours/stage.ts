import { backupCodes, type Method, totp } from "express-second-factor";
import { MINUTE } from "../../support/attack.js";
import { testApp, type TestApp, type TestAppOptions } from "../../support/app.js";
import { Jar } from "../../support/browser.js";
import { failing, type Fault } from "../../support/faults.js";
import { colours } from "./colours.js";
import type { ColourMessage } from "./method.js";
import { knock } from "./knock.js";

export const ADDRESS = "ann@acme.test";
export const MASKED = "a•••@acme.test";
export const BASE = "/2fa/colour-sequence";

/** Where sequences arrive. */
export class Outbox {
  readonly messages: ColourMessage[] = [];
  /** What goes wrong with the next messages. */
  fault: Fault | undefined;

  readonly deliver = (message: ColourMessage): Promise<void> =>
    failing(this.fault, async () => void this.messages.push(message));

  /** The sequence that came last. */
  get last(): string {
    const message = this.messages.at(-1);
    if (message === undefined) throw new Error("Nothing was delivered");
    return message.sequence;
  }
}

export interface ColourApp extends TestApp {
  readonly outbox: Outbox;
}

/** An application whose first method is the made-up one. */
export function colourApp({ options = {}, ...given }: TestAppOptions = {}, outbox = new Outbox()): ColourApp {
  const methods = coloursIn(outbox);
  return { ...testApp({ ...given, options: { methods, ...options } }), outbox };
}

export function coloursIn({ deliver }: Outbox): readonly Method[] {
  return [colours({ deliver, timeout: 50 }), totp(), backupCodes()];
}

/** A sequence that is not this one. */
export function wrongSequence(right: string): string {
  return right.startsWith("red") ? right.replace("red", "blue") : right.replace(/^[a-z]+/, "red");
}

/** Sets colours up in a login that may, and waits until the next sequence can be sent. */
export async function addColours(jar: Jar<ColourApp>, body: object = {}): Promise<string> {
  const { clock, outbox } = jar.target;
  const begun = await jar.post(`${BASE}/enroll`, { address: ADDRESS, ...body });
  if (begun.status !== 202) throw new Error(`enrollment answered ${begun.status}: ${begun.text}`);
  const { factorId } = begun.body as { factorId: string };
  const done = await jar.post(`${BASE}/enroll/confirm`, { factorId, code: outbox.last });
  if (done.status !== 201) throw new Error(`confirmation answered ${done.status}: ${done.text}`);
  clock.advance(MINUTE);
  return factorId;
}

/** A jar whose user set colours up just now. */
export async function withColours(target: ColourApp, name = "alice", body: object = {}): Promise<Jar<ColourApp>> {
  const jar = new Jar(target);
  await jar.login(name);
  await addColours(jar, body);
  return jar;
}

/** A jar whose user, who has colours, gave the password. With the budgets of the enrollment behind them. */
export async function waitingForColours(target: ColourApp, name = "alice"): Promise<Jar<ColourApp>> {
  await (await withColours(target, name)).post("/logout");
  target.clock.advance(60 * MINUTE);
  const jar = new Jar(target);
  await jar.login(name);
  return jar;
}

/** Has a sequence sent, and answers it. */
export async function sequenceFor(jar: Jar<ColourApp>): Promise<string> {
  const sent = await jar.post(`${BASE}/send`);
  if (sent.status !== 202) throw new Error(`sending answered ${sent.status}: ${sent.text}`);
  return jar.target.outbox.last;
}

/** The users' phones, with what stands on them. */
export class Phones {
  readonly shown: { readonly text: string; readonly questionId: string | undefined }[] = [];
  private readonly answers = new Map<string, "approved" | "denied">();

  readonly show = async (_userId: string, text: string, questionId?: string): Promise<void> =>
    void this.shown.push({ text, questionId });

  readonly answerTo = async (questionId: string) => this.answers.get(questionId);

  /** The other side answers the last question. */
  answer(answer: "approved" | "denied"): void {
    this.answers.set(this.shown.at(-1)?.questionId ?? "", answer);
  }
}

/** An application that asks on phones, and a jar whose user gave the password and has one. */
export async function waitingForKnock() {
  const phones = new Phones();
  const target = testApp({ options: { methods: [totp(), backupCodes(), knock(phones)] } });
  const owner = new Jar(target);
  await owner.login("alice");
  const { factorId } = (await owner.post("/2fa/knock/enroll")).body as { factorId: string };
  const code = phones.shown.at(-1)?.text.replace("Your code: ", "");
  const done = await owner.post("/2fa/knock/enroll/confirm", { factorId, code });
  if (done.status !== 201) throw new Error(`confirmation answered ${done.status}: ${done.text}`);
  const jar = new Jar(target);
  await jar.login("alice");
  return { phones, target, jar, owner };
}
