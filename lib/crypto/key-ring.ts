import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import type { KeyContext, KeyProvider } from "./key-provider.js";

interface RingKey {
  readonly id: string;
  readonly encryption: KeyObject;
  readonly digest: KeyObject;
}

const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = "aes-256-gcm";
const ID_PATTERN = /^[A-Za-z0-9_-]{1,32}$/;
const BASE64_PATTERN = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** What every problem of a key ends with. */
export const MEND = "Make one with: npx express-second-factor new-key";

/** Keys that were ever printed where people copy from: repeated bytes, counting bytes, and readable examples. */
function looksLikeAnExample(key: Buffer): boolean {
  const distinct = new Set(key).size;
  const readable = key.every((byte) => byte >= 0x20 && byte < 0x7f);
  const counting = key.every((byte, index) => index === 0 || byte === ((key[index - 1] ?? 0) + 1) % 256);
  return distinct < 8 || readable || counting;
}

function problemOf([id, encoded]: Entry, index: number): string | undefined {
  // By its place and not by its text: a key pasted without an id would be repeated.
  if (!ID_PATTERN.test(id) || encoded === "") {
    return `keys: entry ${index + 1} has no valid id. Write each key as id:base64, the id in letters, digits, - and _. ${MEND}`;
  }
  if (!BASE64_PATTERN.test(encoded)) return `keys: the key "${id}" is not base64. ${MEND}`;
  const key = Buffer.from(encoded, "base64");
  if (key.length !== KEY_BYTES) return `keys: the key "${id}" has ${key.length} bytes; it needs ${KEY_BYTES}. ${MEND}`;
  if (looksLikeAnExample(key)) return `keys: the key "${id}" is an example or typed by hand, not random. ${MEND}`;
  return undefined;
}

type Entry = readonly [id: string, encoded: string];

function split(entry: string): Entry {
  const colon = entry.indexOf(":");
  return colon < 0 ? [entry, ""] : [entry.slice(0, colon).trim(), entry.slice(colon + 1).trim()];
}

/** Every problem of a written key ring, each with its mend. Never repeats a key. */
export function keyRingProblems(text: string): string[] {
  const entries = text.split(",").map((entry) => split(entry.trim()));
  const problems = entries.map(problemOf).filter((each) => each !== undefined);
  const ids = entries.map(([id]) => id);
  const keys = entries.map(([, encoded]) => encoded);
  if (new Set(ids).size < ids.length) problems.push(`keys: a key id appears twice; give every key its own id. ${MEND}`);
  if (new Set(keys).size < keys.length)
    problems.push(`keys: the same key appears twice; a rotation needs a new key. ${MEND}`);
  return problems;
}

function deriveFor(use: string, key: Uint8Array): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync("sha256", key, "", `express-second-factor/${use}`, KEY_BYTES)));
}

function derive(id: string, key: Uint8Array): RingKey {
  return { id, encryption: deriveFor("encryption", key), digest: deriveFor("digest", key) };
}

/** JSON keeps the two apart: no owner and purpose can be cut differently into the same bytes. */
function authenticated({ owner, purpose }: { readonly owner: string | number; readonly purpose: string }): Buffer {
  return Buffer.from(JSON.stringify([purpose, owner]));
}

/** What the context of a value may have been before: a user whose id is a number was once its owner under that number. */
function authenticatedBefore({ owner, purpose }: KeyContext): Buffer | undefined {
  const number = Number(owner);
  return String(number) === owner ? authenticated({ owner: number, purpose }) : undefined;
}

function idOf(sealed: string): string {
  return sealed.slice(0, Math.max(sealed.indexOf("."), 0));
}

function keyOf(keys: ReadonlyMap<string, RingKey>, sealed: string): RingKey {
  const id = idOf(sealed);
  const key = keys.get(id);
  if (key === undefined) throw new Error(`No key with the id "${id}" is in the key ring`);
  return key;
}

function seal(key: RingKey, plaintext: Uint8Array, context: KeyContext): string {
  // A random 96-bit nonce per value: a key seals far fewer than 2^32 values, the bound of NIST SP 800-38D 8.3.
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key.encryption, iv).setAAD(authenticated(context));
  const sealed = Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  return `${key.id}.${sealed.toString("base64url")}`;
}

function open(key: RingKey, value: string, context: KeyContext): Uint8Array {
  const sealed = Buffer.from(value.slice(value.indexOf(".") + 1), "base64url");
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new Error("A sealed value is too short");
  const openAs = (aad: Buffer): Uint8Array => {
    const iv = sealed.subarray(0, IV_BYTES);
    const decipher = createDecipheriv(CIPHER, key.encryption, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(aad).setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  };
  try {
    return openAs(authenticated(context));
  } catch (error) {
    const before = authenticatedBefore(context);
    if (before === undefined) throw error;
    return openAs(before);
  }
}

function ringOf(keys: readonly RingKey[]): KeyProvider {
  const [newest] = keys;
  if (newest === undefined) throw new Error("A key ring needs at least one key");
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    // Async so that a throw becomes a rejection, as from any other provider.
    async encrypt(plaintext, context) {
      return seal(newest, plaintext, context);
    },
    async decrypt(sealed, context) {
      return open(keyOf(byId, sealed), sealed, context);
    },
    async mac(text, context) {
      return createHmac("sha256", newest.digest).update(authenticated(context)).update(text).digest("base64url");
    },
    keyId: (sealed) => (sealed === undefined ? newest.id : idOf(sealed)),
  };
}

/**
 * Reads `id:base64,id:base64`: the first key writes, all of them read. AES-256-GCM seals, HMAC-SHA-256 digests, each with
 * its own key derived by HKDF (RFC 5869). Check the text with {@link keyRingProblems} before.
 *
 * Does not rotate what is already stored: values keep the key they were written with until they are sealed anew.
 */
export function keyRing(text: string): KeyProvider {
  const entries = text.split(",").map((entry) => split(entry.trim()));
  return ringOf(entries.map(([id, encoded]) => derive(id, Buffer.from(encoded, "base64"))));
}

/** A key of its own for another use, of each key in the text, under the id that it has there; the first is the newest. */
export function keysFor(text: string, use: string): ReadonlyMap<string, KeyObject> {
  const entries = text.split(",").map((entry) => split(entry.trim()));
  return new Map(entries.map(([id, encoded]) => [id, deriveFor(use, Buffer.from(encoded, "base64"))]));
}

/** Keys that die with the process: for development over the memory store, which dies with it too. */
export function temporaryKeyRing(): KeyProvider {
  return ringOf([derive("temporary", randomBytes(KEY_BYTES))]);
}
