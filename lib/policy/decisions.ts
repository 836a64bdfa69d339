import type { PolicyDecision } from "../core/nouns.js";

/**
 * What a login owes: what a policy answers of its user, or of this very login: `"allow"` is kept apart from `"exempt"` because it was
 * judged and is not asked for again, `"challenge"` from `"required"` because no trusted browser and no time of grace stands in for it.
 */
export type LoginDecision = PolicyDecision | "allow" | "challenge";

/** From the one that asks least. */
const DECISIONS: readonly LoginDecision[] = ["exempt", "allow", "optional", "required", "challenge"];

/** Of two decisions the one that asks more. */
export function stricter(one: LoginDecision, other: LoginDecision): LoginDecision {
  return DECISIONS.indexOf(one) > DECISIONS.indexOf(other) ? one : other;
}

/** Never due, whatever the account has. */
export function isExempting(decision: LoginDecision): boolean {
  return decision === "exempt" || decision === "allow";
}

/** Due, whether the account has a factor or not. */
export function isDemanding(decision: LoginDecision): boolean {
  return decision === "required" || decision === "challenge";
}
