import { backupCodes, type Method, push, type PushChannel, type PushOptions, totp } from "express-second-factor";
import { testApp, type TestApp, type TestAppOptions } from "./app.js";
import { Jar, pending } from "./browser.js";
import { failing, type Fault } from "./faults.js";
import { phone, type Phone } from "./phone.js";

/** A message for a device, as its channel is given it. */
export interface Woken {
  readonly subscription: unknown;
  readonly message: Parameters<PushChannel["send"]>[1];
}

/** A channel whose messages arrive in this process. */
export class TestChannel implements PushChannel {
  readonly name = "test";
  readonly messages: Woken[] = [];
  /** Of every message that was handed over, taken or not. */
  readonly signals: AbortSignal[] = [];
  /** What goes wrong with the next messages. */
  fault: Fault | undefined;
  /** Nobody is reached any more. */
  isGone = false;

  async send(...[subscription, message, { signal }]: Parameters<PushChannel["send"]>): Promise<void> {
    this.signals.push(signal);
    if (this.isGone) throw Object.assign(new Error("Nobody is there"), { gone: true });
    await failing(this.fault, async () => void this.messages.push({ subscription, message }));
  }
}

export interface PushApp extends TestApp {
  readonly channel: TestChannel;
}

export type PushJar = Jar<PushApp>;

/** What the asking side is told: for nobody else. */
export interface Sent {
  readonly requestId: string;
  readonly number: string;
  readonly expiresAt: string;
}

export function pushMethods(channel: TestChannel, options: Partial<PushOptions> = {}): readonly Method[] {
  return [push({ channels: [channel], ...options }), totp(), backupCodes()];
}

/** An application that asks devices, beside apps and backup codes. */
export function pushApp(
  { options = {}, ...given }: TestAppOptions = {},
  channel = new TestChannel(),
  terms: Partial<PushOptions> = {},
): PushApp {
  return { ...testApp({ ...given, options: { methods: pushMethods(channel, terms), ...options } }), channel };
}

/** The same application at another of its servers. */
export function withChannel(channel: TestChannel, target: TestApp): PushApp {
  return { ...target, channel };
}

/** How the test channel reaches a phone. Nothing else has a reason to say it. */
export const SUBSCRIPTION = { token: "where-the-phone-of-the-test-is" };

/** A phone of the user's, which its channel wakes. The login that enrolled it is over. */
export async function withPhone(target: PushApp, name = "alice", jar = new Jar(target)): Promise<Phone> {
  await jar.login(name);
  const device = await phone(target);
  await device.enroll(jar, { channel: "test", subscription: SUBSCRIPTION });
  await jar.post("/logout");
  return device;
}

/** Has the user's device asked by this login. Throws where that is refused. */
export async function askedBy(jar: PushJar, body: object = {}): Promise<Sent> {
  const answer = await jar.post("/2fa/push/send", body);
  if (answer.status !== 202) throw new Error(`asking answered ${answer.status}: ${answer.text}`);
  return answer.body as Sent;
}

/** A login that waits for a device, which was asked. */
export async function waitingFor(target: PushApp, name = "alice"): Promise<{ jar: PushJar; sent: Sent }> {
  const jar = await pending(target, name);
  return { jar, sent: await askedBy(jar) };
}

/** What the login that asked is told. */
export function status(jar: PushJar, requestId: unknown, body: object = {}): ReturnType<PushJar["post"]> {
  return jar.post("/2fa/push/status", { requestId, ...body });
}

/** The one request of the phone, answered; `jar`: with the cookies of a browser. */
export async function answeredBy(
  target: PushApp,
  device: Phone,
  decision: "approve" | "deny" | "not-me",
  number?: string,
  jar = new Jar(target),
): Promise<Awaited<ReturnType<PushJar["post"]>>> {
  return jar.post("/2fa/push/decide", await device.decideBody(await device.request(), decision, number));
}

/** What came of it, as the login that asked is told. */
export async function stateOf(jar: PushJar, requestId: string): Promise<string> {
  const answer = await status(jar, requestId, { peek: true });
  return (answer.body as { state?: string }).state ?? `${answer.status} ${answer.text}`;
}

/** Has it denied, on the device. */
export async function denied(target: PushApp, device: Phone): Promise<void> {
  await waitingFor(target);
  await device.deny();
}
