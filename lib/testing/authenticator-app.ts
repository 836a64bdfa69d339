import { generateSync } from "@otplib/totp";
import { parse } from "@otplib/uri";
import { base32nopad } from "@scure/base";
import { otpCrypto } from "../crypto/otp-plugin.js";

/** An authenticator app that scanned one QR code. */
export interface AuthenticatorApp {
  readonly issuer: string | undefined;
  /** The account as the app lists it, without the issuer. */
  readonly account: string;
  /** Unpadded base32. */
  readonly secret: string;
  /** Seconds a code stands. */
  readonly period: number;
  /** The code at a time in milliseconds since the epoch. Default: now. */
  code(at?: number): string;
}

/**
 * Reads an `otpauth://totp/` URI as a phone would, and gives the codes the phone would show. For tests.
 *
 * @throws TypeError for what is no text, and for a key URI of another kind; otherwise what is wrong with the URI
 *
 * @example
 * ```ts
 * import { authenticatorApp } from "express-second-factor/testing";
 *
 * const { body } = await agent.post("/2fa/totp/enroll").send({});
 * const phone = authenticatorApp(body.uri);
 * await agent.post("/2fa/totp/enroll/confirm").send({ factorId: body.factorId, code: phone.code() }).expect(201);
 * ```
 */
export function authenticatorApp(uri: string): AuthenticatorApp {
  // Most often a member of an answer that was a refusal.
  if (typeof uri !== "string") throw new TypeError(`authenticatorApp(uri): the uri is ${String(uri)}, not text`);
  const { type, label, params } = parse(uri);
  if (type !== "totp") throw new TypeError(`Not a time-based key URI: ${type}`);
  const { secret, issuer, algorithm = "sha1", digits = 6, period = 30 } = params;
  const bytes = base32nopad.decode(secret);
  return {
    issuer,
    account: label.slice(label.indexOf(":") + 1),
    secret,
    period,
    code(at = Date.now()) {
      return generateSync({
        secret: bytes,
        epoch: Math.floor(at / 1000),
        algorithm,
        digits,
        period,
        crypto: otpCrypto,
      });
    },
  };
}
