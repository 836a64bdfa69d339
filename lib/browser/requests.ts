import type { ErrorCode } from "../core/errors.js";

/** What a route of the second factor says is wrong. */
export interface PasskeyProblem {
  readonly code: ErrorCode;
  /** A sentence for the visitor, in the words of the pages. */
  readonly detail?: string;
  /** Whole seconds until another attempt can succeed. */
  readonly retryAfter?: number;
}

export type Posted =
  | { readonly ok: true; readonly body: Readonly<Record<string, unknown>>; readonly redirectTo: string | undefined }
  | { readonly ok: false; readonly problem: PasskeyProblem };

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

function problemOf({ code, detail, retryAfter }: Members, status: number): PasskeyProblem {
  const fallback: ErrorCode = status === 429 ? "too-many-attempts" : status === 401 ? "invalid-passkey" : "unavailable";
  return {
    code: typeof code === "string" ? (code as ErrorCode) : fallback,
    ...(typeof detail === "string" ? { detail } : {}),
    ...(typeof retryAfter === "number" ? { retryAfter } : {}),
  };
}

/** Posts JSON to a route of the same site. No network is a problem like any other (`unavailable`). */
export async function postJson(path: string, body: object, signal?: AbortSignal): Promise<Posted> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return { ok: false, problem: { code: "unavailable" } };
  }
  const members = await membersOf(response);
  if (!response.ok) return { ok: false, problem: problemOf(members, response.status) };
  return { ok: true, body: members, redirectTo: response.redirected ? response.url : undefined };
}
