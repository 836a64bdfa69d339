import { promisify } from "node:util";
import type { Done } from "./session.js";

type Method = (this: unknown, ...given: unknown[]) => unknown;

/** Callbacks that stand for a promise somebody waits for. */
const waitedFor = new WeakSet<Done>();

function promisified(method: Method): Method {
  return function awaited(this: unknown, ...given) {
    return new Promise<void>((resolve, reject) => {
      const done: Done = (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error instanceof Error ? error : new Error("req.logIn failed", { cause: error }));
      };
      waitedFor.add(done);
      method.call(this, ...given, done);
    });
  };
}

/** What a function that is bound has of the one it was bound from is its prototype alone. */
const AWAITABLE = Object.create(Function.prototype, {
  [promisify.custom]: {
    get(this: Method) {
      return promisified(this);
    },
  },
}) as object;

/** Has it known when somebody waits for the end of such a method by `util.promisify`, bound or not. */
export function awaitable(method: Method): Method {
  return Object.setPrototypeOf(method, AWAITABLE) as Method;
}

let hasTold = false;

/**
 * Says, once, that a promise will never settle: the request of a login that waits was answered, and nobody is called back. Of promises
 * that were made another way nothing can be seen.
 */
export function tellOfWaiting(done: Done): void {
  if (hasTold || !waitedFor.has(done)) return;
  hasTold = true;
  process.emitWarning(
    'A promise of req.logIn does not settle while a second factor is due: the request was answered, and whatever is held around it stays held. Write req.logIn(user, { secondFactor: "inline" }, done), and answer what req.secondFactor.status says.',
    { code: "SECOND_FACTOR_AWAITED_LOGIN" },
  );
}
