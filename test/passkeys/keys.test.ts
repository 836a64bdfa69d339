// What a public key must be before it is stored. With attestation "none" nobody has signed anything by then: a key that is worthless
// would show it never, or to somebody else first.
import { createPublicKey, type JsonWebKeyInput, generateKeyPairSync, getDiffieHellman } from "node:crypto";
import { verifyRegistrationResponse } from "@simplewebauthn/server";
import { describe, expect, test } from "@jest/globals";
import { softwareAuthenticator } from "express-second-factor/testing";
import { ORIGIN } from "../support/app.js";
import { creationOptions, enrollWith, expectRefused, passkeyApp, passwordGiven, storedPasskeys } from "./stage.js";

type Key = ReadonlyMap<number, number | Uint8Array>;

interface Row {
  readonly says: string;
  readonly key: Key;
}

function bytesOf(number: bigint, length = 0): Uint8Array {
  const hex = number.toString(16);
  const plain = Buffer.from(hex.padStart(Math.max(hex.length + (hex.length % 2), 2 * length), "0"), "hex");
  return new Uint8Array(plain);
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

/** Square and multiply, written here once more so that no test believes the library about it. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let [square, left] = [base % modulus, exponent]; left > 0n; left /= 2n, square = (square * square) % modulus) {
    if (left % 2n === 1n) result = (result * square) % modulus;
  }
  return result;
}

/** A prime that everybody knows (RFC 2409, RFC 3526). */
function prime(group: "modp2" | "modp14" | "modp15"): bigint {
  return numberOf(getDiffieHellman(group).getPrime());
}

function rsa(modulus: bigint | Uint8Array, exponent: bigint | Uint8Array = 65_537n): Key {
  return new Map<number, number | Uint8Array>([
    [1, 3],
    [3, -257],
    [-1, typeof modulus === "bigint" ? bytesOf(modulus) : modulus],
    [-2, typeof exponent === "bigint" ? bytesOf(exponent) : exponent],
  ]);
}

function ed25519(hex: string): Key {
  return new Map<number, number | Uint8Array>([
    [1, 1],
    [3, -8],
    [-1, 6],
    [-2, new Uint8Array(Buffer.from(hex, "hex"))],
  ]);
}

function ec(x: Uint8Array, y: Uint8Array, alg = -7, curve = 1): Key {
  return new Map<number, number | Uint8Array>([
    [1, 2],
    [3, alg],
    [-1, curve],
    [-2, x],
    [-3, y],
  ]);
}

const P256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** The point with x = 5, which leaves room for x + p in 32 bytes. */
function small(): { readonly x: bigint; readonly y: bigint } {
  const x = 5n;
  const square = (x ** 3n - 3n * x + B) % P256;
  const y = power(square, (P256 + 1n) / 4n, P256);
  if ((y * y) % P256 !== square) throw new Error("There is no such point");
  return { x, y };
}

const { x, y } = small();
const THREE = prime("modp2") * prime("modp14");
/** A genuine one of 2048 bits. */
const TWO = numberOf(generated().get(-1) as Uint8Array);

function generated(): Key {
  const { e, n } = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
  return rsa(new Uint8Array(Buffer.from(n!, "base64url")), new Uint8Array(Buffer.from(e!, "base64url")));
}

const ZEROS = "00".repeat(30);
const ONES = "ff".repeat(30);
const ORDER_8 = [
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
];

/** Anybody can sign for these, or nobody; the verifier library and Node's import take them all. */
const TAKEN_BY_NODE: readonly Row[] = [
  ...[0n, 1n, 2n, 4n, 65_536n, 2n ** 64n - 2n].map((exponent) => ({
    says: `RSA with the exponent ${exponent}`,
    key: rsa(TWO, exponent),
  })),
  { says: "RSA with the exponent 1 behind zeros", key: rsa(TWO, Uint8Array.of(0, 0, 1)) },
  { says: "RSA with a modulus of 512 bits, padded to 2048", key: rsa(bytesOf(TWO >> 1536n, 256)) },
  { says: "RSA with a modulus of 1024 bits, padded to 4096", key: rsa(bytesOf(TWO >> 1024n, 512)) },
  { says: "RSA with a modulus of 2047 bits", key: rsa(bytesOf((TWO >> 1n) | 1n, 256)) },
  { says: "RSA with a modulus of nothing but zeros", key: rsa(new Uint8Array(256)) },
  { says: "RSA with an even modulus", key: rsa(TWO - 1n) },
  { says: "RSA with a modulus that 3 divides", key: rsa(TWO * 3n) },
  { says: "RSA with a modulus that 751 divides", key: rsa(TWO * 751n) },
  { says: "RSA with a modulus that is prime", key: rsa(prime("modp14")) },
  { says: "RSA with a modulus that is a prime's square", key: rsa(prime("modp2") ** 2n) },
  { says: "RSA with a modulus that is a prime's third power", key: rsa(prime("modp2") ** 3n) },
  ...ORDER_8.map((hex) => ({ says: `Ed25519 with a point of order 8, ${hex.slice(-2)}`, key: ed25519(hex) })),
  ...["00", "80"].flatMap((sign) => {
    const top = (0x7f + Number.parseInt(sign, 16)).toString(16);
    return [
      { says: `Ed25519 with the point of order 1, sign ${sign}`, key: ed25519(`01${ZEROS}${sign}`) },
      { says: `Ed25519 with the point of order 2, sign ${sign}`, key: ed25519(`ec${ONES}${top}`) },
      { says: `Ed25519 with a point of order 4, sign ${sign}`, key: ed25519(`00${ZEROS}${sign}`) },
      { says: `Ed25519 with a point of order 1, not reduced, sign ${sign}`, key: ed25519(`ee${ONES}${top}`) },
      { says: `Ed25519 with a point of order 4, not reduced, sign ${sign}`, key: ed25519(`ed${ONES}${top}`) },
      { says: `Ed25519 with a point of full order, not reduced, sign ${sign}`, key: ed25519(`f0${ONES}${top}`) },
      { says: `Ed25519 with y = 2, where there is no point, sign ${sign}`, key: ed25519(`02${ZEROS}${sign}`) },
    ];
  }),
];

/** Node's import refuses these by itself; the verifier library asks it for the first time at the first login. */
const REFUSED_BY_NODE: readonly Row[] = [
  { says: "a point beside P-256", key: ec(bytesOf(x, 32), bytesOf(y + 1n, 32)) },
  { says: "zero on P-256", key: ec(bytesOf(0n, 32), bytesOf(0n, 32)) },
  { says: "an x of P-256 that is not reduced", key: ec(bytesOf(x + P256, 32), bytesOf(y, 32)) },
  { says: "a y of P-256 that is the field's order", key: ec(bytesOf(x, 32), bytesOf(P256, 32)) },
  {
    says: "the largest numbers there are on P-256",
    key: ec(bytesOf(2n ** 256n - 1n, 32), bytesOf(2n ** 256n - 1n, 32)),
  },
  { says: "a point of P-256 the wrong way round", key: ec(bytesOf(y, 32), bytesOf(x, 32)) },
  { says: "a point beside P-384", key: ec(bytesOf(x, 48), bytesOf(y, 48), -7, 2) },
];

/** Neighbours of those, with which somebody can sign. */
const SOUND: readonly Row[] = [
  { says: "RSA with the exponent 3", key: rsa(TWO, 3n) },
  { says: "RSA with the exponent 65537, behind a zero", key: rsa(TWO, Uint8Array.of(0, 1, 0, 1)) },
  { says: "RSA with a modulus of 2048 bits", key: rsa(TWO) },
  { says: "RSA with a modulus of 3072 bits", key: rsa(THREE) },
  { says: "RSA with a modulus of 4096 bits", key: rsa(prime("modp2") * prime("modp15")) },
  { says: "a point of P-256", key: ec(bytesOf(x, 32), bytesOf(y, 32)) },
  { says: "a point of P-256 on the other side", key: ec(bytesOf(x, 32), bytesOf(P256 - y, 32)) },
  { says: "Ed25519 with y = 3", key: ed25519(`03${ZEROS}00`) },
  { says: "Ed25519 with y = 3 on the other side", key: ed25519(`03${ZEROS}80`) },
  // RFC 8032 section 7.1, tests 1 to 3.
  ...[
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
  ].map((hex, index) => ({ says: `Ed25519 of RFC 8032, test ${index + 1}`, key: ed25519(hex) })),
];

/** The key as Node's import takes it. */
function jwkOf(key: Key): JsonWebKeyInput {
  const part = (label: number): string => Buffer.from(key.get(label) as Uint8Array).toString("base64url");
  if (key.get(1) === 1) return { format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: part(-2) } };
  if (key.get(1) === 3) return { format: "jwk", key: { kty: "RSA", n: part(-1), e: part(-2) } };
  const crv = key.get(-1) === 1 ? "P-256" : "P-384";
  return { format: "jwk", key: { kty: "EC", crv, x: part(-2), y: part(-3) } };
}

