import {
  type Asking,
  type Cancelled,
  isAvailable,
  type Refused,
  submit,
  type Submitted,
  told,
  type Unsupported,
} from "./ceremony.js";
import { credentialJson, requestOptionsOf } from "./credentials.js";
import { type PasskeyProblem, postJson } from "./requests.js";

/** What this browser can do with passkeys. */
export interface PasskeySupport {
  /** It knows passkeys at all. */
  readonly available: boolean;
  /** It offers them in the autofill of a field with `autocomplete="username webauthn"`. */
  readonly autofill: boolean;
  /** This device has a fingerprint reader, a face camera or a PIN for them. */
  readonly platform: boolean;
}

export interface SignInOptions extends Asking {
  /**
   * Where the passkey is sent. Default: `base + "/passkey"`, which finishes a login that a first factor began. For a login
   * by passkey alone: the application's own route with `passport.authenticate("passkey")`.
   */
  readonly to?: string;
  /**
   * Waits in the autofill of the page's field with `autocomplete="username webauthn"` instead of opening a dialog, for as
   * long as the page is open. Default: false.
   */
  readonly conditional?: boolean;
  /** Do not ask again on this browser. Default: false. */
  readonly trustDevice?: boolean;
  /** Id of the operation that is confirmed, as the refusal of it says (`operation.id`). Default: none, the login is. */
  readonly operation?: string;
}

export interface SignedIn {
  readonly status: "verified";
  /** Where the visitor was going. */
  readonly redirectTo: string | undefined;
  readonly amr: readonly string[];
}

/** The application's own route answered with a redirection, which was followed: a success or not, it is in the address. */
export interface Redirected {
  readonly status: "redirected";
  readonly redirectTo: string;
}

export type SignInResult = SignedIn | Redirected | Submitted | Refused | Cancelled | Unsupported;

/** A request is renewed this long before its challenge dies. */
const AHEAD = 60_000;
const TIMEOUT = 300_000;
/** Browsers clamp longer timers, and a sleeping computer stretches them: what counts is the clock. */
const SHORTEST = 10_000;

async function answers(question: (() => Promise<boolean>) | undefined): Promise<boolean> {
  try {
    return (await question?.call(PublicKeyCredential)) ?? false;
  } catch {
    return false;
  }
}

/**
 * Asks the browser what it can do.
 *
 * @example
 * ```ts
 * import { passkeySupport } from "express-second-factor/browser";
 *
 * const { available, platform } = await passkeySupport();
 * button.hidden = !available;
 * button.textContent = platform ? "Use fingerprint, face or PIN" : "Use a security key";
 * ```
 */
export async function passkeySupport(): Promise<PasskeySupport> {
  if (!isAvailable()) return { available: false, autofill: false, platform: false };
  const browser: Partial<typeof PublicKeyCredential> = PublicKeyCredential;
  const [autofill, platform] = await Promise.all([
    answers(browser.isConditionalMediationAvailable),
    answers(browser.isUserVerifyingPlatformAuthenticatorAvailable),
  ]);
  return { available: true, autofill, platform };
}

type Found = { readonly credential: object } | { readonly problem: PasskeyProblem } | { readonly isStale: true };

/** Asks for a passkey under one challenge. */
async function ask(asking: SignInOptions, outer: AbortSignal): Promise<Found> {
  const { base, conditional = false, operation } = asking;
  // JSON leaves out what is undefined.
  const options = await postJson(`${base}/passkey/options`, { operation }, asking, outer);
  if (!options.ok) return { problem: options.problem };
  const publicKey = requestOptionsOf(options.body as unknown as PublicKeyCredentialRequestOptionsJSON);
  const life = Math.max((publicKey.timeout ?? TIMEOUT) - AHEAD, SHORTEST);
  const begun = Date.now();
  if (!conditional) return { credential: await get({ publicKey, signal: outer }) };
  // Nobody is looking at a dialog: the request may wait for hours, and its challenge does not.
  const renewal = new AbortController();
  const stop = (): void => {
    renewal.abort();
  };
  const timer = setTimeout(stop, life);
  outer.addEventListener("abort", stop, { once: true });
  try {
    const credential = await get({ publicKey, mediation: "conditional", signal: renewal.signal });
    return Date.now() - begun > life + AHEAD ? { isStale: true } : { credential };
  } catch (error) {
    if (renewal.signal.aborted && !outer.aborted) return { isStale: true };
    throw error;
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", stop);
  }
}

async function get(request: CredentialRequestOptions): Promise<object> {
  const credential = await navigator.credentials.get(request);
  if (credential === null) throw new DOMException("No passkey was given", "NotAllowedError");
  return credentialJson(credential as PublicKeyCredential);
}

async function present(options: SignInOptions, credential: object): Promise<SignInResult> {
  const { base, form, operation, to = `${base}/passkey`, trustDevice = false } = options;
  if (form !== undefined) return submit(form, credential);
  const answer = await postJson(to, { credential, trustDevice, operation }, options);
  if (!answer.ok) return { status: "refused", problem: answer.problem };
  if (answer.redirectTo !== undefined) return { status: "redirected", redirectTo: answer.redirectTo };
  const { amr, redirectTo } = answer.body;
  return {
    status: "verified",
    redirectTo: typeof redirectTo === "string" ? redirectTo : undefined,
    amr: Array.isArray(amr) ? amr.map(String) : [],
  };
}

/**
 * Asks for a passkey: as a second factor, as a confirmation, or as a whole login. One request waits at a time, and the next
 * one takes its place. Rejects only for what no visitor can do anything about, such as a domain that is not this site's.
 *
 * @example
 * ```ts
 * import { signInWithPasskey } from "express-second-factor/browser";
 *
 * button.addEventListener("click", async () => {
 *   const result = await signInWithPasskey({ base: "/2fa" });
 *   if (result.status === "verified") location.assign(result.redirectTo ?? "/");
 *   if (result.status === "refused") message.textContent = result.problem.detail ?? "That did not work.";
 * });
 * ```
 */
export async function signInWithPasskey(options: SignInOptions): Promise<SignInResult> {
  if (!isAvailable()) return { status: "unsupported" };
  if (options.conditional === true && !(await passkeySupport()).autofill) return { status: "unsupported" };
  return told<SignInResult>(options.signal, async (signal) => {
    for (;;) {
      const found = await ask(options, signal);
      if ("problem" in found) return { status: "refused", problem: found.problem };
      if ("credential" in found) return present(options, found.credential);
    }
  });
}
