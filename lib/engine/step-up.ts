import type { Login } from "../core/account.js";
import { ConfigurationError, isSilence } from "../core/errors.js";
import { MINUTE, type UserId } from "../core/nouns.js";
import { cleanText } from "../core/text.js";
import type { KeyContext } from "../crypto/key-provider.js";
import type { StepUpRequest } from "../policy/assess.js";
import { acceptableMethods, type ProofRequirement, satisfyingProof } from "../policy/requirement.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, subjectOf } from "./login-context.js";

/** One operation a proof can be given for. */
export interface Operation {
  /** Method, route and what the user is shown, in one text. */
  readonly text: string;
  /** What the user is shown, where it is text. */
  readonly shown: string | undefined;
}

/** A proof for one operation is good that long, unless the route says otherwise. */
export const GRANT_LIFE = 5 * MINUTE;

const MOST_SHOWN = 300;

/** What a proof can be bound to: JSON, and not nothing. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  const isPlain = typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value) as null);
  return isPlain && Object.values(value).every(isJson);
}

/**
 * The operation of a request: what it does (`route`) to what (`value`).
 * @throws ConfigurationError for a value that JSON would not keep apart from others: it would bind the proof to nothing
 */
export function operationOf(route: string, value: unknown): Operation {
  if (!isJson(value) || value === null || value === "") {
    throw new ConfigurationError(["mfa.require: bind must answer text or JSON that says what the request does"]);
  }
  return {
    text: JSON.stringify([route, value]),
    shown: typeof value === "string" ? cleanText(value, MOST_SHOWN) : undefined,
  };
}

function operationContext(userId: UserId): KeyContext {
  return { owner: userId, purpose: "operation" };
}

function withoutGrant({ grant: _used, ...login }: Login): Login {
  return login;
}

/** Whether a login has shown what a route asks for, and what is asked of it where it has not. */
export class StepUp {
  constructor(private readonly dependencies: EngineDependencies) {}

  /** Whether the login satisfies the requirement now. A proof given for an operation is used up by it, once. */
  async authorizeAndConsume(
    login: LoginContext,
    requirement: ProofRequirement,
    operation: Operation | undefined,
  ): Promise<boolean> {
    const { status } = login;
    if (status.status !== "verified") return false;
    if (operation !== undefined) return this.useGrant(login, requirement, operation);
    const acceptable = acceptableMethods(requirement, this.dependencies.methods.values());
    return satisfyingProof(status.login, requirement, acceptable, this.dependencies.clock()) !== undefined;
  }

  /** What the login is asked for; the text of an operation is sealed, because sessions are kept in clear. */
  async requestFor(
    login: LoginContext,
    requirement: ProofRequirement,
    operation: Operation | undefined,
  ): Promise<StepUpRequest> {
    const methods = acceptableMethods(requirement, this.dependencies.methods.values());
    if (operation === undefined) return { methods };
    const digest = await this.digest(login, operation);
    const { shown } = operation;
    if (shown === undefined) return { methods, operation: digest };
    const sealed = await this.dependencies.keys.encrypt(Buffer.from(shown), operationContext(login.userId));
    return { methods, operation: digest, shown: sealed };
  }

  /** What the user is about to confirm, if a route said so in words. */
  async shownOperation({ session, userId }: LoginContext): Promise<string | undefined> {
    const sealed = session?.stepUp?.shown;
    if (sealed === undefined) return undefined;
    const text = await this.dependencies.keys.decrypt(sealed, operationContext(userId));
    return Buffer.from(text).toString("utf8");
  }

  /**
   * Whether what is to be confirmed can still be shown. Keys rotate, sessions do not: one from before holds text that no key opens,
   * and what nobody can read nobody can confirm.
   */
  async isReadable(login: LoginContext): Promise<boolean> {
    try {
      await this.shownOperation(login);
      return true;
    } catch (error) {
      if (isSilence(error)) throw error;
      return false;
    }
  }

  /** Keyed, because amounts and recipients can be guessed, and sessions are kept in clear. */
  private digest({ userId }: LoginContext, { text }: Operation): Promise<string> {
    return this.dependencies.keys.mac(text, operationContext(userId));
  }

  private async useGrant(login: LoginContext, requirement: ProofRequirement, operation: Operation): Promise<boolean> {
    const { methods, records } = this.dependencies;
    const digest = await this.digest(login, operation);
    const acceptable = acceptableMethods(requirement, methods.values());
    const fresh = { ...requirement, maxAge: requirement.maxAge ?? GRANT_LIFE };
    const { result } = await records.change<boolean>(subjectOf(login), ({ account }, now) => {
      const listed = account.logins.find(({ id }) => id === login.session?.id);
      const grant = listed?.grant;
      if (listed === undefined || grant?.operation !== digest) return { result: false };
      if (satisfyingProof({ proofs: [grant.proof] }, fresh, acceptable, now) === undefined) return { result: false };
      const logins = account.logins.map((each) => (each.id === listed.id ? withoutGrant(listed) : each));
      return { account: { ...account, logins }, result: true };
    });
    return result;
  }
}
