import type { Account, Login } from "../core/account.js";
import { ConfigurationError } from "../core/errors.js";
import { MINUTE, type UserId } from "../core/nouns.js";
import { cleanText } from "../core/text.js";
import type { KeyContext } from "../crypto/key-provider.js";
import { acceptableMethods, type Demand, satisfyingProof } from "../policy/demand.js";
import type { StepUp as Asked } from "../policy/assess.js";
import type { Parts } from "./parts.js";
import type { Visitor } from "./visitor.js";

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
  constructor(private readonly parts: Parts) {}

  /** Answers whether the login satisfies the demand now. A proof given for an operation is used up by it, once. */
  async satisfies(visitor: Visitor, login: Login, demand: Demand, operation: Operation | undefined): Promise<boolean> {
    const acceptable = acceptableMethods(demand, this.parts.methods.values());
    if (operation !== undefined) return this.useGrant(visitor, demand, operation);
    return satisfyingProof(login, demand, acceptable, this.parts.clock()) !== undefined;
  }

  /** What the login is asked for; the text of an operation is sealed, because sessions are kept in clear. */
  async asked(visitor: Visitor, demand: Demand, operation: Operation | undefined): Promise<Asked> {
    const methods = acceptableMethods(demand, this.parts.methods.values());
    if (operation === undefined) return { methods };
    const digest = await this.digest(visitor, operation);
    const { shown } = operation;
    if (shown === undefined) return { methods, operation: digest };
    const sealed = await this.parts.keys.encrypt(Buffer.from(shown), operationContext(visitor.userId));
    return { methods, operation: digest, shown: sealed };
  }

  /** What the user is about to confirm, if a route said so in words. */
  async shown({ mark, userId }: Visitor): Promise<string | undefined> {
    const sealed = mark?.stepUp?.shown;
    if (sealed === undefined) return undefined;
    const text = await this.parts.keys.decrypt(sealed, operationContext(userId));
    return Buffer.from(text).toString("utf8");
  }

  /** Keyed, because amounts and recipients can be guessed, and sessions are kept in clear. */
  private digest({ userId }: Visitor, { text }: Operation): Promise<string> {
    return this.parts.keys.mac(text, operationContext(userId));
  }

  private async useGrant(visitor: Visitor, demand: Demand, operation: Operation): Promise<boolean> {
    const digest = await this.digest(visitor, operation);
    const acceptable = acceptableMethods(demand, this.parts.methods.values());
    return this.parts.records.update<boolean>(visitor.userId, async (account: Account) => {
      const login = account.logins.find(({ id }) => id === visitor.mark?.id);
      const grant = login?.grant;
      if (login === undefined || grant?.operation !== digest) return { result: false };
      const fresh = { ...demand, maxAge: demand.maxAge ?? GRANT_LIFE };
      if (satisfyingProof({ proofs: [grant.proof] }, fresh, acceptable, this.parts.clock()) === undefined) {
        return { result: false };
      }
      const logins = account.logins.map((each) => (each.id === login.id ? withoutGrant(login) : each));
      return { account: { ...account, logins }, result: true };
    });
  }
}
