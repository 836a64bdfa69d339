import { isEnrolled, type Login } from "../core/account.js";
import type { MethodType } from "../core/nouns.js";
import type { Engine } from "../engine/engine.js";
import type { SecondFactorState, Visit } from "./state.js";

/** What a visit shows of itself in `req.secondFactor`, but for whose it is and since when. */
type Worth = Omit<SecondFactorState, "user" | "verifiedAt">;

export const ANONYMOUS: SecondFactorState = {
  status: "anonymous",
  methods: [],
  amr: [],
  aal: 0,
  phishingResistant: false,
  enrolled: false,
};

/** Describes visits for `req.secondFactor`. */
export class Describer {
  /** A login as it was read says the same to every request: a new version of the account brings a new one. */
  private readonly known = new WeakMap<Login, Worth>();

  constructor(private readonly engine: Engine) {}

  describe(visit: Visit): SecondFactorState {
    const { standing, user } = visit;
    const login = standing.status === "verified" ? standing.login : undefined;
    if (login === undefined) return { user, ...this.worthOf(visit, undefined) };
    let worth = this.known.get(login);
    if (worth === undefined) {
      worth = this.worthOf(visit, login);
      this.known.set(login, worth);
    }
    const last = login.proofs.at(-1);
    return { user, ...worth, ...(last !== undefined && { verifiedAt: new Date(last.at) }) };
  }

  private worthOf({ account, standing, visitor }: Visit, login: Login | undefined): Worth {
    const { challenge, parts } = this.engine;
    const proved = (login?.proofs ?? []).map(({ method }) => parts.methods.get(method));
    const methods: readonly MethodType[] = challenge.choices(account, visitor.mark).map(({ type }) => type);
    return {
      status: standing.status,
      methods: Object.freeze(methods),
      amr: Object.freeze(login === undefined ? [] : challenge.amr(login)),
      aal: proved.some((method) => method?.aal === 2) ? 2 : 1,
      phishingResistant: proved.some((method) => method?.phishingResistant === true),
      enrolled: isEnrolled(account),
    };
  }
}
