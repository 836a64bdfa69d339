import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import { isUnprovable } from "../engine/unprovable.js";

/** Beside a code: there is no method with which this account could prove anything. */
export const NO_METHOD_LEFT = "no-method-left";

/** Why there are no methods, where no login of the account could have one. */
export function nothingLeft({ dependencies }: Engine, { record }: LoginContext): { readonly reason?: string } {
  return isUnprovable(record.account, dependencies.methods) ? { reason: NO_METHOD_LEFT } : {};
}
