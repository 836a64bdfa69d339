/** Where a mail goes: one address, and no name that could be read as another. */
export interface MailDestination {
  readonly address: string;
}

/**
 * A code on its way to its owner. It goes to `to` and nowhere else; `text` and `html` hold the code, the subject does not, because
 * locked screens and lists of mails show it.
 */
export interface CodeMessage<Destination = MailDestination | string> {
  /** `{ address }` of a mail, the number of a text message in E.164 (`+491701234567`). */
  readonly to: Destination;
  /** Six digits. */
  readonly code: string;
  /** The whole message as it is to be sent. */
  readonly text: string;
  /** The same for mails, where there is one: a whole document. */
  readonly html?: string;
  /** Of mails. */
  readonly subject?: string;
  readonly purpose: "login" | "enroll";
  /** The language it is in (BCP 47). */
  readonly locale: string;
  /** When the code is over: ISO 8601, in UTC. */
  readonly expiresAt: string;
}

export interface SendOptions {
  /** Aborted where the message is no longer waited for. */
  readonly signal?: AbortSignal;
}

/**
 * Takes a message over, or rejects: then it was not taken, and its user may ask for another at once. An `UnavailableError` without a
 * cause, or no answer at all, leaves open whether it was.
 */
export type SendCode<Destination = MailDestination | string> = (
  message: CodeMessage<Destination>,
  options?: SendOptions,
) => Promise<unknown>;
