import { type MethodType, MINUTE } from "../core/nouns.js";
import { cleanText, MAX_LABEL } from "../core/text.js";
import { isFresh } from "../core/time.js";
import type { Done, Draft } from "../core/notes.js";
import type { Refused } from "../pages/views.js";
import { wantsPage } from "./answers.js";
import type { Reply, RequestContext, RouteContext } from "./route.js";
import { renewSession, saveRecord } from "./session.js";

// What the settings page is to say beside the settings: what was done just now, and what somebody had typed.

/** What the settings page says once. */
export interface Notes {
  readonly done?: Done | undefined;
  readonly draft?: Draft | undefined;
  readonly refused?: Refused | undefined;
  /** What the caller is to read out to the help desk. */
  readonly callerNumber?: string;
}

/** News of long ago is none. */
const DONE_LIFE = 10 * MINUTE;

/** What was noted for the settings page, which is told only once. */
export async function takeNotes({ login, pages, req, settings }: RouteContext): Promise<Notes> {
  const { session } = login;
  if (session === undefined || !wantsPage(req, pages)) return {};
  const { done, draft, ...plain } = session;
  if (done === undefined && draft === undefined) return {};
  await saveRecord(req, plain);
  const isNews = done !== undefined && isFresh(done.at, DONE_LIFE, settings.clock());
  return { draft, ...(isNews && { done }) };
}

/** Writes what a reply leaves in the session: its new record, and for a browser what it is to be told of next. */
export async function writeRecord(
  { login, pages, req, settings }: RequestContext & Pick<Partial<RouteContext>, "login">,
  { done, session }: Reply,
): Promise<void> {
  const isTold = done !== undefined && wantsPage(req, pages);
  const noted = isTold ? { done: { ...done, at: settings.clock() } } : {};
  if (session !== undefined) await renewSession(req, { ...session, ...noted });
  else if (isTold && login?.session !== undefined) await saveRecord(req, { ...login.session, ...noted });
}

/** The form that began an enrollment in vain. */
export function refusedOf(type: MethodType, body: unknown): Refused {
  const { replaces } = (body ?? {}) as { readonly replaces?: unknown };
  return { type, ...(typeof replaces === "string" && { replaces }) };
}

type About = Omit<Draft, "label">;

/** What somebody typed as a name, as the page shows it again; undefined where they typed none. */
export function draftOf(about: About, body: unknown): Draft | undefined {
  const { label } = (body ?? {}) as { readonly label?: unknown };
  const typed = typeof label === "string" ? cleanText(label, MAX_LABEL) : "";
  return typed === "" ? undefined : { ...about, label: typed };
}

/** Keeps it until the settings page is shown again, once the proof is given that it waits for. */
export async function keepDraft(context: RouteContext, draft: Draft | undefined): Promise<RouteContext> {
  const { login, req } = context;
  if (draft === undefined || login.session === undefined) return context;
  const session = { ...login.session, draft };
  await saveRecord(req, session);
  return { ...context, login: { ...login, session } };
}
