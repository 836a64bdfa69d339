import { within } from "../core/within.js";
import type { KeyProvider } from "./key-provider.js";

function isBytes(answer: unknown): answer is Uint8Array {
  return answer instanceof Uint8Array;
}

/** A digest, a sealed value or an id: printable, and not empty by mistake. */
function isText(answer: unknown): answer is string {
  return typeof answer === "string" && answer !== "";
}

/** A key provider that answers as its contract says, or rejects as unavailable within `timeout` ms. */
export function guardedKeys(keys: KeyProvider, timeout: number): KeyProvider {
  const what = "The key provider";
  return {
    encrypt: (plaintext, context) => within(what, timeout, () => keys.encrypt(plaintext, context), isText),
    decrypt: (sealed, context) => within(what, timeout, () => keys.decrypt(sealed, context), isBytes),
    mac: (text, context) => within(what, timeout, () => keys.mac(text, context), isText),
    ...(keys.keyId !== undefined && {
      keyId: (sealed) => within(what, timeout, () => keys.keyId?.(sealed), isText),
    }),
  };
}
