import type { Request } from "express";
import { ConfigurationError } from "../core/errors.js";
import { placed } from "../core/places.js";
import type { UserId } from "../core/nouns.js";
import { fingerprint } from "../crypto/fingerprint.js";
import { randomId } from "../crypto/random.js";
import type { SessionRecord, UnmarkedSession } from "../policy/assess.js";
import { copiedIn, recordIn, textOf } from "./session-record.js";

/** A callback as Passport and express-session call one. */
export type Done = (error?: unknown) => void;

/** What is used of express-session. Its own types are not needed, so that its types need not be installed. */
export interface Session {
  readonly id?: string;
  secondFactor?: unknown;
  returnTo?: unknown;
  /** Where somebody comes back to who went to sign in again. */
  secondFactorBack?: unknown;
  readonly passport?: { readonly user?: unknown };
  readonly cookie?: {
    originalMaxAge?: number | null;
    maxAge?: number | null;
    readonly expires?: unknown;
    readonly sameSite?: unknown;
    readonly partitioned?: unknown;
  };
  regenerate(callback: Done): unknown;
  save(callback: Done): unknown;
  destroy(callback: Done): unknown;
  reload?(callback: Done): unknown;
}

export function sessionOf(req: Request): Session | undefined {
  return (req as { session?: Session | null }).session ?? undefined;
}

/** @throws ConfigurationError where there is no session, or one whose id cannot be changed */
export function requireSession(req: Request): Session {
  const session = sessionOf(req);
  if (session === undefined) {
    throw placed(
      new ConfigurationError([
        "there is no session: add app.use(session({ ... })) from express-session before app.use(mfa); routes that keep none (webhooks, health checks) go above app.use(mfa). express-session gives none below a path that its cookie's path does not cover, and while its store is disconnected",
      ]),
      "session",
    );
  }
  if (typeof session.regenerate !== "function" || typeof session.save !== "function") {
    throw placed(
      new ConfigurationError([
        "the session cannot change its id (cookie-session cannot): use express-session, which keeps sessions on the server",
      ]),
      "session",
    );
  }
  return session;
}

/** The session's id; empty where it does not say. */
export function idOf(req: Request): string {
  return (req as { sessionID?: string }).sessionID ?? sessionOf(req)?.id ?? "";
}

/** @throws ConfigurationError where the session has the id it had before: every copy of its cookie would be worth what this one is */
export function requireNewId(req: Request, before: string): void {
  if (idOf(req) !== before) return;
  throw new ConfigurationError([
    "the session has the same id after regenerate(), which does nothing where it only stands in for one (cookie-session with a shim): a copied cookie would stay good. Use express-session, which keeps sessions on the server, or a regenerate() that makes a new id",
  ]);
}

let hasTold = false;

/** What older code and other packages keep under the same name undoes every proof, and the browser goes round without end. */
function tellOfForeign(text: unknown): void {
  if (hasTold || copiedIn(text) !== undefined) return;
  hasTold = true;
  process.emitWarning(
    "req.session.secondFactor holds what express-second-factor did not write: that is the name of its own line, and whatever takes its place undoes the login's proof. Take the code out that sets it, or give it another name",
    { code: "SECOND_FACTOR_SESSION" },
  );
}

/** The session's record of a login, whoever's it is. */
export function anyRecord(req: Request): SessionRecord | undefined {
  const text = sessionOf(req)?.secondFactor;
  if (text === undefined) return undefined;
  const record = recordIn(text, idOf(req));
  // A long text is read anew each time: once is enough where it is ours.
  if (record === undefined) tellOfForeign(text);
  return record;
}

/** The session's record if it is of this user's login; another's counts as none. */
export function readRecord(req: Request, userId: UserId): SessionRecord | undefined {
  const record = anyRecord(req);
  return record?.user === userId ? record : undefined;
}

/** A record of this user's login that was made for another session and copied into this one. */
function copiedRecord(req: Request, userId: UserId): SessionRecord | undefined {
  const record = copiedIn(sessionOf(req)?.secondFactor);
  return record?.user === userId ? record : undefined;
}

/** The id of a login that is found, or made, in this session: the same for all requests of it. Says nothing of the session's. */
export function loginIdOf(req: Request): string {
  const id = idOf(req);
  return id === "" ? randomId() : fingerprint(`login ${id}`);
}

/**
 * Where a login is being made. Answers, when it is asked, whether that is still so: a logout takes the user out of the session, and one
 * that was destroyed or begun anew is another.
 */
export function placeIn(req: Request): () => boolean {
  const place = (): string =>
    JSON.stringify([idOf(req), sessionOf(req) !== undefined, sessionOf(req)?.passport?.user !== undefined]);
  const before = place();
  return () => place() === before;
}

