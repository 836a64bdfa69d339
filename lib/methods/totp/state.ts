import type { KeyContext } from "../../crypto/key-provider.js";

export type TotpAlgorithm = "sha1" | "sha256" | "sha512";

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
}

export const DIGITS = 6;
export const PERIOD = 30;

/** What a secret is sealed for: in another row it does not open. */
export function secretContext(userId: string): KeyContext {
  return { owner: userId, purpose: "totp-secret" };
}
