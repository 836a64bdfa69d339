// What both ceremonies have in common, whoever asks: one at a time, and what a visitor does is a result and no error.

import { alone } from "./pending.js";
import type { PasskeyProblem, Reaching } from "./requests.js";

/** The visitor closed the dialog, let it time out, or another request took its place. Nothing is wrong. */
export interface Cancelled {
  readonly status: "cancelled";
}

/** The browser has no passkeys, or keeps no keys, or the page is not served over HTTPS. */
export interface Unsupported {
  readonly status: "unsupported";
}

export interface Refused {
  readonly status: "refused";
  readonly problem: PasskeyProblem;
}

/** The form is on its way; the browser is leaving the page. */
export interface Submitted {
  readonly status: "submitted";
}

/** What every ceremony is asked with. */
export interface Asking extends Reaching {
  /** Where the routes live: `"/2fa"`. */
  readonly base: string;
  /** Ends the request; the result is then `cancelled`. */
  readonly signal?: AbortSignal;
  /**
   * Sends the passkey with this form, in its field `credential` (made if there is none), so that the browser follows the
   * answer as it follows any other form's. Without it the answer comes back as the result.
   */
  readonly form?: HTMLFormElement;
}

export function isAvailable(): boolean {
  return typeof PublicKeyCredential === "function" && "credentials" in navigator;
}

function isCancelled(error: unknown): boolean {
  return error instanceof DOMException && ["NotAllowedError", "AbortError", "TimeoutError"].includes(error.name);
}

/** What a ceremony came to; whatever the browser throws for what a visitor does is a result. */
export async function told<T>(
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T | Cancelled | Refused> {
  try {
    return await alone(signal, (controller) => run(controller.signal));
  } catch (error) {
    if (isCancelled(error) || signal?.aborted === true) return { status: "cancelled" };
    // The authenticator holds one of the account's passkeys already.
    const isKnown = error instanceof DOMException && error.name === "InvalidStateError";
    if (isKnown) return { status: "refused", problem: { code: "conflict" } };
    throw error;
  }
}

/** Fills fields of the form, makes those that it has not got, and sends it. */
export function submitFields(form: HTMLFormElement, fields: Readonly<Record<string, string>>): Submitted {
  for (const [name, value] of Object.entries(fields)) {
    let field = form.querySelector<HTMLInputElement>(`input[name=${name}]`);
    if (field === null) {
      field = document.createElement("input");
      field.type = "hidden";
      field.name = name;
      form.append(field);
    }
    field.value = value;
  }
  form.submit();
  return { status: "submitted" };
}

export function submit(form: HTMLFormElement, credential: object): Submitted {
  return submitFields(form, { credential: JSON.stringify(credential) });
}
