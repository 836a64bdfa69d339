import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const SEQUENCE = 0x30;

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

/** A part of a certificate's name: the type in hexadecimal, and what it says. */
export type NamePart = readonly [oid: string, value: string];

const COUNTRY = "550406";
const COMMON_NAME = "550403";

function name(parts: readonly NamePart[]): Buffer {
  const sets = parts.map(([type, value]) =>
    der(0x31, der(SEQUENCE, oid(type), der(type === COUNTRY ? 0x13 : 0x0c, Buffer.from(value)))),
  );
  return der(SEQUENCE, ...sets);
}

/** A certificate that signs for itself and for nobody else (X.509 version 3, P-256), in DER. */
export function certificateOf(privateKey: KeyObject, publicKey: KeyObject, parts: readonly NamePart[]): Uint8Array {
  const algorithm = der(SEQUENCE, oid("2a8648ce3d040302"));
  const who = name(parts);
  const validity = der(SEQUENCE, der(0x17, Buffer.from("200101000000Z")), der(0x18, Buffer.from("21200101000000Z")));
  const noAuthority = der(SEQUENCE, oid("551d13"), der(0x04, der(SEQUENCE)));
  const body = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    who,
    validity,
    who,
    publicKey.export({ format: "der", type: "spki" }),
    der(0xa3, der(SEQUENCE, noAuthority)),
  );
  const signature = sign("sha256", body, privateKey);
  return new Uint8Array(der(SEQUENCE, body, algorithm, der(0x03, Buffer.from([0]), signature)));
}

/** What a TLS server of that name needs, in PEM; its clients trust the certificate itself. */
export function serverCertificate(host: string): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const certificate = certificateOf(privateKey, publicKey, [[COMMON_NAME, host]]);
  const lines =
    Buffer.from(certificate)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return {
    key: String(privateKey.export({ format: "pem", type: "pkcs8" })),
    cert: ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n"),
  };
}
