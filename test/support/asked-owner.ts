import { type Approval, type ApproveOptions, backupCodes, push, type PushMessage, totp } from "express-second-factor";
import { testApp, type TestApp, type TestAppOptions } from "./app.js";
import { type Enrolled, enrolled, full } from "./browser.js";
import { type Phone, phone as newPhone } from "./phone.js";

export const OPERATION = "Pay 5 EUR to Ben";
export const ACTOR = "support:7";

/** What wakes devices, in a test's hands. */
export class Wakes {
  readonly messages: PushMessage[] = [];
  /** What becomes of each message. */
  answer: () => Promise<unknown> = () => Promise.resolve();

  readonly channel = {
    name: "bell",
    send: (_subscription: unknown, message: PushMessage): Promise<unknown> => {
      this.messages.push(message);
      return this.answer();
    },
  };
}

export interface AskedOwner extends Omit<Enrolled, "phone"> {
  readonly target: TestApp;
  readonly wakes: Wakes;
  /** The authenticator app beside it. */
  readonly app: Enrolled["phone"];
  readonly phone: Phone;
}

/** Alice, who has an authenticator app and a phone that approves. */
export async function owner(given: TestAppOptions = {}): Promise<AskedOwner> {
  const wakes = new Wakes();
  const methods = [totp(), push({ channels: [wakes.channel] }), backupCodes()];
  const target = testApp({ ...given, options: { methods, ...given.options } });
  const { phone: app, ...own } = await enrolled(target, "alice");
  const phone = await newPhone(target);
  await phone.enroll(await full(target, "alice", app), { channel: "bell", subscription: { at: "here" } });
  return { target, wakes, app, phone, ...own };
}

export interface Asked {
  /** Once it is there: from then on the device can answer. */
  readonly number: Promise<string>;
  readonly outcome: Promise<Approval>;
}

let ending = new AbortController();

/** Support asks her. */
export function ask({ target }: Pick<AskedOwner, "target">, given: Partial<ApproveOptions> = {}): Asked {
  const signal = AbortSignal.any([ending.signal, ...(given.signal === undefined ? [] : [given.signal])]);
  const options = { ...given, signal };
  let outcome: Promise<Approval> | undefined;
  const number = new Promise<string>((resolve) => {
    outcome = target.mfa.approve("u1", { operation: OPERATION, actor: ACTOR, onNumber: resolve, ...options });
  });
  // It is looked at by whoever awaits it: later, in most tests.
  outcome?.catch(() => undefined);
  return { number, outcome: outcome! };
}

/** Nobody waits any more: a clock that stands still would have them wait for ever. */
export function endAsking(): void {
  ending.abort();
  ending = new AbortController();
}
