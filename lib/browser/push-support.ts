// What a browser can do for push approval, and getting it to be woken. Every reason is a name; the words stand in the pages.

import { fromBase64url } from "./credentials.js";
import { hasWebCrypto } from "./push-keys.js";
import { browserStore } from "./push-store.js";

/**
 * Why a browser cannot be a device, or not be woken:
 * - `insecure`: the page was not served over HTTPS.
 * - `no-storage`: the browser keeps no keys, as in some private windows.
 * - `needs-installing`: Safari on an iPhone or iPad wakes sites that were added to the home screen, and no others.
 * - `no-push`: the browser has no Web Push, or has switched it off, as in some private windows.
 * - `denied`: its visitor, or a private window, does not allow notifications. Only they can change that, in its settings.
 * - `dismissed`: its visitor was asked, and said nothing.
 * - `failed`: the browser's push service, or the service worker, did not answer as it should. Later it may.
 */
export type PushObstacle =
  "insecure" | "no-storage" | "needs-installing" | "no-push" | "denied" | "dismissed" | "failed";

/** What this browser can do. */
export interface PushSupport {
  /** It can make a key and keep it: it can be a device, and list what waits for it. */
  readonly keys: boolean;
  /** It can be woken by messages. */
  readonly messages: boolean;
  /** Its visitor has allowed notifications already: nobody will be asked. */
  readonly allowed: boolean;
  /** Why it cannot; absent where it can do all of it. */
  readonly obstacle?: PushObstacle;
}

export interface SubscribeOptions {
  /** Address of the service worker: `"/2fa/push/worker.js"`. */
  readonly worker: string;
  /** The channel's public key, base64url: `applicationServerKey` of the application's Web Push channel. */
  readonly applicationServerKey: string;
  /** Ends what this browser has subscribed before: its push service takes no messages for that any more. Default: false. */
  readonly anew?: boolean;
}

export interface PushSubscribed {
  readonly status: "subscribed";
  /** What `enrollPushDevice` and `renew` take. */
  readonly subscription: PushSubscriptionJSON;
}

export interface PushUnavailable {
  readonly status: "unavailable";
  readonly obstacle: PushObstacle;
}

export type SubscribeResult = PushSubscribed | PushUnavailable;

/** What there may be, or not. */
interface Surroundings {
  readonly navigator?: { readonly serviceWorker?: ServiceWorkerContainer; readonly standalone?: boolean };
  readonly Notification?: Pick<typeof Notification, "permission" | "requestPermission">;
  readonly PushManager?: unknown;
  readonly isSecureContext?: boolean;
}

function around(): Surroundings {
  return globalThis;
}

/** Tries it: a browser may have storage, and refuse to keep a key in it. */
async function keepsKeys(): Promise<boolean> {
  const probe = { site: "", factorId: "" };
  try {
    await browserStore.put({ ...probe, key: await browserStore.createKey() });
    await browserStore.remove(probe.site, probe.factorId);
    return true;
  } catch {
    return false;
  }
}

/** What this browser lacks for being woken. */
function lack({
  navigator,
  Notification: notifications,
  PushManager: manager,
}: Surroundings): PushObstacle | undefined {
  const parts = [navigator?.serviceWorker, manager, notifications];
  if (parts.every((part) => part !== undefined)) return undefined;
  // Only Safari on these devices says whether it was started from the home screen; where it was not, it has no push.
  return navigator?.standalone === false ? "needs-installing" : "no-push";
}

/** Why this browser cannot be woken, as far as that is to be seen without asking anybody. */
function obstacle(): PushObstacle | undefined {
  const here = around();
  if (here.isSecureContext === false || !hasWebCrypto()) return "insecure";
  return lack(here) ?? (here.Notification?.permission === "denied" ? "denied" : undefined);
}

/**
 * Asks the browser what it can do, and its visitor nothing. A browser that cannot be woken can be a device all the same: it is asked
 * on its own page.
 *
 * @example
 * ```ts
 * import { pushSupport } from "express-second-factor/browser";
 *
 * const { keys, messages, allowed, obstacle } = await pushSupport();
 * button.hidden = !keys;
 * if (messages && !allowed) message.textContent = "Your browser will ask whether it may show notifications.";
 * if (obstacle === "needs-installing") message.textContent = "Add this site to your home screen first.";
 * ```
 */
export async function pushSupport(): Promise<PushSupport> {
  const ofMessages = obstacle();
  const keys = ofMessages !== "insecure" && (await keepsKeys());
  const found = ofMessages === "insecure" || keys ? ofMessages : "no-storage";
  const allowed = around().Notification?.permission === "granted";
  return { keys, messages: found === undefined, allowed, ...(found === undefined ? {} : { obstacle: found }) };
}

/** Subscribing takes a worker that has begun its work. It may stand outside the page's own scope, where `ready` never comes. */
function activated({ active, installing, waiting }: ServiceWorkerRegistration): Promise<void> {
  const worker = installing ?? waiting;
  if (active !== null || worker === null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (worker.state === "activated") resolve();
      if (worker.state === "redundant") reject(new DOMException("The worker was not installed", "AbortError"));
    };
    worker.addEventListener("statechange", look);
    look();
  });
}

/** The subscription with this key: the one that there is, or a new one in the place of one with another key, or of any. */
async function subscription(pushManager: PushManager, key: string, anew: boolean): Promise<PushSubscription> {
  if (anew) await (await pushManager.getSubscription())?.unsubscribe();
  const options = { userVisibleOnly: true, applicationServerKey: fromBase64url(key) };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== "InvalidStateError") throw error;
    await (await pushManager.getSubscription())?.unsubscribe();
    return pushManager.subscribe(options);
  }
}

function unavailable(reason: PushObstacle): PushUnavailable {
  return { status: "unavailable", obstacle: reason };
}

/**
 * Has this browser woken by the application's messages: asks its visitor for the permission to show notifications, where they have
 * not said yet, installs the service worker, and subscribes at the browser's push service. Answers what `enrollPushDevice` takes, or
 * why there is none. Call it for a click, before anything is waited for: browsers ask for nothing else. Enrolls nothing.
 *
 * @example
 * ```ts
 * import { enrollPushDevice, subscribeToPush } from "express-second-factor/browser";
 *
 * button.addEventListener("click", async () => {
 *   const woken = await subscribeToPush({ worker: "/2fa/push/worker.js", applicationServerKey });
 *   const reach = woken.status === "subscribed" ? { channel: "web-push", subscription: woken.subscription } : {};
 *   await enrollPushDevice({ base: "/2fa", ...reach });
 * });
 * ```
 */
export async function subscribeToPush(options: SubscribeOptions): Promise<SubscribeResult> {
  const { anew = false, applicationServerKey, worker } = options;
  const inTheWay = obstacle();
  if (inTheWay !== undefined) return unavailable(inTheWay);
  try {
    // Before anything else is waited for: some browsers ask for a click alone.
    const permission = await Notification.requestPermission();
    if (permission !== "granted") return unavailable(permission === "denied" ? "denied" : "dismissed");
    const registration = await navigator.serviceWorker.register(worker);
    await activated(registration);
    const made = await subscription(registration.pushManager, applicationServerKey, anew);
    return { status: "subscribed", subscription: made.toJSON() };
  } catch (error) {
    // A private window may have workers by name, and refuse to install one.
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError") return unavailable("denied");
    return unavailable(name === "SecurityError" || name === "NotSupportedError" ? "no-push" : "failed");
  }
}
