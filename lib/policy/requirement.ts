import type { Login } from "../core/account.js";
import type { MethodType, Proof } from "../core/nouns.js";
import { isFresh } from "../core/time.js";

/** What a route asks of a proof. One proof must satisfy all of it. */
export interface ProofRequirement {
  /** Milliseconds since it was given. */
  readonly maxAge?: number | undefined;
  readonly aal?: 2 | undefined;
  readonly methods?: readonly MethodType[] | undefined;
  readonly phishingResistant?: boolean | undefined;
}

/** What is known of a method, whatever factor of it is used. */
export interface MethodFacts {
  readonly type: MethodType;
  readonly aal: 1 | 2;
  readonly phishingResistant: boolean;
  /** `false`: no route is opened by it. */
  readonly stepsUp?: false;
  /** It opens the settings only where the account has nothing else. */
  readonly isRestricted?: true;
}

/** The methods whose proofs can satisfy the requirement. */
export function acceptableMethods(requirement: ProofRequirement, known: Iterable<MethodFacts>): MethodType[] {
  const { aal = 1, methods, phishingResistant = false } = requirement;
  return [...known]
    .filter(({ stepsUp }) => stepsUp !== false)
    .filter((method) => methods?.includes(method.type) ?? true)
    .filter((method) => method.aal >= aal && (method.phishingResistant || !phishingResistant))
    .map(({ type }) => type);
}

/**
 * Whether a proof was given by using its factor. Setting one up says nothing of what stands between the user and the site: whoever
 * relays a login could set up a passkey of their own in it.
 */
export function isByUse({ isEnrollment }: Proof): boolean {
  return isEnrollment !== true;
}

/** The proof that satisfies the requirement now; a trusted device has none, activity renews none, and one from the future is none. */
export function satisfyingProof(
  { proofs }: Pick<Login, "proofs">,
  { maxAge = Infinity, phishingResistant = false }: ProofRequirement,
  acceptable: readonly MethodType[],
  now: number,
): Proof | undefined {
  const candidates = phishingResistant ? proofs.filter(isByUse) : proofs;
  return candidates.findLast(({ at, method }) => acceptable.includes(method) && isFresh(at, maxAge, now));
}
