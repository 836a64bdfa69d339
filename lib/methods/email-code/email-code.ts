import * as v from "valibot";
import type { Contact } from "../../core/contact.js";
import { ConfigurationError } from "../../core/errors.js";
import { optionsProblems } from "../../core/option-names.js";
import { SECOND } from "../../core/nouns.js";
import { maskName } from "../../core/text.js";
import {
  type CodeMessage,
  type Destination,
  type MessageChannel,
  messageCodeMethod,
  type SendCode,
} from "../../engine/message-code-method.js";
import type { MessageCodeState } from "../../engine/message-codes.js";
import { optional, reader } from "../../http/schemas.js";
import { senderProblems } from "../../http/senders.js";
import type { Method } from "../../http/method.js";
import { type Duration, milliseconds } from "../../policy/durations.js";
import { readAddress } from "./address.js";
import { codeMail, type Mail } from "./message.js";
import { emailCodePage } from "./page.js";

/** A mail with a code, as the application's sender gets it. The subject never holds the code. */
export interface EmailCodeMessage extends CodeMessage<{ readonly address: string }>, Mail {}

export interface EmailCodeOptions {
  /**
   * Takes a mail over, or rejects: then the visitor is told at once that it was not sent, and may try again. `to.address` is one checked
   * address: pass it on as it is, in a form that is not parsed again. `signal` is aborted once nobody waits any more.
   */
  readonly send: SendCode<EmailCodeMessage>;
  /** How long `send` may take, up to 30 s; then nobody knows whether it was sent, and it stays counted. Default: `"10s"`. */
  readonly timeout?: Duration;
}

const TYPE = "email-code";

function destinationOf(given: unknown): Destination | undefined {
  const to = readAddress(given);
  return to === undefined ? undefined : { to, hint: maskName(to) };
}

/** It is the address that the application knows, however it is written, and says is not proved. */
function isUnverifiedOf({ email, emailVerified }: Contact, to: string): boolean {
  return emailVerified === false && readAddress(email)?.toLowerCase() === to.toLowerCase();
}

const readBody = reader(v.object({ address: optional(v.string()) }));

function channel(send: EmailCodeOptions["send"], timeout: number): MessageChannel<EmailCodeMessage> {
  return {
    type: TYPE,
    label: "E-mail",
    amr: ["email"],
    aal: 1,
    stepsUp: false,
    limitName: "email",
    timeout,
    send,
    read(body, contact) {
      const given = readBody(body);
      // A form's empty field says no more than leaving it out.
      const destination =
        given && destinationOf(given.address === undefined || given.address === "" ? contact.email : given.address);
      if (destination === undefined) return { code: "invalid-request", members: { reason: "not-an-address" } };
      const isUnverified = isUnverifiedOf(contact, destination.to);
      return isUnverified ? { code: "invalid-request", members: { reason: "email-unverified" } } : destination;
    },
    readKnown(source) {
      const destination = destinationOf(source);
      if (destination === undefined) throw new TypeError("The address is not one e-mail address");
      return destination;
    },
    addressed: (address) => ({ address }),
    write: codeMail,
  };
}

/**
 * Six digits by e-mail, for those who have nothing better: good for five minutes and five tries, for the login alone that asked. An
 * address is proved before it is a factor, and codes go to no other. One that the application says is not proved (`user.emailVerified`) is
 * none to begin with. Not in `preset: "strict"`.
 *
 * Does NOT send by itself, and does NOT show that somebody is there beyond their mailbox: `aal` stays 1, and `mfa.require` never takes
 * it. Whoever reads the mail has the factor.
 *
 * @throws ConfigurationError without `send`, and for a `timeout` that is none
 *
 * @example
 * ```ts
 * import { backupCodes, emailCode, secondFactor, totp } from "express-second-factor";
 *
 * const codes = emailCode({
 *   async send({ to, subject, text, html }) {
 *     await transport.sendMail({ from: "Acme <no-reply@acme.example>", to, subject, text, html });
 *   },
 * });
 * app.use(secondFactor({ ..., methods: [totp(), backupCodes(), codes] }));
 * ```
 */
export function emailCode(options: EmailCodeOptions): Method<MessageCodeState, string> {
  const problems = [
    ...optionsProblems(options, ["send", "timeout"], "emailCode: "),
    ...senderProblems(options, "mail", "emailCode: "),
  ];
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { send, timeout = "10s" } = options;
  return { ...messageCodeMethod(channel(send, milliseconds(timeout) ?? 10 * SECOND)), page: emailCodePage };
}
