import type { Account } from "../core/account.js";
import type { Events } from "../events/emitter.js";
import { type ProofOutcome, traced } from "../events/proof-traces.js";
import type { EngineDependencies } from "./dependencies.js";
import { type Claimant, type Presentation, type Tried, Verification } from "./verification.js";

function outcomeOf(tried: Tried): ProofOutcome {
  if ("verified" in tried) return "success";
  return tried.change.result.ok ? "waiting" : "failure";
}

/** Says of each look at a proof how it began and ended, where anybody listens. */
export class TracedVerification extends Verification {
  constructor(
    dependencies: EngineDependencies,
    private readonly events: Events,
  ) {
    super(dependencies);
  }

  override attempt(account: Account, presentation: Presentation, claimant: Claimant, now: number): Promise<Tried> {
    const trace = { events: this.events, method: presentation.method.type };
    return traced(trace, () => super.attempt(account, presentation, claimant, now), outcomeOf);
  }
}
