import { channel } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import type { Client, Clock, UserId } from "../core/nouns.js";
import { DeliveryError, type DeliveryReason } from "../core/delivery-error.js";
import { UnavailableError } from "../core/errors.js";
import { placeOf } from "../core/places.js";
import { reasonIn } from "../core/reasons.js";
import { cleanText, MAX_USER_AGENT } from "../core/text.js";
import { isThenable } from "../core/within.js";
import { tried } from "../core/tried.js";
import type { AuditAction, AuditEvent } from "./audit.js";
import type { ErrorEvent, ErrorPlace } from "./failures.js";
import type { Reach } from "./notices.js";

/** What listeners can subscribe to. */
export interface EventMap {
  audit: [event: AuditEvent];
  error: [event: ErrorEvent];
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
  /** The login that does it, as its session names it. */
  readonly loginId?: string | undefined;
  /** How the user is reached, by their own request. Absent: it is asked for. */
  readonly reach?: Reach | undefined;
}

export type Details = Partial<Pick<AuditEvent, "method" | "factorId" | "reason" | "outcome">>;

/** Tells everyone who listens, and then whoever is to tell the owner; answers nothing and never throws. */
export type EmitAudit = (
  action: AuditAction,
  subject: Subject,
  details?: Details,
  tellOwner?: (event: AuditEvent) => void,
) => void;

/** Whose request it was, as far as it is known. */
export type Concerned = Partial<Pick<Subject, "userId" | "client">>;

/**
 * Tells what failed, and where; answers nothing and never throws. Where nobody listens it is printed, the first time at each place.
 * The place `"request"` is for whoever refuses in the end: what was told before is not told again, and what came with a note of its
 * place (`placed`) is told with that.
 */
export type EmitError = (place: ErrorPlace, error: unknown, concerned?: Concerned) => void;

/** Everything that happens is told through one of these. */
export interface Telling {
  readonly events: Events;
  readonly emitAudit: EmitAudit;
  readonly emitError: EmitError;
}

const diagnostics = channel("express-second-factor");

function present<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== "")) as T;
}

function textOf(error: unknown): string {
  const isBare = tried(() => error instanceof Error && error.message === "") === true;
  const text = tried(() => (isBare ? `${(error as Error).name}: ${reasonIn(error)}` : String(error)));
  return text ?? "something that cannot be read";
}

/** The clock may be what has failed, in any way that a function can. */
function timeOf(clock: Clock): string {
  const now: unknown = tried(clock);
  if (isThenable(now)) Promise.resolve(now).catch(() => undefined);
  return tried(() => new Date(now as number).toISOString()) ?? new Date().toISOString();
}

function describe(clock: Clock, action: AuditAction, subject: Subject, details: Details): AuditEvent {
  const { userId, actor = userId, client = {} } = subject;
  const userAgent = cleanText(client.userAgent ?? "", MAX_USER_AGENT);
  const event = {
    time: timeOf(clock),
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

/** What was thrown, under our own words for it. */
function causeOf(error: unknown): unknown {
  return error instanceof UnavailableError && error.cause !== undefined ? error.cause : error;
}

/** Tells every listener of `name`. Not by `emit`, which ends the process where nobody listens to an error. */
function tell(events: Events, name: keyof EventMap, event: AuditEvent | ErrorEvent): void {
  const warn = (error: unknown): void => {
    process.emitWarning(`A listener of "${name}" failed: ${textOf(error)}`, { code: "SECOND_FACTOR_LISTENER" });
  };
  for (const listener of events.rawListeners(name)) {
    try {
      const told = listener as (event: AuditEvent | ErrorEvent) => unknown;
      // An async listener may answer a promise whatever its type says, and a rejection would end the process.
      Promise.resolve(told.call(events, event)).catch(warn);
    } catch (error) {
      warn(error);
    }
  }
}

/** Where what fails is told by whoever delivers messages, in words that repeat numbers, addresses and what was to be sent. */
const VENDORS: readonly ErrorPlace[] = ["sender", "notify"];

const NO_WORDS = new DeliveryError("A message");

function calledIn(error: unknown): DeliveryReason {
  const { code, status } = Object(error) as DeliveryReason;
  return { code, status };
}

/** What may be printed of it: our own words, and what the vendor calls it. Listeners are given the whole of it. */
function withoutWords(error: unknown): unknown {
  if (error instanceof UnavailableError || error instanceof DeliveryError) return error;
  // Whatever else a vendor hangs on its errors, a hint of its own included, is words.
  const { message, name } = tried(() => new DeliveryError("A message", calledIn(error))) ?? NO_WORDS;
  return `${name}: ${message}`;
}

/** Once for each place: an outage fails thousands of times, and says one thing. */
function createPrinter(): (place: ErrorPlace, error: unknown) => void {
  const printed = new Set<ErrorPlace>();
  return (place, error) => {
    if (printed.has(place)) return;
    printed.add(place);
    const shown = VENDORS.includes(place) ? withoutWords(error) : error;
    const stack: unknown = tried(() => (shown as { stack?: unknown }).stack);
    process.emitWarning(
      `${place} failed: ${textOf(shown)}\nSaid once; mfa.events.on("error", ({ error, place }) => ...) is told of every one.`,
      { code: "SECOND_FACTOR_ERROR", ...(typeof stack === "string" ? { detail: stack } : {}) },
    );
  };
}

const NET: ErrorPlace = "request";

function placeIn(errors: readonly object[]): ErrorPlace {
  return errors.map(placeOf).find((place) => place !== undefined) ?? NET;
}

function createEmitError(events: Events, clock: Clock): EmitError {
  const told = new WeakSet();
  const print = createPrinter();
  const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
  return (asked, given, { client, userId } = {}) => {
    const error = causeOf(given);
    const seen = [given, error].filter(isObject);
    if (asked === NET && seen.some((each) => told.has(each))) return;
    for (const each of seen) told.add(each);
    const place = asked === NET ? placeIn(seen) : asked;
    if (events.listenerCount("error") === 0) {
      print(place, error);
      return;
    }
    const requestId = cleanText(client?.requestId ?? "", MAX_USER_AGENT);
    const event = { ...present({ time: timeOf(clock), place, userId, requestId }), error };
    tell(events, "error", Object.freeze(event) as ErrorEvent);
  };
}

/**
 * One spine for "something happened" and "something failed". A listener that throws is reported as a process warning and goes no
 * further: it neither opens nor closes the gate, and the other listeners are still told.
 */
export function createEvents(clock: Clock): Telling {
  const events: Events = new EventEmitter<EventMap>();
  const emitAudit: EmitAudit = (action, subject, details = {}, tellOwner) => {
    const isHeard = diagnostics.hasSubscribers || events.listenerCount("audit") > 0;
    if (!isHeard && tellOwner === undefined) return;
    const event = describe(clock, action, subject, details);
    diagnostics.publish(event);
    tell(events, "audit", event);
    tellOwner?.(event);
  };
  return { events, emitAudit, emitError: createEmitError(events, clock) };
}