function nodeImports(key: Key): boolean {
  try {
    createPublicKey(jwkOf(key));
    return true;
  } catch {
    return false;
  }
}

describe("a key that anybody can sign with, or nobody, is not stored", () => {
  test.each([...TAKEN_BY_NODE, ...REFUSED_BY_NODE])("$says", async ({ key }) => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    expectRefused(await enrollWith(jar, softwareAuthenticator(), { publicKey: key }));
    expect(await storedPasskeys(target, "alice")).toEqual([]);
  });

  test.each([...TAKEN_BY_NODE, ...REFUSED_BY_NODE])("the verifier library would store $says", async ({ key }) => {
    const options = await creationOptions(await passwordGiven(passkeyApp(), "alice"));
    const { verified } = await verifyRegistrationResponse({
      response: softwareAuthenticator().create(options, { publicKey: key }),
      expectedChallenge: options.challenge,
      expectedOrigin: [ORIGIN],
      expectedRPID: "localhost",
      supportedAlgorithmIDs: [-8, -7, -257],
    });
    expect(verified).toBe(true);
  });

  test.each(TAKEN_BY_NODE)("Node imports $says: it is this library that refuses", ({ key }) => {
    expect(nodeImports(key)).toBe(true);
  });

  test.each(REFUSED_BY_NODE)("Node's own import refuses $says", ({ key }) => {
    expect(nodeImports(key)).toBe(false);
  });
});

describe("a key that its owner can sign with is", () => {
  test.each(SOUND)("$says", async ({ key }) => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    expect((await enrollWith(jar, softwareAuthenticator(), { publicKey: key })).status).toBe(201);
    expect(await storedPasskeys(target, "alice")).toHaveLength(1);
  });

  test("whatever a generator makes", async () => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    const statuses = [];
    for (let times = 0; times < 8; times += 1) {
      for (const algorithm of ["EdDSA", "ES256"] as const) {
        statuses.push((await enrollWith(jar, softwareAuthenticator({ algorithm }))).status);
      }
    }
    expect(new Set(statuses)).toEqual(new Set([201]));
  });
});
