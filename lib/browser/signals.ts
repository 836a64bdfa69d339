// The Signal API (WebAuthn Level 3 section 5.1.10): tells password managers what became of a passkey. Where it does not exist,
// or is refused, nothing happens; it is a courtesy.

interface Signals {
  signalAllAcceptedCredentials?(options: {
    rpId: string;
    userId: string;
    allAcceptedCredentialIds: string[];
  }): Promise<void>;
  signalUnknownCredential?(options: { rpId: string; credentialId: string }): Promise<void>;
  signalCurrentUserDetails?(options: {
    rpId: string;
    userId: string;
    name: string;
    displayName: string;
  }): Promise<void>;
}

function signals(): Signals {
  return typeof PublicKeyCredential === "function" ? PublicKeyCredential : {};
}

async function attempt(signal: () => Promise<void> | undefined): Promise<boolean> {
  try {
    const sent = signal();
    await sent;
    return sent !== undefined;
  } catch {
    return false;
  }
}

export interface RemovedPasskey {
  readonly rpId: string;
  /** base64url, as in `PublicKeyCredentialDescriptorJSON`. */
  readonly credentialId: string;
}

/**
 * A passkey that no longer opens anything: password managers stop offering it. Only for what is certain, because a passkey
 * that was refused may be a good one. Answers whether the browser took it.
 *
 * @example
 * ```ts
 * import { signalRemoved } from "express-second-factor/browser";
 *
 * const isTaken = await signalRemoved({ rpId: location.hostname, credentialId });
 * ```
 */
export function signalRemoved({ credentialId, rpId }: RemovedPasskey): Promise<boolean> {
  return attempt(() => signals().signalUnknownCredential?.({ rpId, credentialId }));
}

export interface AcceptedPasskeys {
  readonly rpId: string;
  /** The user handle, base64url. */
  readonly userId: string;
  /** Every passkey of the account that is in force, base64url. */
  readonly credentialIds: readonly string[];
}

/**
 * The account's passkeys, all of them: password managers stop offering the others, and offer these again. What
 * `GET /2fa/settings` answers under `passkeys` is what this takes. Answers whether the browser took it.
 *
 * @example
 * ```ts
 * import { signalAccepted } from "express-second-factor/browser";
 *
 * const response = await fetch("/2fa/settings", { headers: { Accept: "application/json" } });
 * const { passkeys } = await response.json();
 * if (passkeys !== undefined) await signalAccepted(passkeys);
 * ```
 */
export function signalAccepted({ credentialIds, rpId, userId }: AcceptedPasskeys): Promise<boolean> {
  const allAcceptedCredentialIds = [...credentialIds];
  return attempt(() => signals().signalAllAcceptedCredentials?.({ rpId, userId, allAcceptedCredentialIds }));
}

export interface UserDetails {
  readonly rpId: string;
  /** The user handle, base64url. */
  readonly userId: string;
  readonly name: string;
  readonly displayName?: string;
}

/**
 * The account's name now: password managers show it. Answers whether the browser took it.
 *
 * @example
 * ```ts
 * import { signalUserDetails } from "express-second-factor/browser";
 *
 * const isTaken = await signalUserDetails({ rpId: location.hostname, userId: userHandle, name: "ann@acme.example" });
 * ```
 */
export function signalUserDetails({ displayName, name, rpId, userId }: UserDetails): Promise<boolean> {
  return attempt(() => signals().signalCurrentUserDetails?.({ rpId, userId, name, displayName: displayName ?? name }));
}
