// The service worker of devices that approve. It wakes for a message that says nothing, shows the words that came with its own
// address, and opens the page that asks.

import { pushDevices } from "./push-devices.js";

// The types of workers and of pages do not go together: what is used of them.
interface ExtendableEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}

interface NotificationEvent extends ExtendableEvent {
  readonly notification: Notification;
}

interface SubscriptionChangeEvent extends ExtendableEvent {
  readonly oldSubscription?: PushSubscription | null;
  readonly newSubscription?: PushSubscription | null;
}

interface Client {
  readonly url: string;
  readonly focused?: boolean;
  postMessage(message: unknown): void;
  focus(): Promise<unknown>;
}

interface WorkerScope {
  readonly location: Location;
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    matchAll(options: { readonly type: "window"; readonly includeUncontrolled: true }): Promise<readonly Client[]>;
    openWindow(url: string): Promise<unknown>;
    claim(): Promise<void>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "pushsubscriptionchange", listener: (event: SubscriptionChangeEvent) => void): void;
  addEventListener(type: "notificationclick", listener: (event: NotificationEvent) => void): void;
  addEventListener(type: "activate" | "install" | "push", listener: (event: ExtendableEvent) => void): void;
}

const worker = globalThis as unknown as WorkerScope;

/** One for all requests: the newer takes the place of the older, as on the server. */
const TAG = "express-second-factor-push";

const words = new URL(worker.location.href).searchParams;
/** The page of this worker's own site, whatever a message says. */
const approvePage = new URL("approve", worker.registration.scope).href;
/** Where the routes live. */
const base = new URL("..", worker.registration.scope).pathname.replace(/\/$/, "");

async function openPages(): Promise<readonly Client[]> {
  const all = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter(({ url }) => url.split(/[?#]/, 1)[0] === approvePage);
}

/** Every message is shown: a browser takes the right to be woken from those that are not. */
async function show(): Promise<void> {
  for (const page of await openPages()) page.postMessage({ push: "requests" });
  const options = { body: words.get("body") ?? "", lang: words.get("lang") ?? "", tag: TAG, renotify: true };
  await worker.registration.showNotification(words.get("title") ?? "", options);
}

async function open(): Promise<void> {
  const [page] = await openPages();
  await (page?.focus() ?? worker.clients.openWindow(approvePage));
}

/** The push service gave another address: every device of this browser says so. What fails here the page itself mends. */
async function renew({ newSubscription, oldSubscription }: SubscriptionChangeEvent): Promise<void> {
  const channel = words.get("channel");
  const options = oldSubscription?.options;
  const renewed = newSubscription ?? (options && (await worker.registration.pushManager.subscribe(options)));
  if (channel === null || !renewed) return;
  const subscription = renewed.toJSON();
  const devices = await pushDevices({ base });
  await Promise.all(devices.map((device) => device.renew(channel, subscription)));
}

worker.addEventListener("install", (event) => {
  event.waitUntil(worker.skipWaiting());
});
worker.addEventListener("activate", (event) => {
  event.waitUntil(worker.clients.claim());
});
worker.addEventListener("push", (event) => {
  event.waitUntil(show());
});
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open());
});
worker.addEventListener("pushsubscriptionchange", (event) => {
  event.waitUntil(renew(event));
});
