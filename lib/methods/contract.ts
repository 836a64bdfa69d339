import type { Factor } from "../core/account.js";
import type { FactorId, LimitKind, MethodType, UserId } from "../core/nouns.js";
import type { Keys } from "../crypto/key-provider.js";

/** What it takes to seal something for one user. */
export interface SealContext {
  readonly userId: UserId;
  readonly keys: Keys;
}

/** What a method may know when it works for one user. */
export interface MethodContext extends SealContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What an enrollment page tells about its owner. */
export interface EnrollmentContext extends MethodContext {
  readonly issuer: string;
  readonly accountName: string;
}

/** The factor that was proved, as it must be stored so that the same proof never counts again. */
export interface Evidence<State> {
  readonly factor: Factor<State>;
  /** RFC 8176 values of this proof, where they are not the method's own. */
  readonly amr?: readonly string[];
  /** What the answer to the visitor adds, such as the number of codes left. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** Accepted, and all the same something its owner should hear of. */
  readonly concern?: Rejection["rejected"];
}

/** A proof that is genuine in form and refused all the same, for a reason its owner should hear of. */
export interface Rejection {
  readonly rejected: "passkey-counter-regressed";
  readonly factorId: FactorId;
}

/** Why an enrollment proof was not accepted. */
export interface Mismatch {
  /** Minutes the visitor's clock seems to be ahead (positive) or behind (negative), where the code says so. */
  readonly clockOffMinutes?: number;
}

export type Proved<State> = { readonly state: State } | { readonly mismatch: Mismatch };

/** How a factor of this kind is set up: begun with a secret, finished with a proof of having it. */
export interface Enroll<State> {
  /** What a factor of this kind is called until its owner names it. */
  readonly label: string;
  begin(
    context: EnrollmentContext,
  ): Promise<{ readonly state: State; readonly answer: Readonly<Record<string, unknown>> }>;
  confirm(code: string, state: State, context: MethodContext): Promise<Proved<State>>;
  /** Finds a drifted clock again from two consecutive codes (RFC 6238 section 6). */
  resync?(codes: readonly [string, string], state: State, context: MethodContext): Promise<Proved<State>>;
}

/**
 * One kind of second factor. A method proves and enrolls; it has never heard of HTTP, of sessions or of another method.
 * Adding one is a file with this silhouette and a row in the `methods` option.
 */
export interface Method<State = unknown> {
  readonly type: MethodType;
  /** RFC 8176 values this kind of proof adds to a first factor. */
  readonly amr: readonly string[];
  /** NIST SP 800-63B-4 level a login with this proof can claim. */
  readonly aal: 1 | 2;
  readonly phishingResistant: boolean;
  /** The attempt budgets a guess counts against, beside the address's. Empty: it cannot be guessed, and is never locked. */
  readonly limits: readonly LimitKind[];
  /** The answer to everything that is not a proof: one, whatever was wrong. */
  readonly refusal: "invalid-code" | "invalid-passkey";
  /** A masked or technical word about the factor for its owner. */
  hint?(factor: Factor<State>): string;
  /** The state with everything sealed in it under the newest key. Default: nothing is sealed. */
  reseal?(state: State, context: SealContext): Promise<State>;
  /** The method as the strict preset wants it. Default: unchanged. */
  strict?(): Method<State>;
}

/** A method that is proved by typing a code. */
export interface CodeMethod<State = unknown> extends Method<State> {
  /**
   * The code in the one form it is compared in, or undefined where it cannot be a code of this kind at all: then nothing is
   * checked and nothing is counted.
   */
  normalize(code: string): string | undefined;
  /** The factor this code proves and its next state, or undefined. Changes nothing by itself. */
  verify(code: string, factors: readonly Factor<State>[], context: MethodContext): Promise<Evidence<State> | undefined>;
  readonly enroll?: Enroll<State>;
}

export function isCodeMethod(method: Method | undefined): method is CodeMethod {
  return method !== undefined && "normalize" in method;
}
