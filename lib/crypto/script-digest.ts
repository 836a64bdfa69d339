import { createHash } from "node:crypto";

/** The name under which a Redis server keeps a script: SHA-1, as its protocol says. Nothing rests on this being a secure hash. */
export function scriptDigest(script: string): string {
  return createHash("sha1").update(script).digest("hex");
}
