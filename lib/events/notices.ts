import type { Ended } from "../core/account.js";
import type { Contact } from "../core/contact.js";
import type { MethodType, UserId } from "../core/nouns.js";
import type { AuditAction, AuditEvent, EventFacts } from "./audit.js";

/** Each is also a line of the owner's activity list, which is where the number comes from. */
const NOTICE_KINDS = [
  "factor-enrolled",
  "factor-removed",
  "factor-renamed",
  "factor-replaced",
  "factor-imported",
  "factor-reopened",
  "factor-disabled",
  "backup-codes-regenerated",
  "backup-code-used",
  "backup-codes-low",
  "device-trusted",
  "device-replayed",
  "passkey-counter-regressed",
  "new-browser",
  "login-unfinished",
  "push-reported",
  "recovery-requested",
  "recovery-confirmed",
  "recovery-shortened",
  "recovery-half-time",
  "recovery-ready",
  "recovery-cancelled",
  "recovery-completed",
  "recovery-opted-out",
  "recovery-opted-in",
  "locked",
  "session-revoked",
  "sessions-revoked",
  "factor-resumed",
  "freeze-lifted",
  "reported",
  "signed-out-everywhere",
  "password-changed",
  "admin-reset",
  "temporary-pass-issued",
  "temporary-pass-used",
  "acting-login",
] as const satisfies readonly AuditAction[];

/** What an account's owner should hear about, whoever did it. */
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** What it was about, as far as that is known. No secret, no code, no address. */
export interface NoticeDetails extends EventFacts {
  readonly method?: MethodType;
  readonly factorId?: string;
  /** The name of the factor or browser it is about. */
  readonly label?: string;
  readonly reason?: string;
  /** Who did it, where that was not the user: what the caller of `mfa.accounts` named. */
  readonly actor?: string;
  /** What it ended with it. */
  readonly ended?: Ended;
}

/** Pages for the owner. Nothing happens by opening one. */
export interface NoticeLinks {
  /**
   * "This wasn't me": good for seven days. Absent where no place is known: no web origin is configured, or `origin` is a function and
   * no request was at hand.
   */
  readonly report?: string;
  /**
   * Of `recovery-requested`, to the address on file alone: begins the wait. Good for 30 minutes, once, until another is sent. Where
   * `recovery.evidence.secondChannel` is configured also of `recovery-confirmed`, to every other address and number that e-mail and SMS
   * codes of the account go to: shortens the wait, once, while it lasts.
   */
  readonly confirm?: string;
  /** Of every notice of a recovery that is under way: ends it, for as long as there is something to end. */
  readonly cancel?: string;
  /** Of `recovery-ready`, to the address on file alone: lets a browser that has signed in again set up a new factor. Once. */
  readonly complete?: string;
}

/** A message owed to an account's owner. The application (or its mail sender) decides how it travels and what it says. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly userId: UserId;
  /**
   * Where it goes: the user's address, by the `user.email` reader, of the request's user, else of the one that `user.load` finds. Of a
   * factor that was replaced also where its codes went before: then E.164 text where that was a number. Absent: none is known.
   */
  readonly to?: { readonly address: string } | string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** As the settings page shows it in the activity list: so a forged message can be told. */
  readonly number: number;
  /** Where it was done, such as "Firefox on Linux"; absent for what the application or its staff did. */
  readonly browser?: string;
  readonly ip?: string;
  readonly details: NoticeDetails;
  readonly links: NoticeLinks;
  /** The application's name. */
  readonly issuer: string;
  /** The language the user is written to in. */
  readonly locale: string;
  /** The audit event behind it. */
  readonly event: AuditEvent;
}

/**
 * Called once for each notice; a promise is waited for. A rejection, or no answer in time, becomes the event `notice-failed` and an
 * `error` event; it is NOT tried again by whoever calls. `emailNotices` of `express-second-factor/mail` is one that tries again itself.
 */
export interface Notify {
  (notice: Notice): unknown;
  /** Milliseconds until it has to answer. Default: 30,000. */
  readonly patience?: number;
}

/** How a user is reached, and what their messages say of the application. */
export interface Reach {
  readonly contact: Contact;
  /** Where the routes live, with the site's origin in front, as configured. */
  readonly place: string | undefined;
  readonly issuer: string;
}

const NOTICED: ReadonlySet<AuditAction> = new Set(NOTICE_KINDS);

/** Whether owners hear of it, if anybody tells them. */
export function isNoticed(action: AuditAction): action is NoticeKind {
  return NOTICED.has(action);
}

const LONGEST = 30_000;

/**
 * Hands a notice over.
 * @throws whatever `notify` throws or rejects with, and an error of ours when it does not answer in time
 */
export async function deliverNotice(notify: Notify, notice: Notice): Promise<void> {
  const { patience = LONGEST } = notify;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`notify did not answer within ${patience} ms`));
    }, patience).unref();
  });
  try {
    await Promise.race([notify(notice), late]);
  } finally {
    clearTimeout(timer);
  }
}
