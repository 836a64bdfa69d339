// A key that is stored must be one that its owner can sign with and nobody else. Neither the verifier library nor Node's import sees
// to it, but for points on P-256; test/passkeys/keys.test.ts says who refuses what.
import { isOnP256 } from "../../crypto/public-keys.js";
import { greatestCommonDivisor, mod, numberOf, powerMod } from "./numbers.js";

/** EdDSA, ES256, RS256 (COSE): offered alike on every Node, so that a key made on one can be verified on another. */
export const OFFERED_ALGORITHMS = [-8, -7, -257] as const;

/** A COSE key, decoded. */
export interface CoseKey {
  get(label: number): unknown;
}

const COSE_ALG = 3;

/** What a COSE key holds under one label: a number, or bytes of at least and at most so many. */
type Expected = number | readonly [least: number, most: number];

/** The key one offered algorithm comes with (RFC 9053, RFC 8230). */
interface Kind {
  /** Whole: another kind of key, or part of one, is not the one offered. */
  readonly shape: ReadonlyMap<number, Expected>;
  /** Whether it is good for anything; of bytes in that shape, in the order of their labels. */
  readonly isSound: (first: Uint8Array, second: Uint8Array) => boolean;
}

const KINDS: ReadonlyMap<unknown, Kind> = new Map<number, Kind>([
  [
    -8,
    {
      shape: new Map<number, Expected>([
        [1, 1],
        [-1, 6],
        [-2, [32, 32]],
      ]),
      isSound: isSoundEd25519,
    },
  ],
  [
    -7,
    {
      shape: new Map<number, Expected>([
        [1, 2],
        [-1, 1],
        [-2, [32, 32]],
        [-3, [32, 32]],
      ]),
      isSound: isOnP256,
    },
  ],
  [
    -257,
    {
      shape: new Map<number, Expected>([
        [1, 3],
        // Up to 4096 bits: to check more takes long, and no authenticator makes it.
        [-1, [256, 512]],
        [-2, [1, 8]],
      ]),
      isSound: isSoundRsa,
    },
  ],
]);

export function algorithmOf(key: CoseKey): unknown {
  return key.get(COSE_ALG);
}

/** Whether this is a key of an offered kind that its owner alone can sign with. */
export function keyFitsOffer(key: CoseKey): boolean {
  const kind = KINDS.get(algorithmOf(key));
  if (kind === undefined) return false;
  const { isSound, shape } = kind;
  if (![...shape].every(([label, expected]) => holds(key.get(label), expected))) return false;
  const [first = new Uint8Array(), second = new Uint8Array()] = [...shape.keys()]
    .map((label) => key.get(label))
    .filter((value) => value instanceof Uint8Array);
  return isSound(first, second);
}

function holds(value: unknown, expected: Expected): boolean {
  if (typeof expected === "number") return value === expected;
  const [least, most] = expected;
  return value instanceof Uint8Array && value.length >= least && value.length <= most;
}

const LEAST_MODULUS = 2n ** 2047n;
const SMALL_PRIMES = product(primesBelow(752));

function primesBelow(end: number): bigint[] {
  const numbers = Array.from({ length: end - 2 }, (_none, index) => index + 2);
  const isPrime = (number: number): boolean => !numbers.some((each) => each * each <= number && number % each === 0);
  return numbers.filter(isPrime).map(BigInt);
}

function product(numbers: readonly bigint[]): bigint {
  return numbers.reduce((result, number) => result * number, 1n);
}

/**
 * NIST SP 800-89 section 5.3.3, with every odd exponent from 3 on: 2048 bits in fact, odd, without small divisors, and neither a
 * prime nor the power of one, which is as good as factored.
 */
function isSoundRsa(modulusBytes: Uint8Array, exponentBytes: Uint8Array): boolean {
  const [modulus, exponent] = [numberOf(modulusBytes), numberOf(exponentBytes)];
  if (exponent < 3n || exponent % 2n === 0n) return false;
  if (modulus < LEAST_MODULUS || greatestCommonDivisor(modulus, SMALL_PRIMES) > 1n) return false;
  // Fermat: modulo a prime p, 2^p is 2, and so is 2 to any power of p. Of two primes neither is ever found like that by accident.
  const rest = mod(powerMod(2n, modulus, modulus) - 2n, modulus);
  return greatestCommonDivisor(modulus, rest) === 1n;
}

/** The field of edwards25519, and the constant of its curve -x² + y² = 1 + d x² y² (RFC 8032 section 5.1). */
const FIELD = 2n ** 255n - 19n;
const D = mod(-121_665n * powerMod(121_666n, FIELD - 2n, FIELD), FIELD);

/**
 * A point of edwards25519 in its one encoding (RFC 8032 section 5.1.3), and none of the eight of small order, in whose name anybody
 * can sign.
 */
function isSoundEd25519(encoded: Uint8Array): boolean {
  // Little-endian; the last bit says which of the two x it is, and each of them is as good as the other.
  const y = numberOf(encoded.toReversed()) % 2n ** 255n;
  if (y >= FIELD) return false;
  const square = mod(y * y, FIELD);
  const [above, below] = [square - 1n, D * square + 1n];
  // x² = above / below, which has a root where above * below has one (Euler). It is 0 where y is 1 or -1: of order 1 and 2.
  if (powerMod(above * below, (FIELD - 1n) / 2n, FIELD) !== 1n) return false;
  // Doubled, a point of order 8 has y = 0, as those of order 4 have; that is where y² = -x².
  const isOfOrder8 = mod(D * square * square + 2n * square - 1n, FIELD) === 0n;
  return square !== 0n && !isOfOrder8;
}
