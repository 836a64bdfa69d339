import { channel } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import type { Client, Clock, UserId } from "../core/nouns.js";
import { cleanText, MAX_USER_AGENT } from "../core/text.js";
import type { AuditAction, AuditEvent } from "./audit.js";

/** What listeners can subscribe to. */
export interface EventMap {
  audit: [event: AuditEvent];
}

export type Events = EventEmitter<EventMap>;

/** Who an event is about and who caused it. */
export interface Subject {
  readonly userId: UserId;
  /** Default: the user. */
  readonly actor?: string | undefined;
  readonly client?: Client | undefined;
  /** A short name of the browser, for the owner's own activity list. */
  readonly browser?: string | undefined;
}

export type Details = Partial<Pick<AuditEvent, "method" | "factorId" | "reason" | "outcome">>;

/** Tells everyone who listens; answers nothing and never throws. */
export type EmitAudit = (action: AuditAction, subject: Subject, details?: Details) => void;

const diagnostics = channel("express-second-factor");

function present<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== "")) as T;
}

function describe(clock: Clock, action: AuditAction, subject: Subject, details: Details): AuditEvent {
  const { userId, actor = userId, client = {} } = subject;
  const userAgent = cleanText(client.userAgent ?? "", MAX_USER_AGENT);
  const event = {
    time: new Date(clock()).toISOString(),
    action,
    outcome: "success" as const,
    userId,
    actor,
    ...details,
    ip: client.ip,
    userAgent,
    requestId: cleanText(client.requestId ?? "", MAX_USER_AGENT),
  };
  return Object.freeze(present(event)) as AuditEvent;
}

function warn(error: unknown): void {
  process.emitWarning(`A listener of "audit" failed: ${String(error)}`, { code: "SECOND_FACTOR_LISTENER" });
}

/**
 * One spine for "something happened". A listener that throws is reported as a process warning and goes no further:
 * it neither opens nor closes the gate, and the other listeners are still told.
 */
export function createEvents(clock: Clock): { readonly events: Events; readonly emitAudit: EmitAudit } {
  const events: Events = new EventEmitter<EventMap>();
  const emitAudit: EmitAudit = (action, subject, details = {}) => {
    if (!diagnostics.hasSubscribers && events.listenerCount("audit") === 0) return;
    const event = describe(clock, action, subject, details);
    diagnostics.publish(event);
    for (const listener of events.rawListeners("audit")) {
      try {
        const told: (event: AuditEvent) => unknown = listener;
        const answer = told.call(events, event);
        // An async listener may answer a promise whatever its type says, and a rejection would end the process.
        Promise.resolve(answer).catch(warn);
      } catch (error) {
        warn(error);
      }
    }
  };
  return { events, emitAudit };
}
