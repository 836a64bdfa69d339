import type { UserId } from "../core/nouns.js";
import type { AuditAction, AuditEvent } from "./audit.js";
import type { Telling } from "./emitter.js";

const NOTICE_KINDS = [
  "factor-enrolled",
  "factor-removed",
  "backup-codes-regenerated",
  "backup-code-used",
  "device-trusted",
  "device-replayed",
  "passkey-counter-regressed",
  "locked",
  "factor-disabled",
  "factor-reopened",
  "factor-resumed",
  "reported",
  "admin-reset",
  "signed-out-everywhere",
] as const satisfies readonly AuditAction[];

/** What an account's owner should hear about, whoever did it. */
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** A message owed to an account's owner. The application (or its mail sender) decides how it travels and what it says. */
export interface Notice {
  readonly kind: NoticeKind;
  readonly userId: UserId;
  /** The audit event behind it: time, method, address. */
  readonly event: AuditEvent;
}

/**
 * Called once for each notice; a promise is waited for. A rejection, or no answer within 30 s, becomes the event `notice-failed`
 * and an `error` event; it is NOT tried again.
 */
export type Notify = (notice: Notice) => unknown;

const NOTICED: ReadonlySet<AuditAction> = new Set(NOTICE_KINDS);

const LONGEST = 30_000;

async function deliver(notify: Notify, notice: Notice): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`notify did not answer within ${LONGEST} ms`));
    }, LONGEST).unref();
  });
  try {
    await Promise.race([notify(notice), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Hands notices to `notify` beside the request, never in its way; one that fails or hangs becomes `notice-failed`. */
export function sendNotices({ emitAudit, emitError, events }: Telling, notify: Notify): void {
  events.on("audit", (event) => {
    const { userId } = event;
    if (userId === undefined || !NOTICED.has(event.action)) return;
    const notice: Notice = { kind: event.action as NoticeKind, userId, event };
    void Promise.resolve()
      .then(() => deliver(notify, notice))
      .catch((error: unknown) => {
        emitError("notify", error, { userId, client: event });
        emitAudit("notice-failed", { ...event, userId }, { outcome: "failure", reason: event.action });
      });
  });
}
