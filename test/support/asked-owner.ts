import type { Approval, ApproveOptions } from "express-second-factor";
import type { TestAppOptions } from "./app.js";
import { type Enrolled, enrolled, full } from "./browser.js";
import { type Phone, phone as newPhone } from "./phone.js";
import { type PushApp, pushApp, SUBSCRIPTION, type TestChannel } from "./push.js";

export const OPERATION = "Pay 5 EUR to Ben";
export const ACTOR = "support:7";

export interface AskedOwner extends Omit<Enrolled, "phone"> {
  readonly target: PushApp;
  readonly channel: TestChannel;
  /** The authenticator app beside it. */
  readonly app: Enrolled["phone"];
  readonly phone: Phone;
}

/** Alice, who has an authenticator app and a phone that approves. */
export async function owner(given: TestAppOptions = {}): Promise<AskedOwner> {
  const target = pushApp(given);
  const { phone: app, ...own } = await enrolled(target, "alice");
  const phone = await newPhone(target);
  await phone.enroll(await full(target, "alice", app), { channel: "test", subscription: SUBSCRIPTION });
  return { target, channel: target.channel, app, phone, ...own };
}

export interface Asked {
  /** Once it is there: from then on the device can answer. */
  readonly number: Promise<string>;
  readonly outcome: Promise<Approval>;
}

let ending = new AbortController();

/** Support asks her. */
export function ask({ mfa }: Pick<PushApp, "mfa">, given: Partial<ApproveOptions> = {}): Asked {
  const signal = AbortSignal.any([ending.signal, ...(given.signal === undefined ? [] : [given.signal])]);
  let outcome: Promise<Approval> | undefined;
  const number = new Promise<string>((resolve) => {
    outcome = mfa.approve("u1", { operation: OPERATION, actor: ACTOR, onNumber: resolve, ...given, signal });
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
