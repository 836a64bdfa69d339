import type { ErrorCode } from "../core/errors.js";

/** What a route of the second factor says is wrong. */
export interface PasskeyProblem {
  readonly code: ErrorCode;
  /** A sentence for the visitor, in the words of the pages. */
  readonly detail?: string;
  /** Whole seconds until another attempt can succeed. */
  readonly retryAfter?: number;
}

/** How the routes are reached from a page of another origin, or by a client that keeps no cookies. */
export interface Reaching {
  /**
   * Comes in front of `base`, where the page is of another origin than the application: `"https://api.acme.example"`. The application
   * has to allow the page's origin (CORS, and the `origin` option). Default: the page's own.
   */
  readonly baseUrl?: string;
  /** Whether cookies go along, as `fetch` takes it. Default: `"same-origin"`, and `"include"` with a `baseUrl`. */
  readonly credentials?: RequestCredentials;
  /** Sent along with every request: a CSRF token, `Authorization`. `Content-Type` and `Accept` are set here. Default: none. */
  readonly headers?: HeadersInit;
}

export type Posted =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>>; readonly redirectTo: string | undefined }
  | {
      readonly ok: false;
      readonly problem: PasskeyProblem;
      /** Of the answer; absent where there was none. */
      readonly answer?: { readonly status: number; readonly date: string | null };
    };

/** What posts, and what is wrong where a 401 does not say it. */
export interface Posting extends Reaching {
  readonly fetch?: typeof fetch;
  readonly refusal?: ErrorCode;
}

type Members = Readonly<Record<string, unknown>>;

async function membersOf(response: Response): Promise<Members> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? (body as Members) : {};
  } catch {
    // No body, or one that is not JSON.
    return {};
  }
}

function problemOf(
  { code, detail, retryAfter }: Members,
  status: number,
  refusal: ErrorCode = "invalid-passkey",
): PasskeyProblem {
  const fallback: ErrorCode = status === 429 ? "too-many-attempts" : status === 401 ? refusal : "unavailable";
  return {
    code: typeof code === "string" ? (code as ErrorCode) : fallback,
    ...(typeof detail === "string" ? { detail } : {}),
    ...(typeof retryAfter === "number" ? { retryAfter } : {}),
  };
}

/** A whole address stays as it is. */
export function urlOf(path: string, baseUrl = ""): string {
  return URL.canParse(path) ? path : baseUrl.replace(/\/$/, "") + path;
}

function headersOf({ headers }: Reaching): Headers {
  const sent = new Headers(headers);
  sent.set("Content-Type", "application/json");
  sent.set("Accept", "application/json");
  return sent;
}

/** Posts JSON to a route of the application. No network is a problem like any other (`unavailable`). */
export async function postJson(path: string, body: object, reaching: Posting, signal?: AbortSignal): Promise<Posted> {
  const {
    baseUrl,
    credentials = baseUrl === undefined ? "same-origin" : "include",
    fetch = globalThis.fetch,
  } = reaching;
  let response: Response;
  try {
    response = await fetch(urlOf(path, baseUrl), {
      method: "POST",
      credentials,
      headers: headersOf(reaching),
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return { ok: false, problem: { code: "unavailable" } };
  }
  const members = await membersOf(response);
  const { headers, status } = response;
  if (!response.ok) {
    const problem = problemOf(members, status, reaching.refusal);
    return { ok: false, problem, answer: { status, date: headers.get("Date") } };
  }
  return { ok: true, body: members, redirectTo: response.redirected ? response.url : undefined };
}
