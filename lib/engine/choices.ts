import { type Account, factorsOf } from "../core/account.js";
import { isClosed } from "../core/account-changes.js";
import type { AttemptScope } from "../core/attempts.js";
import type { MethodType } from "../core/nouns.js";
import type { AnyMethod, Site } from "./method.js";

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

/** A factor that can prove nothing here, whoever holds it, and the method's own word for why. */
export interface UnusableFactor {
  readonly id: string;
  readonly type: MethodType;
  readonly label: string;
  readonly reason: string;
}

type Place = Pick<Site, "origins">;

export function unusableOf(method: AnyMethod, account: Account, place: Place): UnusableFactor[] {
  return factorsOf(account, method.type).flatMap((factor) => {
    const reason = method.obstacle?.(factor, place);
    return reason === undefined ? [] : [{ id: factor.id, type: method.type, label: factor.label, reason }];
  });
}

/**
 * The account's factors of a method that can be used at this place. `scope`: which attempts those of whoever is asked are counted
 * with.
 */
export function choiceOf(method: AnyMethod, account: Account, scope: AttemptScope, place: Place): MethodChoice {
  const usable = factorsOf(account, method.type).filter((each) => method.obstacle?.(each, place) === undefined);
  const factors = usable.map((factor) => {
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
