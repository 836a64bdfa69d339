import { randomBytes } from "node:crypto";
import type { Tampering } from "express-second-factor/testing";

/** One property of an otherwise genuine answer that is wrong, and signed all the same. */
export interface Lie {
  /** The step of the specification that finds it. */
  readonly step: string;
  readonly says: string;
  readonly lie: Tampering;
  /** Only where user verification is required. */
  readonly underRequired?: true;
  /** Who refuses it: the verifier library by itself, or only this library around it. */
  readonly caughtBy: "verifier" | "here";
}

export const UP = 0x01;
export const UV = 0x04;
export const BE = 0x08;
export const BS = 0x10;
const AT = 0x40;
const ED = 0x80;

export function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

export function randomText(bytes: number): string {
  return base64url(randomBytes(bytes));
}

/** Places that are not `http://localhost:3000`, however near. */
export const OTHER_ORIGINS = [
  "https://localhost:3000",
  "http://localhost",
  "http://localhost:3001",
  "http://sub.localhost:3000",
  "http://localhost:3000.evil.test",
  "http://localhost.evil.test:3000",
  "http://evil.test/http://localhost:3000",
  "http://localhost:3000/",
  "http://LOCALHOST:3000",
  "https://evil.test",
  "null",
  null,
  "",
  ["http://localhost:3000"],
] as const;

function clientLies(step: Readonly<Record<"type" | "challenge" | "origin", string>>, type: string): Lie[] {
  const origins = OTHER_ORIGINS.map((origin): Lie => {
    return {
      step: step.origin,
      says: `the origin is ${JSON.stringify(origin)}`,
      lie: { clientData: { origin } },
      caughtBy: "verifier",
    };
  });
  const types = [type, "payment.get", "", undefined, null].map((other): Lie => {
    return {
      step: step.type,
      says: `the type is ${String(other)}`,
      lie: { clientData: { type: other } },
      caughtBy: "verifier",
    };
  });
  const challenges = [randomText(32), "", undefined, null, 5, {}].map((challenge): Lie => {
    return {
      step: step.challenge,
      says: `the challenge is ${typeof challenge === "string" && challenge !== "" ? "another" : JSON.stringify(challenge)}`,
      lie: { clientData: { challenge } },
      caughtBy: "verifier",
    };
  });
  return [...types, ...challenges, ...origins];
}

function partyLies(step: Readonly<Record<"rp" | "present" | "verified" | "backup", string>>): Lie[] {
  const parties = ["evil.test", "sub.localhost", "localhost:3000", "http://localhost", ""].map((rpId): Lie => {
    return { step: step.rp, says: `the relying party hashed is "${rpId}"`, lie: { rpId }, caughtBy: "verifier" };
  });
  return [
    ...parties,
    {
      step: step.present,
      says: "the user was not present",
      lie: { flags: (flags) => flags & ~UP },
      caughtBy: "verifier",
    },
    {
      step: step.verified,
      says: "the user was not verified, where that is required",
      lie: { flags: (flags) => flags & ~UV },
      underRequired: true,
      caughtBy: "verifier",
    },
    {
      step: step.backup,
      says: "it is backed up and cannot be",
      lie: { flags: (flags) => (flags & ~BE) | BS },
      caughtBy: "verifier",
    },
  ];
}

function frameLies(cross: string, top: string, caughtTop: Lie["caughtBy"]): Lie[] {
  return [
    { step: cross, says: "a frame on another site", lie: { clientData: { crossOrigin: true } }, caughtBy: "here" },
    { step: cross, says: "crossOrigin is no boolean", lie: { clientData: { crossOrigin: "yes" } }, caughtBy: "here" },
    {
      step: top,
      says: "a top origin without a frame",
      lie: { clientData: { topOrigin: "https://evil.test" } },
      caughtBy: caughtTop,
    },
    {
      step: top,
      says: "a frame on a top origin",
      lie: { clientData: { crossOrigin: true, topOrigin: "https://evil.test" } },
      caughtBy: caughtTop,
    },
    {
      step: top,
      says: "a frame on a top origin that is the site itself",
      lie: { clientData: { crossOrigin: true, topOrigin: "http://localhost:3000" } },
      caughtBy: caughtTop,
    },
  ];
}

function cose(
  ...entries: readonly (readonly [number, number | Uint8Array])[]
): ReadonlyMap<number, number | Uint8Array> {
  return new Map(entries);
}

const X = new Uint8Array(randomBytes(32));
const Y = new Uint8Array(randomBytes(32));
const LONG = randomText(1024);

function keyLie(
  says: string,
  publicKey: ReadonlyMap<number, number | Uint8Array>,
  caughtBy: Lie["caughtBy"] = "verifier",
): Lie {
  return { step: "20", says, lie: { publicKey }, caughtBy };
}

