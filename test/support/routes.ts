import type { Enrolled } from "./browser.js";

/** A route that changes something, and a body of the right shape for it. */
export interface StateRoute {
  readonly path: string;
  readonly body: object;
}

/** Something of the right shape and of nobody's. */
export const NOBODYS_ID = "AAAAAAAAAAAAAAAAAAAAAA";

/** Every route below `/2fa` that changes something: what sends codes, makes, changes and removes. */
export function stateRoutes(
  ids: { readonly factorId?: string; readonly deviceId?: string; readonly sessionId?: string } = {},
): StateRoute[] {
  const { factorId = NOBODYS_ID, deviceId = NOBODYS_ID, sessionId = NOBODYS_ID } = ids;
  const [code, backupCode] = ["000000", "0000-0000-0000-0000"];
  return [
    { path: "/2fa/totp", body: { code } },
    { path: "/2fa/backup-code", body: { code: backupCode } },
    { path: "/2fa/passkey/options", body: {} },
    { path: "/2fa/passkey", body: { credential: JSON.stringify(assertion()) } },
    { path: "/2fa/cancel", body: {} },
    { path: "/2fa/totp/enroll", body: {} },
    { path: "/2fa/totp/enroll/confirm", body: { factorId, code } },
    { path: "/2fa/totp/resync", body: { factorId, codes: [code, "000001"] } },
    { path: "/2fa/passkey/enroll/options", body: {} },
    { path: "/2fa/passkey/enroll", body: { credential: JSON.stringify(attestation()) } },
    { path: `/2fa/factors/${factorId}/rename`, body: { label: "renamed" } },
    { path: `/2fa/factors/${factorId}/remove`, body: {} },
    { path: `/2fa/factors/${factorId}/resume`, body: {} },
    { path: "/2fa/backup-codes", body: {} },
    { path: `/2fa/devices/${deviceId}/revoke`, body: {} },
    { path: "/2fa/devices/revoke-all", body: {} },
    { path: `/2fa/sessions/${sessionId}/revoke`, body: {} },
    { path: "/2fa/sessions/revoke-others", body: {} },
    { path: "/2fa/disable", body: {} },
  ];
}

/** Those of recoveries and of the help desk. `token`: of a link. */
export function wayBackRoutes(token = "AAAA"): StateRoute[] {
  return [
    { path: "/2fa/recovery", body: {} },
    { path: "/2fa/recovery/opt-out", body: { optedOut: true } },
    { path: "/2fa/recovery/confirm", body: { token } },
    { path: "/2fa/recovery/cancel", body: { token } },
    { path: "/2fa/recovery/complete", body: { token } },
    { path: "/2fa/temporary-pass", body: { code: "0000-0000-0000-0000" } },
    { path: "/2fa/caller-check", body: {} },
  ];
}

/** Routes that take a code. */
export const PROOF_ROUTES = ["/2fa/totp", "/2fa/backup-code"] as const;

function bytes(text: string): string {
  return Buffer.from(text).toString("base64url");
}

function credential(response: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { id: NOBODYS_ID, rawId: NOBODYS_ID, type: "public-key", clientExtensionResults: {}, response };
}

/** A passkey's answer to a challenge, of the right shape and with nothing true in it. */
export function assertion(response: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const made = { clientDataJSON: bytes("{}"), authenticatorData: bytes("data"), signature: bytes("signature") };
  return credential({ ...made, ...response });
}

/** A new passkey, of the right shape and with nothing true in it. */
export function attestation(response: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return credential({ clientDataJSON: bytes("{}"), attestationObject: bytes("object"), ...response });
}

/** Everything below `/2fa` that answers a GET. */
export const PAGES = ["/2fa", "/2fa/settings", "/2fa/replace", "/2fa/assets/style.css", "/2fa/assets/page.js"] as const;

/** Every way a secret of an enrollment could be written down. */
export function spellings({ phone, backupCodes }: Enrolled): string[] {
  const bytes = base32(phone.secret);
  const plain = backupCodes.map((code) => code.replaceAll("-", ""));
  const spelled = [...backupCodes, ...plain].flatMap((code) => [
    code,
    Buffer.from(code).toString("base64").replace(/=+$/, ""),
    Buffer.from(code).toString("base64url"),
    Buffer.from(code).toString("hex"),
  ]);
  return [phone.secret, ...encodings(bytes), ...encodings(Buffer.from(phone.secret)), ...spelled];
}

function encodings(bytes: Buffer): string[] {
  return [bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url")];
}

/** RFC 4648, written here once more so that no test believes the library about it. */
export function base32(text: string): Buffer {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(text, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 2)));
}

/** Which of the needles the text holds, in whatever case hexadecimal or base32 may be written in. */
export function found(text: string, needles: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return needles.filter((needle) => text.includes(needle) || lower.includes(needle.toLowerCase()));
}
