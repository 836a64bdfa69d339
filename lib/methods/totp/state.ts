import type { KeyContext } from "../../crypto/key-provider.js";

export type TotpAlgorithm = "sha1" | "sha256" | "sha512";

/** Digits of a code. */
export type TotpDigits = 6 | 8;

/** What is stored of an authenticator: the secret sealed, and how far its codes have been used. */
export interface TotpState {
  readonly secret: string;
  /** The last accepted step; only a later one is ever accepted. */
  readonly step: number;
  /** Steps this authenticator's clock is ahead (or behind, negative), as found by resync. */
  readonly drift: number;
  readonly algorithm: TotpAlgorithm;
  /** Seconds per step. */
  readonly period: number;
  /** Absent: 6. Only what was taken over from another system has more. */
  readonly digits?: TotpDigits;
}

export const DIGITS: TotpDigits = 6;
export const MOST_DIGITS: TotpDigits = 8;
export const PERIOD = 30;

/** What owners and clients are told of an authenticator whose codes are not of the usual length. */
export const LONG_CODES = "8-digit";

export function digitsOf({ digits = DIGITS }: Pick<TotpState, "digits">): TotpDigits {
  return digits;
}

/** What a secret is sealed for: in another row it does not open. */
export function secretContext(userId: string): KeyContext {
  return { owner: userId, purpose: "totp-secret" };
}
