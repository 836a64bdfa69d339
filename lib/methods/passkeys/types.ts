import type { AuthenticationResponseJSON } from "@simplewebauthn/server";
import type { Factor } from "../../core/account.js";
import type { RelyingParty } from "./party.js";

/** What passkeys are checked by; see the options of `passkeys()`. */
export interface PasskeySettings {
  readonly rpId: string | undefined;
  readonly userVerification: "preferred" | "required";
  readonly residentKey: "discouraged" | "preferred" | "required";
  readonly counterRegression: "refuse" | "report";
  readonly names: Readonly<Record<string, string>>;
}

/** What is stored of a passkey. Nothing in it is secret. Bytes are base64url. */
export interface PasskeyState {
  readonly credentialId: string;
  /** COSE. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly aaguid: string;
  /** May be synced (BE); never changes. */
  readonly backupEligible: boolean;
  /** Is synced (BS), as it said last. */
  readonly backedUp: boolean;
  /**
   * It has shown that its user is asked for a PIN or biometrics (UV), when it was made or at any use since. Absent: it was made before
   * this was kept, and not used since.
   */
  readonly userVerified?: boolean;
  /** The domain it was made for, and answers for alone. Absent: it was made before this was kept. */
  readonly rpId?: string;
}

export interface RequestCeremony {
  readonly rpId: string;
  readonly challenge: string;
  /** The passkeys that will do; none: any that the browser finds by itself. */
  readonly allow: readonly Factor<PasskeyState>[];
  readonly needsUserVerification: boolean;
}

export interface CreationCeremony {
  readonly party: RelyingParty;
  readonly challenge: string;
  readonly userHandle: string;
  readonly accountName: string;
  readonly exclude: readonly Factor<PasskeyState>[];
}

/** An assertion as a body presents it, its challenge used up. */
export interface PresentedPasskey {
  readonly credential: AuthenticationResponseJSON;
  /** Undefined where passkeys cannot be used. */
  readonly party: RelyingParty | undefined;
  /** Undefined where it answers no challenge of ours. */
  readonly challenge: string | undefined;
}

export interface AttestationExpectation {
  readonly party: RelyingParty;
  readonly challenge: string;
  /** Asked for under conditional mediation, where nobody need be at the authenticator. */
  readonly isConditional: boolean;
}

/** A new passkey that was verified. */
export interface Attested {
  readonly state: PasskeyState;
  readonly name: string;
  readonly amr: readonly string[];
}
