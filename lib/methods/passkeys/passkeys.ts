import { ConfigurationError } from "../../core/errors.js";
import { webOrigins } from "../../core/origins.js";
import type { ElevatedLogin } from "../../engine/elevation.js";
import type { LoginContext } from "../../engine/login-context.js";
import type { Site } from "../../engine/method.js";
import type { Method } from "../../http/method.js";
import { passkeysOf } from "./enrollment.js";
import { Passkeys } from "./method.js";
import { passkeysProblems } from "./option-problems.js";
import { OFFER_PATH, offersPasskey } from "./offer.js";
import { hasRelatedOrigins, placeProblems } from "./party.js";
import { passkeysPage } from "./page.js";
import { passkeyRoutes } from "./routes.js";
import type { PasskeyState, PresentedPasskey } from "./types.js";

export interface PasskeysOptions {
  /**
   * The domain passkeys are made for: the host of a configured origin, or a domain above it that is the site's own (no public suffix
   * such as `"co.uk"`). Default: the host of the first origin that is https, or localhost. A passkey keeps the one it was made for,
   * and is asked for where that fits an origin of the request's; at an address instead of a name passkeys are not offered.
   */
  readonly rpId?: string;
  /**
   * PIN or biometrics with each use. Default: `"preferred"`: a key without them is a second factor all the same. A passkey as
   * the whole login always needs them. Made `"required"` later, passkeys that never showed them are not asked for any more, and the
   * settings say why.
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
  const rpId = passkeys.partyOf(site)?.id;
  if (rpId === undefined) return {};
  const own = passkeysOf(account).filter(({ state }) => (state.rpId ?? rpId) === rpId);
  return { passkeys: { rpId, userId: account.handle, credentialIds: own.map(({ state }) => state.credentialId) } };
}

function wellKnown(passkeys: Passkeys): NonNullable<Method["wellKnown"]> {
  return {
    // WebAuthn Level 3 section 5.11. Without related origins the list is nobody's business.
    "/.well-known/webauthn"(site) {
      const [party, origins] = [passkeys.partyOf(site), webOrigins(site.origins)];
      return party !== undefined && hasRelatedOrigins(party.id, origins) ? { origins } : undefined;
    },
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
 * @throws ConfigurationError for an option it does not have, or a value that it cannot take; what does not fit the origins is told by
 * `secondFactor()`
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
    problems: (origins: readonly string[] | undefined) =>
      given.rpId === undefined ? [] : placeProblems(given.rpId, origins),
    strict: () => passkeys({ ...options, userVerification: "required" }),
    ...(offer && {
      afterSignIn: ({ login, proof }: Pick<ElevatedLogin, "login" | "proof">) =>
        offersPasskey(method, login, proof.at) ? OFFER_PATH : undefined,
    }),
  });
}
