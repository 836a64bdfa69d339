/** Where a mail goes: one address, and no name that could be read as another. */
export interface MailDestination {
  readonly address: string;
}

/** What a mail is made of. */
export interface MailMessage {
  readonly to: MailDestination;
  /** Default: `"Your code"`. */
  readonly subject?: string;
  readonly text: string;
  /** The same as a whole document. Default: none. */
  readonly html?: string;
  /** The language it is in (BCP 47). */
  readonly locale?: string;
}

/** What a text message is made of. */
export interface TextMessage {
  /** E.164: `+491701234567`. */
  readonly to: string;
  readonly text: string;
}

export interface SendOptions {
  /** Aborted where the message is no longer waited for. */
  readonly signal?: AbortSignal;
}
