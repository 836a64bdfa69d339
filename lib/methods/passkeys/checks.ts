// What the verifier library leaves to its caller; the tests in test/passkeys say which checks are whose.

import type { PasskeyState } from "./types.js";

interface ClientData {
  readonly challenge?: unknown;
  readonly crossOrigin?: unknown;
  readonly topOrigin?: unknown;
}

function readClientData(clientDataJSON: string): ClientData | undefined {
  try {
    // "UTF-8 decode" (7.1 step 5, 7.2 step 9): a byte order mark in front is stripped.
    const data: unknown = JSON.parse(new TextDecoder().decode(Buffer.from(clientDataJSON, "base64url")));
    return typeof data === "object" && data !== null ? data : undefined;
  } catch {
    return undefined;
  }
}

/** The challenge a response answers, as its client data says; undefined where there is none. */
export function challengeOf(clientDataJSON: string): string | undefined {
  const challenge = readClientData(clientDataJSON)?.challenge;
  return typeof challenge === "string" ? challenge : undefined;
}

/** The ceremony ran in a page of this site and not in a frame on another (7.1 steps 10-11, 7.2 steps 13-14). */
export function isSamePlace(clientDataJSON: string): boolean {
  const data = readClientData(clientDataJSON);
  const isFramed = data?.crossOrigin !== undefined && data.crossOrigin !== false;
  return data !== undefined && !isFramed && data.topOrigin === undefined;
}

/** RFC 8176: a key in software (synced) or hardware, its possession proved, and the user's gesture. */
export function amrOf({ backupEligible }: Pick<PasskeyState, "backupEligible">): string[] {
  return [backupEligible ? "swk" : "hwk", "pop", "user"];
}

/** 7.2 step 22. Authenticators without a counter always say 0. */
export function hasRegressed(known: number, next: number): boolean {
  return (known !== 0 || next !== 0) && next <= known;
}
