import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { isoCBOR } from "@simplewebauthn/server/helpers";
import type { PublicKeyCredentialCreationOptionsJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { SoftwareAuthenticator, Tampering } from "express-second-factor/testing";
import { certificateOf } from "../support/certificates.js";
import { base64url } from "./lies.js";

/** An attestation statement, made of what it signs. */
export type Statement = (signed: Uint8Array, device: SoftwareAuthenticator) => unknown;

function bytes(text: string): Buffer {
  return Buffer.from(text, "base64url");
}

export function sha256(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

/** A new passkey that comes with a statement over what it says (WebAuthn Level 3 section 6.5.4). */
export function attested(
  device: SoftwareAuthenticator,
  options: PublicKeyCredentialCreationOptionsJSON,
  format: string,
  statement: Statement,
  lie: Tampering = {},
): RegistrationResponseJSON {
  const made = device.create(options, lie);
  const object = isoCBOR.decodeFirst<Map<string, unknown>>(new Uint8Array(bytes(made.response.attestationObject)));
  const authData = object.get("authData") as Uint8Array;
  const signed = Buffer.concat([authData, sha256(bytes(made.response.clientDataJSON))]);
  const entries: [string, unknown][] = [
    ["fmt", format],
    ["attStmt", statement(signed, device)],
    ["authData", authData],
  ];
  const attestationObject = base64url(isoCBOR.encode(new Map(entries) as never));
  return { ...made, response: { ...made.response, attestationObject } };
}

/** Self attestation: the new key signs for itself. */
export function selfSigned(alg: number, change: (signature: Uint8Array) => Uint8Array = (each) => each): Statement {
  return (signed, { passkeys }) =>
    new Map<string, unknown>([
      ["alg", alg],
      ["sig", change(passkeys.at(-1)!.key.sign(signed))],
    ]);
}

/** A maker's key with its certificate, as section 8.2.1 wants them. */
export interface Maker {
  readonly certificate: Uint8Array;
  sign(data: Uint8Array): Uint8Array;
}

const MAKER = [
  ["550406", "AA"],
  ["55040a", "Acme"],
  ["55040b", "Authenticator Attestation"],
  ["550403", "Acme Key"],
] as const;

export function maker(): Maker {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = certificateOf(privateKey, publicKey, MAKER);
  return { certificate, sign: (data) => new Uint8Array(sign("sha256", data, privateKey)) };
}

/** Basic attestation: the maker signs for the key. */
export function madeBy(
  { certificate, sign: signWith }: Maker,
  { alg = -7, change = (each: Uint8Array) => each, chain = [certificate] as unknown } = {},
): Statement {
  return (signed) =>
    new Map<string, unknown>([
      ["alg", alg],
      ["sig", change(signWith(signed))],
      ["x5c", chain],
    ]);
}

/** Attestation of U2F (section 8.6): what its maker signs is put together from the answer's parts. */
export function byU2f(
  { certificate, sign: signWith }: Maker,
  change = (each: Uint8Array) => each,
  chain = 1,
): Statement {
  return (signed, { passkeys }) => {
    const { id, key } = passkeys.at(-1)!;
    const [partyHash, dataHash] = [signed.subarray(0, 32), signed.subarray(-32)];
    const point = [Uint8Array.of(4), key.publicKey.get(-2) as Uint8Array, key.publicKey.get(-3) as Uint8Array];
    const signature = signWith(Buffer.concat([Uint8Array.of(0), partyHash, dataHash, bytes(id), ...point]));
    return new Map<string, unknown>([
      ["x5c", Array.from({ length: chain }, () => certificate)],
      ["sig", change(signature)],
    ]);
  };
}
