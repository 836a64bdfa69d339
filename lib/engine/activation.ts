import { type Account, addActivity, type Factor, isEnrolled, startGeneration } from "../core/account.js";
import type { FactorId, MethodType, Proof } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { Parts } from "./parts.js";
import { markOf, renewed, type Risen, risenLogin } from "./risen.js";
import { standingOf, type Visitor } from "./visitor.js";

/** A factor that was proved and may now count. */
export interface Proven {
  readonly id: FactorId;
  readonly type: MethodType;
  readonly label: string;
  readonly state: unknown;
  /** RFC 8176 values of the proof, where they are not the method's own. */
  readonly amr?: readonly string[];
  /** Its owner need not have been there when it was made: this login has shown nothing new by it. */
  readonly isSilent?: boolean;
}

export interface Enrolled {
  readonly factor: Factor;
  /** With the first factor: the codes in clear, for this one answer. */
  readonly backupCodes?: readonly string[];
  readonly risen: Risen;
}

/** Setting a factor up confirms no operation, whichever a route is waiting for. */
function withoutOperation(visitor: Visitor): Visitor {
  if (visitor.mark === undefined) return visitor;
  const { stepUp: _unanswered, ...mark } = visitor.mark;
  return { ...visitor, mark };
}

/**
 * Puts a proved factor in force: with the first come backup codes; this login rises with it, every other one ends, and no
 * browser is trusted any more.
 */
export async function activate(
  { backupCodes, keys }: Parts,
  account: Account,
  visitor: Visitor,
  { amr, isSilent = false, ...proven }: Proven,
  now: number,
): Promise<Enrolled> {
  const { id, type, label } = proven;
  const factor: Factor = { ...proven, createdAt: now, lastUsedAt: isSilent ? null : now, failures: 0 };
  const minted = isEnrolled(account) ? undefined : await backupCodes?.mint({ userId: account.userId, now, keys });
  const kept = minted === undefined ? account.factors : [minted.factor];
  const proof: Proof = { method: type, factorId: id, at: now, ...(amr === undefined ? {} : { amr }) };
  const standing = standingOf(visitor, account, now);
  const login =
    isSilent && standing.status === "verified"
      ? renewed(standing.login)
      : risenLogin(withoutOperation(visitor), standing, proof);
  const grown = startGeneration({ ...account, factors: [...kept, factor] }, randomId(), login);
  const next = addActivity(grown, { at: now, action: "factor-enrolled", method: type, label });
  const risen: Risen = { mark: markOf(visitor, login, next), login, account: next };
  return { factor, risen, ...(minted === undefined ? {} : { backupCodes: minted.codes }) };
}

/** A name no factor of the account has yet: the given one, numbered from the second on. */
export function freeLabel(account: Account, name: string): string {
  const taken = new Set(account.factors.map(({ label }) => label));
  let label = name;
  for (let number = 2; taken.has(label); number += 1) label = `${name} ${number}`;
  return label;
}
