// Devices that approve, as their owners set them up, and what is needed to lie about one.
import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { Response } from "supertest";
import { backupCodes, passkeys, push, type PushChannel, type PushOptions, totp } from "express-second-factor";
import { enrollLines } from "../../lib/core/device-lines.js";
import { testApp, type TestApp, type TestAppOptions } from "./app.js";
import { Jar } from "./browser.js";
import { phone, type Phone } from "./phone.js";

/** Where a device says that it is reached, so that a test finds it wherever it must not be. */
export const ENDPOINT = "https://push.example/send/canary-of-a-subscription";
export const SUBSCRIPTION = {
  endpoint: ENDPOINT,
  expirationTime: null,
  keys: { p256dh: "canary-p256dh", auth: "canary-auth" },
};

/** Takes every message, and every subscription but those of another host. */
export function channel(name = "web-push", rest: Partial<PushChannel> = {}): PushChannel {
  return {
    name,
    send: async () => undefined,
    problem(subscription) {
      const isElsewhere = typeof subscription === "object" && !JSON.stringify(subscription).includes("push.example");
      return isElsewhere ? "host-not-allowed" : undefined;
    },
    ...rest,
  };
}

export function pushMethods(options: Partial<PushOptions> = {}) {
  const channels = [channel(), channel("fcm")];
  return [totp(), backupCodes(), passkeys(), push({ channels, ...options })];
}

/** An application whose users' devices approve. */
export function pushApp(rest: TestAppOptions = {}, options: Partial<PushOptions> = {}): TestApp {
  return testApp({ ...rest, options: { methods: pushMethods(options), ...rest.options } });
}

/** Somebody with a device, in the login that set it up. */
export interface DeviceOwner {
  readonly jar: Jar;
  readonly device: Phone;
}

export async function deviceOwner(target: TestApp, name: string, isReached = true): Promise<DeviceOwner> {
  const jar = new Jar(target);
  await jar.login(name);
  const device = await phone(target);
  await device.enroll(jar, isReached ? { channel: "web-push", subscription: SUBSCRIPTION } : {});
  return { jar, device };
}

export async function challengeFor(jar: Jar, body: object = {}): Promise<string> {
  const answer = await jar.post("/2fa/push/enroll/options", body);
  if (answer.status !== 200) throw new Error(`options answered ${answer.status}: ${answer.text}`);
  return (answer.body as { challenge: string }).challenge;
}

/** Enrolls a phone, with whatever else the body is to say. */
export async function enrollWith(jar: Jar, device: Phone, members: object = {}): Promise<Response> {
  return jar.post("/2fa/push/enroll", { ...(await device.enrollBody(await challengeFor(jar))), ...members });
}

/** A key of any kind that Node makes, and how a device with it would sign. */
export interface OtherKey {
  readonly publicKey: string;
  sign(text: string, dsaEncoding?: "der" | "ieee-p1363"): string;
}

function otherKey(publicKey: KeyObject, privateKey: KeyObject, algorithm: string | null): OtherKey {
  return {
    publicKey: publicKey.export({ format: "der", type: "spki" }).toString("base64url"),
    sign: (text, dsaEncoding = "ieee-p1363") =>
      sign(algorithm, Buffer.from(text), { key: privateKey, dsaEncoding }).toString("base64url"),
  };
}

export function ecKey(namedCurve: string): OtherKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
  return otherKey(publicKey, privateKey, "sha256");
}

export function rsaKey(): OtherKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return otherKey(publicKey, privateKey, "sha256");
}

export function edKey(): OtherKey {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return otherKey(publicKey, privateKey, null);
}

/** What stands before the point in the SPKI of a key on P-256, by the point's length. */
const SPKI_PREFIX = {
  33: "3039301306072a8648ce3d020106082a8648ce3d030107032200",
  65: "3059301306072a8648ce3d020106082a8648ce3d030107034200",
} as const;

/** A key on P-256 whose point is written in every form there is. */
export function p256Forms(): { readonly sign: OtherKey["sign"]; readonly forms: Readonly<Record<string, string>> } {
  const ecdh = createECDH("prime256v1");
  ecdh.generateKeys();
  const point = ecdh.getPublicKey(null, "uncompressed");
  const spki = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(SPKI_PREFIX[bytes.length as keyof typeof SPKI_PREFIX], "hex"), bytes]);
  const whole = spki(point);
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((each) => each.toString("base64url"));
  const d = ecdh.getPrivateKey("base64url");
  const privateKey = createPrivateKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x, y, d } as never });
  const offCurve = Buffer.from(point);
  offCurve[64]! ^= 1;
  const hybrid = Buffer.from(point);
  hybrid[0] = 6 + (point[64]! & 1);
  const text = whole.toString("base64url");
  return {
    sign: (lines, dsaEncoding = "ieee-p1363") =>
      sign("sha256", Buffer.from(lines), { key: privateKey, dsaEncoding }).toString("base64url"),
    forms: {
      spki: text,
      compressed: spki(ecdh.getPublicKey(null, "compressed")).toString("base64url"),
      hybrid: spki(hybrid).toString("base64url"),
      "not on the curve": spki(offCurve).toString("base64url"),
      "the bare point": point.toString("base64url"),
      "with bytes behind it": Buffer.concat([whole, Buffer.from([0])]).toString("base64url"),
      "cut short": whole.subarray(0, -1).toString("base64url"),
      padded: `${text}==`,
      base64: whole.toString("base64").replace(/[-_]/g, "+"),
      PEM: `-----BEGIN PUBLIC KEY-----\n${whole.toString("base64")}\n-----END PUBLIC KEY-----\n`,
      JWK: JSON.stringify({ kty: "EC", crv: "P-256", x, y }),
      "with bits that say nothing": text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1),
    },
  };
}

/** The body of an enrollment with another key than a phone has. */
export async function bodyWith(jar: Jar, { publicKey, sign: signed }: OtherKey): Promise<Record<string, string>> {
  const challenge = await challengeFor(jar);
  return { publicKey, challenge, signature: signed(enrollLines(challenge)) };
}
