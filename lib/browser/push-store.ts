import { newWebKeys, type PushKey, webKey, type WebKeys } from "./push-keys.js";

/** A device that was set up here, for one account of one site. */
export interface KeptPushDevice {
  /** Address of the routes: origin and `base`. */
  readonly site: string;
  /** The factor's id. With `site` it says which device this is. */
  readonly factorId: string;
  readonly key: PushKey;
  /** What its owner calls it, where that is known here. */
  readonly label?: string;
  /** It was sent to the server, milliseconds since the epoch, and what came of it has not been heard yet. */
  readonly submittedAt?: number;
}

/** Where devices and their keys are kept, where that is not a browser's IndexedDB: in Node, in a native app. */
export interface PushStore {
  /** A new key, whose private half never leaves this store. */
  createKey(): Promise<PushKey>;
  /** The devices of a site, oldest first. */
  devices(site: string): Promise<readonly KeptPushDevice[]>;
  /** Keeps a device, in the place of the one with the same site and factor. */
  put(device: KeptPushDevice): Promise<void>;
  remove(site: string, factorId: string): Promise<void>;
}

/**
 * Keeps devices as long as the process lives: for tests, and for what has another place for them in between. Not for browsers: what
 * it holds is gone with the page.
 *
 * @example
 * ```ts
 * import { enrollPushDevice, memoryPushStore } from "express-second-factor/browser";
 *
 * const store = memoryPushStore();
 * const result = await enrollPushDevice({ base: "/2fa", store });
 * ```
 */
export function memoryPushStore(): PushStore {
  const devices = new Map<string, KeptPushDevice>();
  const place = (site: string, factorId: string): string => JSON.stringify([site, factorId]);
  return {
    createKey: async () => webKey(await newWebKeys()),
    devices: async (site) => [...devices.values()].filter((each) => each.site === site),
    put: async (device) => void devices.set(place(device.site, device.factorId), device),
    remove: async (site, factorId) => void devices.delete(place(site, factorId)),
  };
}

/** As IndexedDB holds it: there is nothing in a key that could be read, only what it can be used for. */
interface Row extends Omit<KeptPushDevice, "key"> {
  readonly keys: WebKeys;
  readonly createdAt: number;
}

const DATABASE = "express-second-factor";
const DEVICES = "push-devices";

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new DOMException("IndexedDB failed", "UnknownError"));
    };
  });
}

async function withRows<T>(mode: IDBTransactionMode, use: (rows: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(DEVICES, { keyPath: ["site", "factorId"] });
  };
  const database = await settled(opening);
  try {
    const transaction = database.transaction(DEVICES, mode);
    const ended = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => {
        resolve();
      };
      transaction.onabort = () => {
        reject(transaction.error ?? new DOMException("IndexedDB failed", "AbortError"));
      };
    });
    const [result] = await Promise.all([settled(use(transaction.objectStore(DEVICES))), ended]);
    return result;
  } finally {
    database.close();
  }
}

/** The keys behind what this store handed out: whoever has a `PushKey` can sign with it, no more. */
const behind = new WeakMap<PushKey, WebKeys>();

function shown(keys: WebKeys): PushKey {
  const key = webKey(keys);
  behind.set(key, keys);
  return key;
}

/** Of this origin, until its visitor clears the site's data. Rejects where a browser keeps nothing, as in some private windows. */
export const browserStore: PushStore = {
  createKey: async () => shown(await newWebKeys()),
  async devices(site) {
    const rows = (await withRows("readonly", (all) => all.getAll())) as Row[];
    const own = rows.filter((row) => row.site === site).sort((one, other) => one.createdAt - other.createdAt);
    return own.map(({ createdAt: _order, keys, ...device }) => ({ ...device, key: shown(keys) }));
  },
  async put({ key, ...device }) {
    const keys = behind.get(key);
    if (keys === undefined) throw new TypeError("Only keys of this store can be kept in it");
    const row: Row = { ...device, keys, createdAt: Date.now() };
    await withRows("readwrite", (all) => all.put(row));
  },
  async remove(site, factorId) {
    await withRows("readwrite", (all) => all.delete([site, factorId]));
  },
};
