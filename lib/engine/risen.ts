import type { Account, Login } from "../core/account.js";
import type { Proof } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { Mark, Standing } from "../policy/assess.js";
import type { Visitor } from "./visitor.js";

/** A login that rose: what its session must remember now, and what the browser may keep. */
export interface Risen {
  readonly mark: Mark;
  readonly login: Login;
  readonly account: Account;
  /** A new trusted device's token, for its cookie. */
  readonly deviceToken?: string;
}

/**
 * The stage a login rises to with a proof. Its id is new, so that every older copy of its session is worthless; of each
 * method the newest proof is kept, oldest first. A proof given for one operation is also kept as the grant of that one.
 */
export function risenLogin(visitor: Visitor, standing: Standing, proof: Proof): Login {
  const previous = "login" in standing ? standing.login.proofs : [];
  const others = previous.filter((each) => each.method !== proof.method);
  const operation = visitor.mark?.stepUp?.operation;
  const grant = operation === undefined ? {} : { grant: { operation, proof } };
  const at = visitor.mark?.at ?? proof.at;
  // Who confirms one operation has confirmed that, and not everything that asks for a fresh proof.
  const isBound = operation !== undefined && previous.length > 0;
  const proofs = isBound ? previous : [...others, proof];
  return { id: randomId(), at, proofs, label: visitor.arrival.label, ...grant };
}

/** The next stage of a login that has shown nothing new. */
export function renewed(login: Login): Login {
  return { ...login, id: randomId() };
}

/** The mark of a full login. Where the user was going is kept. */
export function markOf({ userId: user, mark }: Visitor, login: Login, account: Account): Mark {
  const returnTo = mark?.returnTo === undefined ? {} : { returnTo: mark.returnTo };
  return { user, step: "second", id: login.id, at: login.at, generation: account.generation, ...returnTo };
}
