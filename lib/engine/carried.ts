import type { UserId } from "../core/nouns.js";
import type { KeyContext, Keys } from "../crypto/key-provider.js";

// What the first step knew, on its way to the end of the login, in a session that anybody with the session store can read.

function contextOf(userId: UserId): KeyContext {
  return { owner: userId, purpose: "carried" };
}

export function sealCarried(keys: Keys, userId: UserId, text: string): Promise<string> {
  return keys.encrypt(Buffer.from(text), contextOf(userId));
}

/** @throws where it was sealed for somebody else, for something else, or by a key that is not there any more */
export async function openCarried(keys: Keys, userId: UserId, sealed: string): Promise<string> {
  return Buffer.from(await keys.decrypt(sealed, contextOf(userId))).toString("utf8");
}
