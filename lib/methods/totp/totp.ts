import { ConfigurationError } from "../../core/errors.js";
import type { Method } from "../../http/method.js";
import { optionsProblems } from "../../core/option-names.js";
import { totpMethod } from "./method.js";
import { totpPage } from "./page.js";
import { totpRoutes } from "./routes.js";
import type { TotpState } from "./state.js";

export interface TotpOptions {
  /**
   * Steps accepted either side of the present one: 0, 1 or 2. Default: 1 (RFC 6238 section 5.2). Wider windows are not
   * offered: a drifted clock is found again by resync, which costs no safety.
   */
  readonly window?: 0 | 1 | 2;
}

/**
 * Time-based one-time passwords from an authenticator app (RFC 6238): SHA-1, 6 digits, 30 seconds, 20-byte secrets,
 * a step accepted once and only ever a later one than the last (RFC 6238 section 5.2).
 *
 * Does NOT protect against somebody who relays the code while it is fresh: that takes a passkey.
 *
 * @throws ConfigurationError for a window that is not 0, 1 or 2, and for an option it does not have
 *
 * @example
 * ```ts
 * import { backupCodes, totp } from "express-second-factor";
 *
 * // Only the code the phone shows at this moment.
 * app.use(secondFactor({ ..., methods: [totp({ window: 0 }), backupCodes()] }));
 * ```
 */
export function totp(options: TotpOptions = {}): Method<TotpState, string> {
  const problems = optionsProblems(options, ["window"], "totp: ");
  if (problems.length > 0) throw new ConfigurationError(problems);
  const window = options.window ?? 1;
  if (![0, 1, 2].includes(window)) {
    throw new ConfigurationError([
      `totp: window must be 0, 1 or 2 steps, not ${String(window)}; a drifted clock needs resync`,
    ]);
  }
  return { ...totpMethod(window), page: totpPage, routes: totpRoutes, strict: () => totp({ window: 0 }) };
}
