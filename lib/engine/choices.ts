import { type Account, factorsOf } from "../core/account.js";
import { isClosed } from "../core/account-changes.js";
import type { AttemptScope } from "../core/attempts.js";
import type { MethodType } from "../core/nouns.js";
import type { AnyMethod } from "./method.js";

/** What a visitor can be asked for: their own factors, by method, in the order of the `methods` option. */
export interface MethodChoice {
  readonly type: MethodType;
  readonly factors: readonly FactorChoice[];
}

/** `closed`: too many wrong answers in a row; it proves nothing until another factor, or support, opens it again. */
export interface FactorChoice {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly closed?: true;
}

/** The account's factors of a method. `scope`: which attempts those of whoever is asked are counted with. */
export function choiceOf(method: AnyMethod, account: Account, scope: AttemptScope): MethodChoice {
  const factors = factorsOf(account, method.type).map((factor) => {
    const hint = method.hint?.(factor);
    return {
      id: factor.id,
      label: factor.label,
      ...(hint === undefined ? {} : { hint }),
      ...(isClosed(factor, scope) ? { closed: true as const } : {}),
    };
  });
  return { type: method.type, factors };
}

/** Something of it can be proved. */
export function isOpen({ factors }: MethodChoice): boolean {
  return factors.some(({ closed }) => closed !== true);
}
