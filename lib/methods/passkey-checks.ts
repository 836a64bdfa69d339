// What the verifier library leaves to its caller; the tests in test/passkeys say which checks are whose.

/** EdDSA, ES256, RS256 (COSE): offered alike on every Node, so that a key made on one can be verified on another. */
export const OFFERED_ALGORITHMS = [-8, -7, -257] as const;

const COSE_KTY = 1;
const COSE_ALG = 3;
const COSE_CRV = -1;

/** Key type and curve each offered algorithm comes with (RFC 9053): an algorithm on a foreign key is not the one offered. */
const KEY_SHAPES: ReadonlyMap<unknown, { readonly kty: number; readonly crv?: number }> = new Map([
  [-8, { kty: 1, crv: 6 }],
  [-7, { kty: 2, crv: 1 }],
  [-257, { kty: 3 }],
]);

/** A COSE key, decoded. */
export interface CoseKey {
  get(label: number): unknown;
}

export function keyFitsOffer(key: CoseKey): boolean {
  const shape = KEY_SHAPES.get(key.get(COSE_ALG));
  if (shape === undefined || key.get(COSE_KTY) !== shape.kty) return false;
  return shape.crv === undefined || key.get(COSE_CRV) === shape.crv;
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
