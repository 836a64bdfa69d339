// What browsers differ in, on stand-ins for their parts: a real one is all of these things at no time.
import { afterEach, describe, expect, test } from "@jest/globals";
import { type PushObstacle, pushSupport, subscribeToPush } from "express-second-factor/browser";

const KEY = Buffer.from([4, ...Array.from({ length: 64 }, (_none, index) => index)]).toString("base64url");
const WORKER = "/2fa/push/worker.js";

type Parts = Readonly<Record<string, unknown>>;

const added = new Map<string, PropertyDescriptor | undefined>();

/** Parts of a browser, for one test. */
function browserWith(parts: Parts): void {
  for (const [name, value] of Object.entries(parts)) {
    if (!added.has(name)) added.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

afterEach(() => {
  for (const [name, descriptor] of added) {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, descriptor);
  }
  added.clear();
});

/** The browser's push service, as a page sees it. */
class Manager {
  /** What was asked of it, in order. */
  readonly log: string[] = [];
  held: { readonly key: string; readonly endpoint: string } | undefined;
  fault: DOMException | undefined;

  readonly getSubscription = async () => this.held && this.shown(this.held);

  readonly subscribe = async ({ applicationServerKey, userVisibleOnly }: PushSubscriptionOptionsInit) => {
    if (this.fault !== undefined) throw this.fault;
    const key = Buffer.from(applicationServerKey as ArrayBuffer).toString("base64url");
    if (this.held !== undefined && this.held.key !== key) throw new DOMException("another key", "InvalidStateError");
    this.log.push(`subscribed ${userVisibleOnly ? "visibly" : "silently"} with ${key === KEY ? "the key" : key}`);
    return this.shown(this.held ?? { endpoint: "https://push.test/new" });
  };

  private shown({ endpoint }: { readonly endpoint: string }) {
    const unsubscribe = async (): Promise<void> => {
      this.held = undefined;
      this.log.push("unsubscribed");
    };
    return { toJSON: () => ({ endpoint }), unsubscribe };
  }
}

/** A service worker that is installed in a moment, and then ends up so. */
class Worker extends EventTarget {
  state = "installing";

  constructor(end: string) {
    super();
    setImmediate(() => {
      this.state = end;
      this.dispatchEvent(new Event("statechange"));
    });
  }
}

interface Visited {
  readonly answer?: NotificationPermission;
  readonly permission?: NotificationPermission;
  readonly register?: () => Promise<unknown>;
  readonly end?: string;
}

function willing({ answer = "granted", end = "activated", permission = "default", register }: Visited = {}): Manager {
  const manager = new Manager();
  const registered = async () => ({ active: null, waiting: null, installing: new Worker(end), pushManager: manager });
  browserWith({
    isSecureContext: true,
    PushManager: Manager,
    Notification: {
      permission,
      requestPermission: async () => {
        manager.log.push("asked");
        return answer;
      },
    },
    navigator: { serviceWorker: { register: register ?? registered } },
  });
  return manager;
}

function subscribe() {
  return subscribeToPush({ worker: WORKER, applicationServerKey: KEY });
}

describe("subscribeToPush", () => {
  test("asks, waits until the worker is there, subscribes visibly, and answers what a server takes", async () => {
    const manager = willing();
    expect(await subscribe()).toEqual({ status: "subscribed", subscription: { endpoint: "https://push.test/new" } });
    expect(manager.log).toEqual(["asked", "subscribed visibly with the key"]);
  });

  test("takes the subscription that there is, where it is of the same key, and replaces another's", async () => {
    const manager = willing();
    manager.held = { key: KEY, endpoint: "https://push.test/held" };
    expect(await subscribe()).toMatchObject({ subscription: { endpoint: "https://push.test/held" } });
    manager.held = { key: "AAAA", endpoint: "https://push.test/held" };
    expect(await subscribe()).toMatchObject({ subscription: { endpoint: "https://push.test/new" } });
    const made = "subscribed visibly with the key";
    expect(manager.log).toEqual(["asked", made, "asked", "unsubscribed", made]);
  });

  test.each<[PushObstacle, string, () => void]>([
    ["insecure", "the page was not served over HTTPS", () => browserWith({ isSecureContext: false })],
    ["insecure", "there is no WebCrypto", () => browserWith({ crypto: {} })],
    ["no-push", "there is no push", () => browserWith({ PushManager: undefined })],
    ["no-push", "there are no service workers", () => browserWith({ navigator: {} })],
    ["no-push", "there are no notifications", () => browserWith({ Notification: undefined })],
    [
      "needs-installing",
      "an iPhone shows the site in Safari",
      () => browserWith({ PushManager: undefined, Notification: undefined, navigator: { standalone: false } }),
    ],
    ["denied", "its visitor said so before", () => void willing({ permission: "denied" })],
  ])("%s where %s: nobody is asked", async (obstacle, _name, lack) => {
    const manager = willing();
    lack();
    expect(await subscribe()).toEqual({ status: "unavailable", obstacle });
    expect(manager.log).toEqual([]);
  });

  const refusing = (name: string) => () => Promise.reject(new DOMException("no", name));

  test.each<[PushObstacle, string, Visited]>([
    ["denied", "its visitor says no", { answer: "denied" }],
    ["dismissed", "its visitor says nothing", { answer: "default" }],
    ["no-push", "a private window installs no workers", { register: refusing("SecurityError") }],
    ["failed", "the worker is not to be had", { register: () => Promise.reject(new TypeError("404")) }],
    ["failed", "the worker does not start", { end: "redundant" }],
  ])("%s where %s", async (obstacle, _name, visited) => {
    willing(visited);
    expect(await subscribe()).toEqual({ status: "unavailable", obstacle });
  });

  test.each<[PushObstacle, string, string]>([
    ["failed", "is not reached", "AbortError"],
    ["denied", "is not for private windows", "NotAllowedError"],
  ])("%s where the push service %s", async (obstacle, _name, fault) => {
    const manager = willing();
    manager.fault = new DOMException("no", fault);
    expect(await subscribe()).toEqual({ status: "unavailable", obstacle });
  });
});

describe("pushSupport", () => {
  test("says that no key can be kept where there is no storage, and what else is in the way", async () => {
    expect(await pushSupport()).toEqual({ keys: false, messages: false, allowed: false, obstacle: "no-storage" });
    willing({ permission: "granted" });
    expect(await pushSupport()).toEqual({ keys: false, messages: false, allowed: true, obstacle: "no-storage" });
    browserWith({ isSecureContext: false });
    expect(await pushSupport()).toMatchObject({ keys: false, messages: false, obstacle: "insecure" });
  });
});
