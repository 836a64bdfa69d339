// The browser's side of Web Push, from RFC 8291 and RFC 8188 and node:crypto alone: what the tests read messages with has no line in
// common with what wrote them.
import { createDecipheriv, createECDH, createHmac, type ECDH, randomBytes } from "node:crypto";

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const digest = createHmac("sha256", key);
  for (const part of parts) digest.update(part);
  return digest.digest();
}

/** HKDF (RFC 5869) of one block, which is all that is needed here. */
function derived(salt: Uint8Array, secret: Uint8Array, info: Uint8Array, length: number): Buffer {
  return hmac(hmac(salt, secret), info, Buffer.of(1)).subarray(0, length);
}

/** RFC 8188 section 2: the header of a body, and its records. */
function parsed(body: Buffer): { salt: Buffer; keyId: Buffer; records: readonly Buffer[] } {
  const [recordSize, idLength] = [body.readUInt32BE(16), body.readUInt8(20)];
  const content = body.subarray(21 + idLength);
  const count = Math.ceil(content.length / recordSize);
  const records = Array.from({ length: count }, (_none, at) =>
    content.subarray(at * recordSize, (at + 1) * recordSize),
  );
  return { salt: body.subarray(0, 16), keyId: body.subarray(21, 21 + idLength), records };
}

/** RFC 8188 section 2: zeros, and before them a byte that says whether it was the last record. */
function withoutPadding(record: Buffer, isLast: boolean): Buffer {
  const end = record.findLastIndex((byte) => byte !== 0);
  if (record[end] !== (isLast ? 2 : 1)) throw new Error("A record does not say whether it is the last");
  return record.subarray(0, end);
}

/** A browser that has subscribed: what its push service is handed, only it can read. */
export class SubscribedBrowser {
  private readonly pair: ECDH = createECDH("prime256v1");
  private readonly auth: Buffer;

  /** Default: keys that nobody has had before. */
  constructor(keys?: { readonly privateKey: string; readonly auth: string }) {
    if (keys === undefined) this.pair.generateKeys();
    else this.pair.setPrivateKey(Buffer.from(keys.privateKey, "base64url"));
    this.auth = keys === undefined ? randomBytes(16) : Buffer.from(keys.auth, "base64url");
  }

  /** As `PushSubscription.toJSON()` has it. */
  subscription(endpoint: string) {
    const p256dh = this.pair.getPublicKey("base64url");
    return { endpoint, expirationTime: null, keys: { p256dh, auth: this.auth.toString("base64url") } };
  }

  /** Throws for what was not encrypted for this browser. */
  read(body: Buffer): string {
    const { salt, keyId, records } = parsed(body);
    const shared = this.pair.computeSecret(keyId);
    const info = Buffer.concat([Buffer.from("WebPush: info\0"), this.pair.getPublicKey(), keyId]);
    const secret = derived(this.auth, shared, info, 32);
    const key = derived(salt, secret, Buffer.from("Content-Encoding: aes128gcm\0"), 16);
    const nonce = derived(salt, secret, Buffer.from("Content-Encoding: nonce\0"), 12);
    const parts = records.map((record, at) => {
      const iv = Buffer.from(nonce);
      iv.writeUInt32BE((iv.readUInt32BE(8) ^ at) >>> 0, 8);
      const decipher = createDecipheriv("aes-128-gcm", key, iv);
      decipher.setAuthTag(record.subarray(-16));
      const plain = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
      return withoutPadding(plain, at === records.length - 1);
    });
    return Buffer.concat(parts).toString();
  }
}
