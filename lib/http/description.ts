import { isEnrolled, type Login } from "../core/account.js";
import type { MethodType } from "../core/nouns.js";
import { probationUntil } from "../core/recovery.js";
import type { Engine } from "../engine/engine.js";
import type { LoginContext } from "../engine/login-context.js";
import { isByUse } from "../policy/requirement.js";
import type { SecondFactorState } from "./request-state.js";
import { userOf } from "./settings.js";

const ANONYMOUS: SecondFactorState = Object.freeze({
  status: "anonymous",
  methods: Object.freeze([]),
  amr: Object.freeze([]),
  aal: 0,
  phishingResistant: false,
  enrolled: false,
});

/**
 * RFC 8176 values of a login's proofs; `mfa` where there are two factors behind it, or one that is two. What stays at level 1 adds no
 * second one: whoever reads only these values must not take it for more.
 */
export function amrOf({ dependencies }: Engine, { proofs }: Login): string[] {
  const values = proofs.flatMap(({ amr, method }) => amr ?? dependencies.methods.get(method)?.amr ?? []);
  const isMulti = proofs.some(({ method }) => dependencies.methods.get(method)?.aal === 2);
  return [...new Set([...values, ...(isMulti ? ["mfa"] : [])])];
}

function graceMember(status: LoginContext["status"]): { readonly graceUntil?: Date } {
  const until = "graceUntil" in status ? status.graceUntil : undefined;
  return until === undefined ? {} : { graceUntil: new Date(until) };
}

function actorMember(login: Login | undefined): Pick<SecondFactorState, "actor"> {
  const acting = login?.acting;
  return acting === undefined ? {} : { actor: acting.actor };
}

/** A login as `req.secondFactor` shows it. Made when it is asked for, from nothing but the login. */
export function describe(engine: Engine, login: LoginContext | undefined): SecondFactorState {
  if (login === undefined) return ANONYMOUS;
  const { record, status } = login;
  const verified = status.status === "verified" ? status.login : undefined;
  const proofs = verified?.proofs ?? [];
  const knownMethods = engine.dependencies.methods;
  const proved = proofs.flatMap((proof) => {
    const method = knownMethods.get(proof.method);
    return method === undefined ? [] : [{ method, proof }];
  });
  const methods: readonly MethodType[] = engine.authentication.choices(login).map(({ type }) => type);
  const last = proofs.at(-1);
  const until = probationUntil(record.account, engine.dependencies.clock());
  return {
    status: status.status === "ended" ? "anonymous" : status.status,
    user: userOf(login),
    methods: Object.freeze(methods),
    amr: Object.freeze(verified === undefined ? [] : amrOf(engine, verified)),
    aal: proved.some(({ method }) => method.aal === 2) ? 2 : 1,
    phishingResistant: proved.some(({ method, proof }) => method.phishingResistant && isByUse(proof)),
    ...(last !== undefined && { verifiedAt: new Date(last.at) }),
    enrolled: isEnrolled(record.account),
    ...graceMember(status),
    ...(until !== undefined && { probation: Object.freeze({ until: new Date(until) }) }),
    ...actorMember(verified),
  };
}
