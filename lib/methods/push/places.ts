// Where the pages of devices live, below `path`.

/** What the asking browser shows meanwhile. */
export const WAIT_PATH = "/push/wait";
/** What the device is asked. */
export const APPROVE_PATH = "/push/approve";
/** The script that wakes for messages. Its address is fixed, and what it may serve is all below `/push/`. */
export const WORKER_PATH = "/push/worker.js";
