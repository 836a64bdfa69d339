import { makesTakers, taker } from "../core/takers.js";
import type { Notice } from "../events/notices.js";
import type { MailTransport, OutgoingMail } from "../senders/mailer.js";
import type { MailDestination } from "../senders/message.js";

/** A mail or a text message that would have been sent. */
export interface OutboxMessage {
  /** The address of a mail, the number of a text message in E.164. */
  readonly to: string;
  readonly text: string;
  /** Of mails. */
  readonly subject?: string | undefined;
  readonly html?: string | undefined;
  /** Absent in mails that went through `transport`. */
  readonly code?: string | undefined;
  readonly purpose?: "login" | "enroll" | undefined;
  readonly locale?: string | undefined;
  /** When the code is over: ISO 8601, in UTC. */
  readonly expiresAt?: string | undefined;
  /** Of mails that went through `transport`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Keeps in memory what would have been sent. */
export interface Outbox {
  /** The `send` of e-mail and SMS codes. */
  readonly send: (message: Omit<OutboxMessage, "to"> & { readonly to: MailDestination | string }) => Promise<void>;
  /** The `notify` option. */
  readonly notify: (notice: Notice) => Promise<void>;
  /** In the place of nodemailer's, for `mailSender` and `emailNotices`. */
  readonly transport: MailTransport;
  /** What was sent, oldest first. */
  readonly messages: readonly OutboxMessage[];
  /** What `notify` was told, oldest first. */
  readonly notices: readonly Notice[];
  /** What was sent last. @throws Error where nothing was */
  readonly last: OutboxMessage;
  /** What was sent to an address or number, oldest first. */
  to(destination: string): readonly OutboxMessage[];
  /** The code that was sent last, to this address or number or to anybody. @throws Error where none was */
  code(destination?: string): string;
  /** Forgets everything. */
  clear(): void;
}

function destinationOf(to: MailDestination | string): string {
  return typeof to === "string" ? to : to.address;
}

class MemoryOutbox implements Outbox {
  private sent: OutboxMessage[] = [];
  private told: Notice[] = [];

  readonly send = taker<Outbox["send"]>(["mail", "text"], async ({ to, ...message }) => {
    this.sent.push({ ...message, to: destinationOf(to) });
  });

  readonly notify = taker(["notice"], async (notice: Notice): Promise<void> => {
    this.told.push(notice);
  });

  readonly transport = {
    sendMail: async ({ to, subject, text, html, headers }: OutgoingMail): Promise<void> => {
      this.sent.push({ to: to.address, subject, text, html, headers });
    },
  };

  get messages(): readonly OutboxMessage[] {
    return [...this.sent];
  }

  get notices(): readonly Notice[] {
    return [...this.told];
  }

  get last(): OutboxMessage {
    const message = this.sent.at(-1);
    if (message === undefined) throw new Error("outbox: nothing was sent");
    return message;
  }

  to(destination: string): readonly OutboxMessage[] {
    return this.sent.filter(({ to }) => to === destination);
  }

  code(destination?: string): string {
    const messages = destination === undefined ? this.sent : this.to(destination);
    const code = messages.findLast((message) => message.code !== undefined)?.code;
    if (code === undefined)
      throw new Error(`outbox: no code was sent${destination === undefined ? "" : ` to ${destination}`}`);
    return code;
  }

  clear(): void {
    this.sent = [];
    this.told = [];
  }
}

/**
 * Where messages stay in memory, to be read by a test: codes by e-mail and SMS, notices, and mails of a transport.
 *
 * Does NOT send anything, and forgets nothing until it is told to.
 *
 * @example
 * ```ts
 * import { backupCodes, emailCode, totp } from "express-second-factor";
 * import { mailSender } from "express-second-factor/mail";
 * import { outbox } from "express-second-factor/testing";
 *
 * const sent = outbox();
 * const methods = [totp(), backupCodes(), emailCode({ send: sent.send })];
 * app.use(secondFactor({ ..., methods, notify: sent.notify }));
 *
 * test("somebody gets codes by e-mail", async () => {
 *   const { body } = await agent.post("/2fa/email-code/enroll").send({ address: "ann@acme.example" }).expect(202);
 *   const code = sent.code("ann@acme.example");
 *   await agent.post("/2fa/email-code/enroll/confirm").send({ factorId: body.factorId, code }).expect(201);
 *   if (sent.to("ann@acme.example").length !== 1 || sent.notices.length !== 1) throw new Error("told twice");
 *   sent.clear();
 * });
 *
 * test("mails look as they should", async () => {
 *   const send = mailSender({ transport: sent.transport, from: "no-reply@acme.example" });
 *   await send({ to: { address: "ann@acme.example" }, text: "Hello" });
 *   if (sent.last.headers?.["Auto-Submitted"] !== "auto-generated") throw new Error("a machine may answer it");
 * });
 * ```
 */
export function outbox(): Outbox {
  return new MemoryOutbox();
}

makesTakers(outbox, "const sent = outbox(); then sent.send, or sent.notify");