/** How long the session lasts without being seen, milliseconds; undefined where it is as long as the browser is open. */
export function sessionLife(req: Request): number | undefined {
  const life = sessionOf(req)?.cookie?.originalMaxAge;
  return typeof life === "number" && life > 0 && life < Infinity ? life : undefined;
}

/** By the machine's clock, as everything in a session's cookie is. */
function touchedAt(req: Request): number | undefined {
  const expires = sessionOf(req)?.cookie?.expires;
  const life = sessionLife(req);
  return expires instanceof Date && life !== undefined ? expires.getTime() - life : undefined;
}

/**
 * Passport keeps this session for a login of another user, which its record says: this one came by a token, or was put on the
 * request, and is the request's alone. What is kept of the other's is not touched for it.
 */
export function isOfAnother(req: Request, userId: UserId): boolean {
  if (sessionOf(req)?.passport?.user === undefined) return false;
  const record = anyRecord(req);
  return record !== undefined && record.user !== userId;
}

/** What is known of a login that the session holds without a record of it; undefined where the login is this request's alone. */
export function unmarkedSession(req: Request, userId: UserId): UnmarkedSession | undefined {
  if (isOfAnother(req, userId)) return undefined;
  const copied = copiedRecord(req, userId);
  if (copied === undefined && sessionOf(req)?.passport?.user === undefined) return undefined;
  return { id: loginIdOf(req), touchedAt: touchedAt(req), copied };
}

/** Puts a record into the session as it is now; saving is the caller's. */
export function putRecord(req: Request, record: SessionRecord): void {
  requireSession(req).secondFactor = textOf(record, idOf(req));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error("Passport or the session store failed", { cause: error });
}

/** Waits for such a callback. */
export function settled(act: (done: Done) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    act((error) => {
      if (error === undefined || error === null) resolve();
      else reject(placed(asError(error), "session"));
    });
  });
}

export function saveSession(req: Request): Promise<void> {
  return settled((callback) => requireSession(req).save(callback));
}

/** Stores a record, and waits: the next request may come before this one's answer has been read. */
export async function saveRecord(req: Request, record: SessionRecord): Promise<void> {
  putRecord(req, record);
  await saveSession(req);
}

/** With the cookie's chosen life ("remember me"), and without when that ends, which moves at every request. */
function contentOf(session: Session): string {
  return JSON.stringify([{ ...session, cookie: undefined }, session.cookie?.originalMaxAge]);
}

/** Replaces a method of one object without showing up in it: sessions are serialized, and merged by Passport. */
export function override(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { configurable: true, writable: true, enumerable: false, value });
}

/**
 * express-session saves a session whose id is new once more when the answer ends, even if it was saved since. One that was saved
 * here and has not changed is not: that is a round trip, and the answer leaves in one piece.
 */
export function saveOnce(session: Session): void {
  const save = session.save.bind(session);
  let saved: string | undefined;
  override(session, "save", function saveUnlessSaved(given?: unknown): Session {
    const done = typeof given === "function" ? (given as Done) : (): void => undefined;
    const content = contentOf(session);
    if (content === saved) done();
    else {
      save((error) => {
        saved = error === undefined || error === null ? content : undefined;
        done(error);
      });
    }
    return session;
  });
}

/** What was chosen for the cookie is chosen for the one that takes its place; its life begins anew ("remember me"). */
function keepCookie({ cookie: renewed }: Session, cookie: Session["cookie"]): void {
  if (renewed === undefined || cookie === undefined) return;
  const { _expires, originalMaxAge, ...chosen } = cookie as Record<string, unknown>;
  Object.assign(renewed, Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)));
  if (originalMaxAge !== undefined) renewed.maxAge = originalMaxAge as number | null;
}

/** Has something done whenever the session is saved with another life than it has now, before whoever saves it goes on. */
export function onNewLife(req: Request, act: () => Promise<void>): void {
  const session = sessionOf(req);
  if (session === undefined) return;
  const save = session.save.bind(session);
  let life = sessionLife(req);
  override(session, "save", function saveAndTell(given?: unknown): Session {
    const done = typeof given === "function" ? (given as Done) : (): void => undefined;
    save((error) => {
      const next = sessionLife(req);
      if ((error !== undefined && error !== null) || next === life) {
        done(error);
        return;
      }
      life = next;
      act().then(
        () => {
          done();
        },
        () => {
          done();
        },
      );
    });
    return session;
  });
}

/**
 * Gives the session a new id and the new record, and keeps everything else the application has put there. The old id is
 * destroyed before this resolves.
 */
export async function renewSession(req: Request, record: SessionRecord): Promise<void> {
  const { cookie, ...kept } = requireSession(req);
  const before = idOf(req);
  await settled((callback) => requireSession(req).regenerate(callback));
  const renewed = requireSession(req);
  requireNewId(req, before);
  saveOnce(renewed);
  Object.assign(renewed, kept);
  putRecord(req, record);
  keepCookie(renewed, cookie);
  await saveSession(req);
}
