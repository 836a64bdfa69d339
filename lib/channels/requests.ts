import { attempt } from "../core/attempt.js";
import type { DeliveryReason } from "../core/delivery-error.js";

/** As much of an answer as is read. */
export interface FetchAnswer {
  readonly status: number;
  text(): PromiseLike<string>;
}

/** What a request is made of. A redirect is an answer: nobody else is told what was meant for one. */
export interface FetchTerms {
  readonly method: "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly redirect: "manual";
  readonly signal: AbortSignal;
}

/** As much of `fetch` as is used. */
export type FetchLike = (url: string, terms: FetchTerms) => PromiseLike<FetchAnswer>;

/** What somebody else's server said. */
export interface Said {
  readonly status: number;
  /** Undefined where it is no JSON. */
  readonly body: unknown;
}

export interface PostTerms {
  /** `The Firebase message`: how errors begin. */
  readonly what: string;
  readonly fetch: FetchLike;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

/** What says nothing but that something failed. */
const NAMELESS: readonly unknown[] = ["Error", "TypeError"];

/** Why `fetch` failed: what happened to the connection is in the cause, and its words hold addresses. */
export function connectionReason(error: unknown): DeliveryReason {
  const { cause, name } = Object(error) as { readonly cause?: unknown; readonly name?: unknown };
  const { code } = Object(cause) as { readonly code?: unknown };
  return { code: code ?? (NAMELESS.includes(name) ? undefined : name) };
}

/** Whatever is answered is an answer; only that there was none is an error. */
export async function post({ what, fetch, url, headers, body, signal }: PostTerms): Promise<Said> {
  return attempt({
    what,
    signal,
    reasonOf: connectionReason,
    async ask(over): Promise<Said> {
      const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: over });
      return { status: answer.status, body: jsonIn(await answer.text()) };
    },
  });
}

/** A gateway in between answers in HTML. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
