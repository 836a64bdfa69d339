import { backupCodes, type EmailCodeMessage, emailCode, type Method, type SendCode, totp } from "express-second-factor";
import { MINUTE } from "./attack.js";
import { testApp, type TestApp, type TestAppOptions } from "./app.js";
import { Jar } from "./browser.js";
import { failing, type Fault } from "./faults.js";

/** Where messages with codes arrive. */
export class Outbox<Message extends { readonly code: string } = EmailCodeMessage> {
  readonly messages: Message[] = [];
  /** Of every message that was handed over, delivered or not. */
  readonly signals: AbortSignal[] = [];
  /** What goes wrong with the next messages. */
  fault: Fault | undefined;

  readonly send: SendCode<Message> = (message, { signal }) => {
    this.signals.push(signal);
    return failing(this.fault, async () => void this.messages.push(message));
  };

  get last(): Message {
    const message = this.messages.at(-1);
    if (message === undefined) throw new Error("Nothing was delivered");
    return message;
  }

  get code(): string {
    return this.last.code;
  }
}

/** An application whose users can get codes. `path`: where the routes of that kind are. */
export interface CodeApp<Message extends { readonly code: string } = EmailCodeMessage> extends TestApp {
  readonly outbox: Outbox<Message>;
  readonly path: string;
}

export const ADDRESS = "alice@home.test";
export const MASKED = "a•••@home.test";

/** An application that sends codes by e-mail, beside apps and backup codes. */
export function emailApp(
  outbox = new Outbox(),
  { options, ...given }: TestAppOptions = {},
  methods: readonly Method[] = [emailCode({ send: outbox.send }), totp(), backupCodes()],
): CodeApp {
  return { ...testApp({ ...given, options: { methods, ...options } }), outbox, path: "/2fa/email-code" };
}

export type CodeJar<Message extends { readonly code: string } = EmailCodeMessage> = Jar<CodeApp<Message>>;

/** Proves an address or number that this login begins to set up; answers the id of the factor. */
export async function addDestination<Message extends { readonly code: string }>(
  jar: CodeJar<Message>,
  body: object = { address: ADDRESS },
): Promise<string> {
  const { outbox, path } = jar.target;
  const begun = await jar.post(`${path}/enroll`, body);
  if (begun.status !== 202) throw new Error(`enrollment answered ${begun.status}: ${begun.text}`);
  const { factorId } = begun.body as { factorId: string };
  const done = await jar.post(`${path}/enroll/confirm`, { factorId, code: outbox.code });
  if (done.status !== 201) throw new Error(`confirmation answered ${done.status}: ${done.text}`);
  return factorId;
}

/** A jar whose user set one up just now. */
export async function withDestination<Message extends { readonly code: string }>(
  target: CodeApp<Message>,
  body?: object,
  name = "alice",
): Promise<{ readonly jar: CodeJar<Message>; readonly factorId: string }> {
  const jar = new Jar(target);
  await jar.login(name);
  return { jar, factorId: await addDestination(jar, body) };
}

/** A jar whose user, who has a factor of that kind, gave the password. With every limit of setting it up behind them. */
export async function waitingForCode<Message extends { readonly code: string }>(
  target: CodeApp<Message>,
  body?: object,
  name = "alice",
): Promise<CodeJar<Message>> {
  await withDestination(target, body, name);
  target.clock.advance(61 * MINUTE);
  const jar = new Jar(target);
  await jar.login(name);
  return jar;
}

/** Has a code sent, and answers it. */
export async function codeFor<Message extends { readonly code: string }>(jar: CodeJar<Message>): Promise<string> {
  const sent = await jar.post(`${jar.target.path}/send`);
  if (sent.status !== 202) throw new Error(`sending answered ${sent.status}: ${sent.text}`);
  return jar.target.outbox.code;
}

/** A code that is not this one. */
export function otherThan(code: string): string {
  return code.startsWith("1") ? `2${code.slice(1)}` : `1${code.slice(1)}`;
}
