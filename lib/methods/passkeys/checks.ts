// What the verifier library leaves to its caller; the tests in test/passkeys say which checks are whose.

/** EdDSA, ES256, RS256 (COSE): offered alike on every Node, so that a key made on one can be verified on another. */
export const OFFERED_ALGORITHMS = [-8, -7, -257] as const;

const COSE_ALG = 3;

/** What a COSE key holds under one label: a number, or bytes of at least and at most so many. */
type Expected = number | readonly [least: number, most: number];

/** The key each offered algorithm comes with (RFC 9053), whole: another kind of key, or part of one, is not the one offered. */
const KEY_SHAPES: ReadonlyMap<unknown, ReadonlyMap<number, Expected>> = new Map<number, Map<number, Expected>>([
  [
    -8,
    new Map<number, Expected>([
      [1, 1],
      [-1, 6],
      [-2, [32, 32]],
    ]),
  ],
  [
    -7,
    new Map<number, Expected>([
      [1, 2],
      [-1, 1],
      [-2, [32, 32]],
      [-3, [32, 32]],
    ]),
  ],
  [
    -257,
    new Map<number, Expected>([
      [1, 3],
      [-1, [256, 1024]],
      [-2, [1, 8]],
    ]),
  ],
]);

/** A COSE key, decoded. */
export interface CoseKey {
  get(label: number): unknown;
}

export function keyFitsOffer(key: CoseKey): boolean {
  const shape = KEY_SHAPES.get(key.get(COSE_ALG));
  return shape !== undefined && [...shape].every(([label, expected]) => holds(key.get(label), expected));
}

function holds(value: unknown, expected: Expected): boolean {
  if (typeof expected === "number") return value === expected;
  const [least, most] = expected;
  return value instanceof Uint8Array && value.length >= least && value.length <= most;
}

interface ClientData {
  readonly challenge?: unknown;
  readonly crossOrigin?: unknown;
  readonly topOrigin?: unknown;
}

function readClientData(clientDataJSON: string): ClientData | undefined {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, "base64url").toString("utf8"));
    return typeof data === "object" && data !== null ? data : undefined;
  } catch {
    return undefined;
  }
}

/** The challenge a response answers, as its client data says; undefined where there is none. */
export function challengeOf(clientDataJSON: string): string | undefined {
  const challenge = readClientData(clientDataJSON)?.challenge;
  return typeof challenge === "string" ? challenge : undefined;
}

/** The ceremony ran in a page of this site and not in a frame on another (7.1 steps 10-11, 7.2 steps 13-14). */
export function isSamePlace(clientDataJSON: string): boolean {
  const data = readClientData(clientDataJSON);
  const isFramed = data?.crossOrigin !== undefined && data.crossOrigin !== false;
  return data !== undefined && !isFramed && data.topOrigin === undefined;
}
