import { ConfigurationError } from "../../core/errors.js";
import type { LoginContext } from "../../engine/login-context.js";
import type { Site } from "../../engine/method.js";
import type { Method } from "../../http/method.js";
import { passkeysOf } from "./enrollment.js";
import { Passkeys, type PasskeyState, type PresentedPasskey, type RelyingParty } from "./method.js";
import { passkeysProblems } from "./option-problems.js";
import { OFFER_PATH, offersPasskey } from "./offer.js";
import { passkeysPage } from "./page.js";
import { passkeyRoutes } from "./routes.js";

export interface PasskeysOptions {
  /** The domain passkeys are made for. Default: the host name of the first configured origin. */
  readonly rpId?: string;
  /**
   * PIN or biometrics with each use. Default: `"preferred"`: a key without them is a second factor all the same. A passkey as
   * the whole login always needs them.
   */
  readonly userVerification?: "preferred" | "required";
  /** Passkeys a browser can offer by itself. Default: `"preferred"`. */
  readonly residentKey?: "discouraged" | "preferred" | "required";
  /** A signature counter that went back (a cloned key, WebAuthn Level 3 section 6.1.1). Default: `"refuse"`. */
  readonly counterRegression?: "refuse" | "report";
  /** Names by AAGUID, beside those known. */
  readonly names?: Readonly<Record<string, string>>;
  /**
   * After a login with a code, users without a passkey see a page that offers one, until they add it or ask not to be asked.
   * Default: false, the browser goes straight on. The next login asks for it first.
   */
  readonly offer?: boolean;
}

/** What the browser may tell password managers about an owner's passkeys. Nothing in it is secret. */
export interface KnownPasskeys {
  readonly rpId: string;
  /** The user handle, base64url. */
  readonly userId: string;
  /** All that are in force, base64url. */
  readonly credentialIds: readonly string[];
}

function knownTo(passkeys: Passkeys, { record }: LoginContext, site: Site): { readonly passkeys?: KnownPasskeys } {
  const { account } = record;
  if (account.handle === undefined) return {};
  const credentialIds = passkeysOf(account).map(({ state }) => state.credentialId);
  return { passkeys: { rpId: passkeys.partyOf(site).id, userId: account.handle, credentialIds } };
}

/** Some origin lies outside the domain passkeys are made for, so browsers must be told that it may use them. */
function hasRelatedOrigins({ id, origins }: RelyingParty): boolean {
  return origins.some((origin) => !`.${new URL(origin).hostname}`.endsWith(`.${id}`));
}

function wellKnown(passkeys: Passkeys): NonNullable<Method["wellKnown"]> {
  return {
    // WebAuthn Level 3 section 5.11. Without related origins the list is nobody's business.
    "/.well-known/webauthn": (site) =>
      hasRelatedOrigins(passkeys.partyOf(site)) ? { origins: site.origins } : undefined,
    // W3C "A well-known URL for relying party passkey endpoints".
    "/.well-known/passkey-endpoints": (_site, settings) => ({ enroll: settings, manage: settings }),
  };
}

/**
 * Passkeys and security keys (WebAuthn Level 3): the one method that a look-alike site cannot use, because the browser signs
 * which site it is on.
 *
 * Does NOT ask for attestation: which make of authenticator a user has is not verified, only named. Does NOT count as
 * phishing-resistant by being set up, but from its first use on.
 *
 * @throws ConfigurationError for an option it does not have, or a value that is none
 *
 * @example
 * ```ts
 * import { backupCodes, passkeys } from "express-second-factor";
 *
 * const methods = [passkeys({ rpId: "acme.example", userVerification: "required" }), backupCodes()];
 * app.use(secondFactor({ ..., origin: ["https://acme.example", "https://app.acme.example"], methods }));
 * ```
 */
export function passkeys(options: PasskeysOptions = {}): Method<PasskeyState, PresentedPasskey> {
  const problems = passkeysProblems(options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { offer = false, ...given } = options;
  const method = new Passkeys({
    rpId: given.rpId,
    userVerification: given.userVerification ?? "preferred",
    residentKey: given.residentKey ?? "preferred",
    counterRegression: given.counterRegression ?? "refuse",
    names: given.names ?? {},
  });
  return Object.assign(method, {
    page: passkeysPage,
    routes: passkeyRoutes(method, offer),
    wellKnown: wellKnown(method),
    settings: (login: LoginContext, site: Site) => knownTo(method, login, site),
    strict: () => passkeys({ ...options, userVerification: "required" }),
    ...(offer && {
      afterSignIn: ({ login }: { readonly login: LoginContext }) =>
        offersPasskey(login.record.account) ? OFFER_PATH : undefined,
    }),
  });
}
