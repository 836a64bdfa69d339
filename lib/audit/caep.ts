import { BACKUP_CODE } from "../core/nouns.js";
import type { AuditEvent, KnownAction } from "../events/audit.js";

export interface CaepOptions {
  /** Whose users they are, as the `iss` of your tokens has it. Default: none; users are named by their id alone. */
  readonly issuer?: string;
}

/** As much of a Security Event Token (RFC 8417) as an event makes: `iss`, `aud`, `jti`, `iat` and the signature are its transmitter's. */
export interface SecurityEvent {
  /** RFC 9493: `{ format: "iss_sub", iss, sub }`, or `{ format: "opaque", id }` where there is no `issuer`. */
  readonly sub_id: Readonly<Record<string, string>>;
  /** One member: the URI of the event type, and what it says. */
  readonly events: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
}

interface Row {
  readonly type: "credential-change" | "session-revoked";
  /** Of a credential-change (CAEP 1.0 section 3.3): what became of the credential, and of which, where the event does not say. */
  readonly change?: "create" | "update" | "delete";
  readonly credential?: string;
}

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";

/**
 * Those that say what an event type says, and no more. A `session-revoked` about a user is about every session of theirs, so what ends
 * one of them, or all but one, is none: receivers would end the others too.
 */
const ROWS: Partial<Record<string, Row>> = {
  "factor-enrolled": { type: "credential-change", change: "create" },
  "factor-imported": { type: "credential-change", change: "create" },
  "factor-replaced": { type: "credential-change", change: "update" },
  "factor-removed": { type: "credential-change", change: "delete" },
  "backup-codes-regenerated": { type: "credential-change", change: "update", credential: BACKUP_CODE },
  "password-changed": { type: "credential-change", change: "update", credential: "password" },
  "signed-out-everywhere": { type: "session-revoked" },
  "admin-reset": { type: "session-revoked" },
  reported: { type: "session-revoked" },
} satisfies Partial<Record<KnownAction, Row>>;

/** What CAEP calls a kind of factor. The others have names of their own here, which a receiver has to be told. */
const CREDENTIALS = new Map([
  ["totp", "app"],
  ["sms-code", "phone-sms"],
]);

/** Nobody but the caller of an operation names another than the user, and `system` is what they name by saying nothing. */
function initiator({ actor, userId }: AuditEvent): "user" | "system" | "admin" {
  if (actor === undefined || actor === userId) return "user";
  return actor === "system" ? "system" : "admin";
}

function claimsOf({ change, credential }: Row, event: AuditEvent): Readonly<Record<string, string>> | undefined {
  if (change === undefined) return {};
  const type = credential ?? event.method;
  if (type === undefined) return undefined;
  return { credential_type: CREDENTIALS.get(type) ?? type, change_type: change };
}

/**
 * The event as an OpenID CAEP event (Continuous Access Evaluation Profile 1.0), for a transmitter of the Shared Signals Framework to sign
 * and send; undefined where none fits, as for most. `docs/audit.md` says which, and why the others do not.
 *
 * It does NOT sign, send, or name a session: an event is about a user.
 *
 * @example
 * ```ts
 * import { toCaep } from "express-second-factor";
 *
 * mfa.events.on("audit", (event) => {
 *   const signal = toCaep(event, { issuer: "https://acme.example" });
 *   if (signal !== undefined) log.info({ subject: signal.sub_id, events: signal.events });
 * });
 * ```
 */
export function toCaep(event: AuditEvent, { issuer }: CaepOptions = {}): SecurityEvent | undefined {
  const { action, outcome, time, userId } = event;
  const row = Object.hasOwn(ROWS, action) ? ROWS[action] : undefined;
  if (row === undefined || userId === undefined || outcome === "failure") return undefined;
  const claims = claimsOf(row, event);
  if (claims === undefined) return undefined;
  const subject =
    issuer === undefined ? { format: "opaque", id: userId } : { format: "iss_sub", iss: issuer, sub: userId };
  const timestamp = Math.floor(Date.parse(time) / 1_000);
  const common = { event_timestamp: timestamp, initiating_entity: initiator(event) };
  return { sub_id: subject, events: { [`${CAEP}${row.type}`]: { ...claims, ...common } } };
}
