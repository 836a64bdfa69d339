import { ownFactors } from "../core/account.js";
import { isSuspended } from "../core/reports.js";
import type { MethodChoice } from "../engine/choices.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import { isUnprovable } from "../engine/unprovable.js";

/** Beside a code: there is no method with which this account could prove anything. */
export const NO_METHOD_LEFT = "no-method-left";

/** … What would do is suspended, and a new login would show no more than this one. */
export const SUSPENDED = "suspended";

/** Why there are no methods, where no login of the account could have one. */
export function nothingLeft(
  { dependencies }: Engine,
  { record: { account } }: LoginContext,
  methods: readonly MethodChoice[],
): { readonly reason?: string } {
  if (isUnprovable(account, dependencies.methods)) return { reason: NO_METHOD_LEFT };
  return methods.length === 0 && ownFactors(account).some(isSuspended) ? { reason: SUSPENDED } : {};
}
