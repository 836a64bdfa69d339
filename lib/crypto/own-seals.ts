import { isSilence } from "../core/errors.js";
import type { KeyContext, KeyProvider } from "./key-provider.js";

const PROBE = Buffer.from("probe");

/**
 * What a text holds that a client carried; undefined where it is none of ours. Nothing was stored of it, so a provider that refuses is
 * asked for something that it has to open: is it none of ours, or does it open nothing at all?
 */
export async function openIfOurs(
  keys: KeyProvider,
  sealed: string,
  context: KeyContext,
): Promise<Uint8Array | undefined> {
  try {
    return await keys.decrypt(sealed, context);
  } catch (error) {
    if (isSilence(error)) throw error;
    await keys.decrypt(await keys.encrypt(PROBE, context), context);
    return undefined;
  }
}
