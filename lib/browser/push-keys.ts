import { toBase64url } from "./credentials.js";

/** The key of a device that approves, wherever it is kept. */
export interface PushKey {
  /** P-256, SPKI in base64url. */
  readonly publicKey: string;
  /** ECDSA with SHA-256 over the text as UTF-8: r and s, 64 bytes, in base64url. */
  sign(text: string): Promise<string>;
}

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" } as const;
const ID_BYTES = 16;

/** What WebCrypto makes, and IndexedDB can hold: handles, no bytes. */
export interface WebKeys {
  readonly publicKey: string;
  readonly privateKey: CryptoKey;
}

/** What of a browser's there may be here, or not. */
function around(): { readonly crypto?: Partial<Crypto> } {
  return globalThis;
}

/** It is absent where the page was not served over HTTPS. */
export function hasWebCrypto(): boolean {
  return around().crypto?.subtle !== undefined;
}

/** A new key pair. Nobody, this page included, can read its private half. */
export async function newWebKeys(): Promise<WebKeys> {
  const { privateKey, publicKey } = await crypto.subtle.generateKey(CURVE, false, ["sign"]);
  // The public half of a pair can be exported, whatever is said of the private one.
  return { privateKey, publicKey: toBase64url(await crypto.subtle.exportKey("spki", publicKey)) };
}

export function webKey({ privateKey, publicKey }: WebKeys): PushKey {
  return {
    publicKey,
    async sign(text) {
      return toBase64url(await crypto.subtle.sign(SIGNATURE, privateKey, new TextEncoder().encode(text)));
    },
  };
}

/** The id that the device's factor has: both sides know it by the key alone, whoever sends the key, and however it is answered. */
export async function deviceIdOf(spki: ArrayBuffer): Promise<string> {
  return toBase64url((await crypto.subtle.digest("SHA-256", spki)).slice(0, ID_BYTES));
}