/** WebAuthn Level 3 section 7.1. */
export const REGISTRATION_LIES: readonly Lie[] = [
  ...clientLies({ type: "7", challenge: "8", origin: "9" }, "webauthn.get"),
  ...frameLies("10", "11", "here"),
  ...partyLies({ rp: "14", present: "15", verified: "16", backup: "17" }),
  { step: "13", says: "no credential is attested", lie: { flags: (flags) => flags & ~AT }, caughtBy: "verifier" },
  { step: "13", says: "extensions are announced", lie: { flags: (flags) => flags | ED }, caughtBy: "verifier" },
  keyLie("the algorithm is ES384, not offered", cose([1, 2], [3, -35], [-1, 2], [-2, X], [-3, Y])),
  keyLie("the algorithm is RS1, not offered", cose([1, 3], [3, -65_535], [-1, X], [-2, Y])),
  keyLie("the key has no algorithm", cose([1, 2], [-1, 1], [-2, X], [-3, Y])),
  keyLie("an ES256 key is of type OKP", cose([1, 1], [3, -7], [-1, 6], [-2, X]), "here"),
  keyLie("an ES256 key is on the curve P-384", cose([1, 2], [3, -7], [-1, 2], [-2, X], [-3, Y]), "here"),
  keyLie("an EdDSA key is of type EC2", cose([1, 2], [3, -8], [-1, 1], [-2, X], [-3, Y]), "here"),
  keyLie("an EdDSA key is on the curve X25519", cose([1, 1], [3, -8], [-1, 4], [-2, X]), "here"),
  keyLie("an RS256 key is of type EC2", cose([1, 2], [3, -257], [-1, 1], [-2, X], [-3, Y]), "here"),
  keyLie("an ES256 key has a coordinate cut short", cose([1, 2], [3, -7], [-1, 1], [-2, X], [-3, Y.slice(4)]), "here"),
  keyLie("an ES256 key lacks a coordinate", cose([1, 2], [3, -7], [-1, 1], [-2, X]), "here"),
  keyLie("an EdDSA key is cut short", cose([1, 1], [3, -8], [-1, 6], [-2, X.slice(1)]), "here"),
  keyLie("an RS256 key lacks its modulus", cose([1, 3], [3, -257], [-2, Uint8Array.of(1, 0, 1)]), "here"),
  keyLie("the key is without a type", cose([3, -7], [-1, 1], [-2, X], [-3, Y]), "here"),
  { step: "22", says: "the attestation format is unknown", lie: { format: "unheard-of" }, caughtBy: "verifier" },
  { step: "22", says: "the attestation format is empty", lie: { format: "" }, caughtBy: "verifier" },
  {
    step: "23",
    says: "no attestation comes with a statement",
    lie: { attestationStatement: new Map([["sig", X]]) },
    caughtBy: "verifier",
  },
  { step: "23", says: "packed attestation is without a statement", lie: { format: "packed" }, caughtBy: "verifier" },
  {
    step: "23",
    says: "packed attestation has a signature of nothing",
    lie: {
      format: "packed",
      attestationStatement: new Map<string, unknown>([
        ["alg", -7],
        ["sig", X],
      ]),
    },
    caughtBy: "verifier",
  },
  { step: "25", says: "the id is longer than 1023 bytes", lie: { id: LONG, attestedId: LONG }, caughtBy: "here" },
  { step: "26", says: "the id in the envelope is another", lie: { id: randomText(32) }, caughtBy: "here" },
];

function flip(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 0xff : byte));
}

/** ECDSA's two numbers one after the other, as elsewhere, and not DER, as WebAuthn asks. */
function rawNumbers(der: Uint8Array): Uint8Array {
  const length = der[3]!;
  const [r, s] = [der.subarray(4, 4 + length), der.subarray(6 + length)];
  return new Uint8Array(Buffer.concat([r, s].map((number) => Buffer.from(number).subarray(-32))));
}

/** WebAuthn Level 3 section 7.2. */
export const AUTHENTICATION_LIES: readonly Lie[] = [
  { step: "6", says: "the user handle is nobody's", lie: { userHandle: randomText(64) }, caughtBy: "here" },
  ...clientLies({ type: "10", challenge: "11", origin: "12" }, "webauthn.create"),
  ...frameLies("13", "14", "verifier"),
  ...partyLies({ rp: "15", present: "16", verified: "17", backup: "18" }),
  {
    step: "19",
    says: "it can no longer be backed up",
    lie: { flags: (flags) => flags & ~(BE | BS) },
    caughtBy: "here",
  },
  {
    step: "21",
    says: "the signature's first byte is flipped",
    lie: { signature: (bytes) => flip(bytes, 0) },
    caughtBy: "verifier",
  },
  {
    step: "21",
    says: "the signature's last byte is flipped",
    lie: { signature: (bytes) => flip(bytes, bytes.length - 1) },
    caughtBy: "verifier",
  },
  { step: "21", says: "the signature is not DER", lie: { signature: rawNumbers }, caughtBy: "verifier" },
  {
    step: "21",
    says: "the signature is one zero byte",
    lie: { signature: () => Uint8Array.of(0) },
    caughtBy: "verifier",
  },
];
