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
import { creationOptionsOf, credentialJson } from "./credentials.js";
import { postJson } from "./requests.js";

export interface EnrollOptions extends Asking {
  /** What its owner calls it. Default: the name of the password manager or key, where it is known. */
  readonly label?: string;
  /** The first factor again, where the application checks it and the login is not fresh. */
  readonly password?: string;
  /** `false`: with the account's first factor its other logins stay, and are asked for it. Default: they end. */
  readonly endOtherSessions?: boolean;
}

export type UpgradeOptions = Omit<EnrollOptions, "endOtherSessions" | "password">;

export interface EnrolledPasskey {
  readonly status: "enrolled";
  readonly factor: { readonly id: string; readonly label: string };
  /** With the first factor: to be shown once. */
  readonly backupCodes: readonly string[] | undefined;
}

export type EnrollResult = EnrolledPasskey | Submitted | Refused | Cancelled | Unsupported;

/** As browsers take it since 2025. */
interface CreationRequest extends CredentialCreationOptions {
  readonly mediation?: "conditional";
}

interface Creating extends EnrollOptions {
  /** How the browser goes about it; absent: with its dialog. */
  readonly mediation?: "conditional";
}

/** Nobody sees that a password manager is at work, so nobody could tell it to stop. */
const LONGEST_SILENCE = 15_000;

async function create(
  { base, endOtherSessions, form, label, mediation, password }: Creating,
  signal: AbortSignal,
): Promise<EnrollResult> {
  const proof = password === undefined ? {} : { password };
  const way = mediation === undefined ? {} : { conditional: true };
  const asked = await postJson(`${base}/passkey/enroll/options`, { ...proof, ...way }, signal);
  if (!asked.ok) return { status: "refused", problem: asked.problem };
  const publicKey = creationOptionsOf(asked.body as unknown as PublicKeyCredentialCreationOptionsJSON);
  const request: CreationRequest = { publicKey, signal, ...(mediation === undefined ? {} : { mediation }) };
  const created = await navigator.credentials.create(request);
  if (created === null) return { status: "cancelled" };
  const credential = credentialJson(created as PublicKeyCredential);
  if (form !== undefined) return submit(form, credential);
  const named = label === undefined ? {} : { label };
  const others = endOtherSessions === undefined ? {} : { endOtherSessions };
  const answer = await postJson(`${base}/passkey/enroll`, { credential, ...proof, ...named, ...others });
  if (!answer.ok) return { status: "refused", problem: answer.problem };
  const { backupCodes, factor } = answer.body as unknown as EnrolledPasskey;
  return { status: "enrolled", factor, backupCodes };
}

/**
 * Adds a passkey to the account that is logged in.
 *
 * @example
 * ```ts
 * import { enrollPasskey } from "express-second-factor/browser";
 *
 * button.addEventListener("click", async () => {
 *   const result = await enrollPasskey({ base: "/2fa", label: "Work laptop" });
 *   if (result.status === "refused") message.textContent = result.problem.detail ?? "That did not work.";
 *   if (result.status === "enrolled") message.textContent = result.backupCodes?.join("\n") ?? "Added.";
 * });
 * ```
 */
export async function enrollPasskey(options: EnrollOptions): Promise<EnrollResult> {
  if (!isAvailable()) return { status: "unsupported" };
  return told<EnrollResult>(options.signal, (signal) => create(options, signal));
}

interface Capabilities {
  getClientCapabilities?(): Promise<Readonly<Record<string, boolean>>>;
}

async function canUpgrade(): Promise<boolean> {
  if (!isAvailable()) return false;
  const browser: Capabilities = PublicKeyCredential;
  try {
    return (await browser.getClientCapabilities?.())?.["conditionalCreate"] === true;
  } catch {
    return false;
  }
}

/** The application requires user verification, which takes a dialog here. */
function withoutAsking(error: unknown): Unsupported {
  if (error instanceof DOMException && error.name === "ConstraintError") return { status: "unsupported" };
  throw error;
}

/**
 * Lets the browser's password manager add a passkey by the way (conditional create), to somebody who has just signed in with
 * a password from it and a second factor. Never shows a dialog, and takes 15 seconds at most: whether there is one, and
 * whether it wants to, is its own affair (`cancelled`). Where the browser cannot: `unsupported`. `enrollPasskey` asks.
 *
 * @example
 * ```ts
 * import { upgradeToPasskey } from "express-second-factor/browser";
 *
 * const { status } = await upgradeToPasskey({ base: "/2fa" });
 * if (status === "enrolled") message.textContent = "Next time you can sign in with a passkey.";
 * ```
 */
export async function upgradeToPasskey(options: UpgradeOptions): Promise<EnrollResult> {
  if (!(await canUpgrade())) return { status: "unsupported" };
  return told<EnrollResult>(options.signal, async (signal) => {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(LONGEST_SILENCE)]);
    return create({ ...options, mediation: "conditional" }, patience).catch(withoutAsking);
  });
}
