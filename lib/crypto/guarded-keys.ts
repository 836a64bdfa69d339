import { isSilence } from "../core/errors.js";
import { placed } from "../core/places.js";
import { within } from "../core/within.js";
import type { KeyProvider } from "./key-provider.js";

function isBytes(answer: unknown): answer is Uint8Array {
  return answer instanceof Uint8Array;
}

/** A digest, a sealed value or an id: printable, and not empty by mistake. */
function isText(answer: unknown): answer is string {
  return typeof answer === "string" && answer !== "";
}

const WHAT = "The key provider";
const PLACE = "keys";

/**
 * A key provider that answers as its contract says, or rejects as unavailable within `timeout` ms. `tell` hears of every failure but
 * one: what it refuses to open may be a client's invention, so of that only the place is noted, for whoever refuses because of it.
 */
export function guardedKeys(keys: KeyProvider, timeout: number, tell: (error: unknown) => void): KeyProvider {
  const told = (error: unknown): never => {
    tell(error);
    throw error;
  };
  const noted = (error: unknown): never => {
    if (isSilence(error)) tell(error);
    throw placed(error, PLACE);
  };
  return {
    encrypt: (plaintext, context) => within(WHAT, timeout, () => keys.encrypt(plaintext, context), isText).catch(told),
    decrypt: (sealed, context) => within(WHAT, timeout, () => keys.decrypt(sealed, context), isBytes).catch(noted),
    mac: (text, context) => within(WHAT, timeout, () => keys.mac(text, context), isText).catch(told),
    ...(keys.keyId !== undefined && {
      keyId: (sealed) => within(WHAT, timeout, () => keys.keyId?.(sealed), isText).catch(told),
    }),
  };
}
