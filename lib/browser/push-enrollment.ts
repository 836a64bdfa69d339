import { enrollLines } from "../core/device-lines.js";
import { type Refused, type Submitted, submitFields, type Unsupported } from "./ceremony.js";
import { fromBase64url } from "./credentials.js";
import { deviceIdOf } from "./push-keys.js";
import {
  OwnPushDevice,
  post,
  type PushDevice,
  type PushTerms,
  siteOf,
  storeOf,
  subscriptionText,
} from "./push-devices.js";
import type { KeptPushDevice, PushStore } from "./push-store.js";

export interface EnrollPushOptions extends PushTerms {
  /** What its owner calls it. Default: the browser's name, as the server sees it. */
  readonly label?: string;
  /**
   * How it is woken: the channel's name as the application configured it, and what the push service gave for it (`subscribeToPush`,
   * or an app's token). Both or neither. Default: it is not woken, and asks by itself.
   */
  readonly channel?: string;
  /** See `channel`. */
  readonly subscription?: object | string;
  /** The key cannot leave its hardware: for stores of native apps, and nobody verifies it. Default: false. */
  readonly hardware?: boolean;
  /** The first factor again, where the application checks it and the login is not fresh. */
  readonly password?: string;
  /** `false`: with the account's first factor its other logins stay, and are asked for it. Default: they end. */
  readonly endOtherSessions?: boolean;
  /**
   * Sends the new key with this form, in fields that are made if they are missing, so that the browser follows the answer as it
   * follows any other form's. The device is kept all the same. Without it the answer comes back as the result.
   */
  readonly form?: HTMLFormElement;
}

export interface EnrolledPushDevice {
  readonly status: "enrolled";
  readonly factor: { readonly id: string; readonly label: string };
  /** With the first factor: to be shown once. */
  readonly backupCodes: readonly string[] | undefined;
  readonly device: PushDevice;
}

export type EnrollPushResult = EnrolledPushDevice | Submitted | Refused | Unsupported;

/** A device that nobody but this store knows of yet. */
interface Newcomer {
  readonly store: PushStore;
  readonly kept: KeptPushDevice;
}

/** Makes a key, and sees to it that the store keeps it: what it would lose is not sent. */
async function newcomer(options: EnrollPushOptions): Promise<Newcomer | undefined> {
  const { clock = Date.now, label } = options;
  const store = storeOf(options);
  try {
    const key = await store.createKey();
    const factorId = await deviceIdOf(fromBase64url(key.publicKey));
    const named = label === undefined ? {} : { label };
    const kept = { site: siteOf(options), factorId, key, submittedAt: clock(), ...named };
    await store.put(kept);
    return { store, kept };
  } catch {
    return undefined;
  }
}

/** As a form sends it; the route takes the same text in JSON. */
function fieldsOf({ channel, hardware, label, subscription }: EnrollPushOptions): Record<string, string> {
  return {
    ...(label === undefined ? {} : { label }),
    ...(channel === undefined ? {} : { channel }),
    ...(subscription === undefined ? {} : { subscription: subscriptionText(subscription) }),
    ...(hardware === true ? { hardware: "true" } : {}),
  };
}

function membersOf({ channel, endOtherSessions, hardware, label, password, subscription }: EnrollPushOptions): object {
  // JSON leaves out what is undefined.
  return { channel, endOtherSessions, hardware, label, password, subscription };
}

async function answered(
  { kept, store }: Newcomer,
  proof: object,
  options: EnrollPushOptions,
): Promise<EnrolledPushDevice | Refused> {
  const answer = await post("/push/enroll", { ...membersOf(options), ...proof }, options);
  if (!answer.ok) {
    // Without an answer it may be enrolled by now; the device finds out when it asks.
    if (answer.answer !== undefined) await store.remove(kept.site, kept.factorId);
    return { status: "refused", problem: answer.problem };
  }
  const { backupCodes, factor } = answer.body as unknown as EnrolledPushDevice;
  const device = { site: kept.site, factorId: factor.id, key: kept.key, label: factor.label };
  await store.put(device);
  if (factor.id !== kept.factorId) await store.remove(kept.site, kept.factorId);
  return { status: "enrolled", factor, backupCodes, device: new OwnPushDevice(device, options) };
}

/**
 * Makes this browser, or app, a device that approves sign-ins of the account that is logged in: a new key that cannot be read, kept
 * in `store`, and enrolled by a signature over the server's challenge. Asks for no permission: what wakes the device is got before,
 * by `subscribeToPush`. Where a browser keeps no keys: `unsupported`.
 *
 * @example
 * ```ts
 * import { enrollPushDevice } from "express-second-factor/browser";
 *
 * button.addEventListener("click", async () => {
 *   const result = await enrollPushDevice({ base: "/2fa", label: "My phone" });
 *   if (result.status === "refused") message.textContent = result.problem.detail ?? "That did not work.";
 *   if (result.status === "enrolled") message.textContent = result.backupCodes?.join("\n") ?? "Added.";
 * });
 * ```
 */
export async function enrollPushDevice(options: EnrollPushOptions): Promise<EnrollPushResult> {
  const { form, password } = options;
  const asked = await post("/push/enroll/options", password === undefined ? {} : { password }, options);
  if (!asked.ok) return { status: "refused", problem: asked.problem };
  const challenge = String(asked.body["challenge"]);
  const made = await newcomer(options);
  if (made === undefined) return { status: "unsupported" };
  const { publicKey } = made.kept.key;
  const proof = { publicKey, challenge, signature: await made.kept.key.sign(enrollLines(challenge)) };
  return form === undefined ? answered(made, proof, options) : submitFields(form, { ...fieldsOf(options), ...proof });
}
