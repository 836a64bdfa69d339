import { type Account, type Device, isDeviceLive, liveDevice } from "../core/account.js";
import { withoutDevice } from "../core/account-changes.js";
import { SECOND, type UserId } from "../core/nouns.js";
import { isFresh } from "../core/time.js";
import { digestOf, findDigest, newDigestKey, openDigestKey } from "../crypto/digests.js";
import type { KeyContext, Keys } from "../crypto/key-provider.js";
import { randomId, randomToken } from "../crypto/random.js";

export interface TrustedDevicesOptions {
  /** Milliseconds from the grant; use does not extend it. */
  readonly maxAge: number;
  /** The least recently used are dropped beyond this many. */
  readonly maxPerUser: number;
}

/** What a presented token turned out to be. */
export type DeviceMatch =
  /** Good: `account` holds the rotated token, `token` goes to the browser. */
  | { readonly kind: "rotated"; readonly device: Device; readonly account: Account; readonly token: string }
  /** The token before, within its grace: good for a request that ran beside the one that rotated it. Nothing to write. */
  | { readonly kind: "grace"; readonly device: Device }
  /** A token that was used up: it was copied. `account` is without the device. */
  | { readonly kind: "replayed"; readonly device: Device; readonly account: Account }
  | { readonly kind: "none" };

const GRACE = 30 * SECOND;
const REMEMBERED_TOKENS = 6;

function tokenContext(userId: UserId, deviceId: string): KeyContext {
  return { owner: userId, purpose: `trusted-device/${deviceId}` };
}

function tokenOf(deviceId: string, secret: string): string {
  return `${deviceId}.${secret}`;
}

function putDevice(account: Account, device: Device, max: number, now: number): Account {
  const others = account.devices.filter((each) => each.id !== device.id && isDeviceLive(each, now));
  const kept = [device, ...others].toSorted((a, b) => b.lastUsedAt - a.lastUsedAt).slice(0, max);
  return { ...account, devices: kept };
}

/** The device with its key sealed by the newest key. */
export async function resealDevice(
  device: Device,
  { keys, userId }: { readonly userId: UserId; readonly keys: Keys },
): Promise<Device> {
  return { ...device, key: await keys.reseal(device.key, tokenContext(userId, device.id)) };
}

export interface Granted {
  readonly account: Account;
  readonly deviceId: string;
  /** The browser's only copy. */
  readonly token: string;
}

/** Browsers that stand in for a second factor because their owner asked for it, until something says otherwise. */
export class TrustedDevices {
  constructor(
    private readonly keys: Keys,
    private readonly options: TrustedDevicesOptions,
  ) {}

  async grant(account: Account, label: string, now: number): Promise<Granted> {
    const [id, secret] = [randomId(), randomToken()];
    const context = tokenContext(account.userId, id);
    const { key, sealed } = await newDigestKey(this.keys, context);
    const times = { createdAt: now, lastUsedAt: now, rotatedAt: now, expiresAt: now + this.options.maxAge };
    const device: Device = { id, label, ...times, key: sealed, digest: digestOf(key, secret, context), spent: [] };
    const granted = putDevice(account, device, this.options.maxPerUser, now);
    return { account: granted, deviceId: id, token: tokenOf(id, secret) };
  }

  /** Looks a presented token up. The caller stores the `account` it answers, conditionally, before believing it. */
  async match(account: Account, token: string, now: number): Promise<DeviceMatch> {
    const dot = token.indexOf(".");
    const device = liveDevice(account, token.slice(0, Math.max(dot, 0)), now, this.options.maxAge);
    if (device === undefined) return { kind: "none" };
    const known = [device.digest, ...device.spent];
    const context = tokenContext(account.userId, device.id);
    const key = await openDigestKey(this.keys, device.key, context);
    const found = findDigest(key, token.slice(dot + 1), known, context);
    if (found < 0) return { kind: "none" };
    if (found === 0) return this.rotate(account, device, key, now);
    if (found === 1 && isFresh(device.rotatedAt, GRACE, now)) return { kind: "grace", device };
    return { kind: "replayed", device, account: withoutDevice(account, device.id) };
  }

  private async rotate(account: Account, device: Device, key: Uint8Array, now: number): Promise<DeviceMatch> {
    const secret = randomToken();
    const digest = digestOf(key, secret, tokenContext(account.userId, device.id));
    const spent = [device.digest, ...device.spent].slice(0, REMEMBERED_TOKENS);
    const sealed = await resealDevice(device, { userId: account.userId, keys: this.keys });
    const next: Device = { ...sealed, digest, rotatedAt: now, lastUsedAt: now, spent };
    const rotated = putDevice(account, next, this.options.maxPerUser, now);
    return { kind: "rotated", device: next, account: rotated, token: tokenOf(device.id, secret) };
  }
}
