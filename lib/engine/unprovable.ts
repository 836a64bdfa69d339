import { type Account, type Factor, isEnrolled, ownFactors } from "../core/account.js";
import { batches } from "../core/batches.js";
import { UnavailableError } from "../core/errors.js";
import type { MethodType } from "../core/nouns.js";
import { isSuspended } from "../core/reports.js";
import type { Store } from "../stores/contract.js";
import type { EngineDependencies } from "./dependencies.js";
import type { AnyMethod } from "./method.js";

/** Whoever has this many accounts and more is told of the first. */
const MOST_LOOKED_AT = 10_000;
/** Milliseconds by the machine's clock: whoever waits for `ready()` is about to start. */
const LONGEST_LOOK = 5_000;

const KIND = "account";
const MEND =
  "nobody can finish such a login. Put the method back into methods, or let these users begin anew with mfa.accounts.reset()";

/** Enrolled, and by no method that there still is: their logins owe a second factor that nothing can prove. */
export function isUnprovable(account: Account, methods: ReadonlyMap<MethodType, AnyMethod>): boolean {
  const isOfUse = (factor: Factor): boolean => {
    const method = isSuspended(factor) ? undefined : methods.get(factor.type);
    return method !== undefined && method.remaining?.(factor) !== 0;
  };
  return isEnrolled(account) && !account.factors.some(isOfUse);
}

function typesOf(account: Account): readonly MethodType[] {
  return [...new Set(ownFactors(account).map(({ type }) => type))];
}

function listed(types: Iterable<MethodType>): string {
  return [...types].map((type) => JSON.stringify(type)).join(", ");
}

/** What is to be told of one such login. */
export function unprovableError(account: Account): UnavailableError {
  return new UnavailableError(
    `methods: an account has factors of ${listed(typesOf(account))} alone, which is not among the methods: ${MEND}`,
  );
}

/** Looks through the accounts, once in a process, for those that no configured method can let in. */
export class UnprovableAccounts {
  private looking: Promise<void> | undefined = undefined;

  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly store: Store,
  ) {}

  /** Never rejects: nothing depends on it, and a store that fails is told of by itself. */
  look(): Promise<void> {
    return (this.looking ??= this.tell().catch(() => undefined));
  }

  private async tell(): Promise<void> {
    const keys = this.store.list?.(KIND);
    if (keys === undefined) return;
    const { found, looked, types } = await this.count(keys);
    if (found === 0) return;
    const problem = `methods: ${found} of ${looked} accounts have factors of ${listed(types)} alone, which is not among the methods: ${MEND}`;
    process.emitWarning(problem, { code: "SECOND_FACTOR_METHODS" });
    this.dependencies.emitError("methods", new UnavailableError(problem));
  }

  private async count(keys: AsyncIterable<string>) {
    const { methods, records } = this.dependencies;
    const end = Date.now() + LONGEST_LOOK;
    const types = new Set<MethodType>();
    let [found, looked]: [number, number] = [0, 0];
    const look = async (key: string): Promise<void> => {
      const { account } = await records.read(key.slice(KIND.length + 1));
      looked += 1;
      if (!isUnprovable(account, methods)) return;
      found += 1;
      for (const type of typesOf(account)) types.add(type);
    };
    for await (const batch of batches(keys)) {
      // One that cannot be read must not hide the others.
      await Promise.all(batch.map((key) => look(key).catch(() => undefined)));
      if (looked >= MOST_LOOKED_AT || Date.now() > end) break;
    }
    return { found, looked, types };
  }
}
