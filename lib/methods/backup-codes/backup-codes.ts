import { ConfigurationError } from "../../core/errors.js";
import type { Method } from "../../http/method.js";
import { optionsProblems } from "../../core/option-names.js";
import { backupCodesMethod, type BackupCodesState } from "./method.js";
import { backupCodesPage } from "./page.js";
import { backupCodesRoutes } from "./routes.js";

export interface BackupCodesOptions {
  /** Codes per set: 8 to 20. Default: 10. */
  readonly count?: number;
}

const DEFAULT_COUNT = 10;

/**
 * Look-up secrets for the day the phone is gone (NIST SP 800-63B-4 section 3.1.2): 80 random bits each, shown once, stored
 * as keyed digests with a salt per set, each good for one login.
 *
 * Does NOT make an account "enrolled" by itself: a set comes with the first real factor and goes with the last. A login by one of
 * them makes no new ones, nor does a factor that it sets up, until that has been used in a later login.
 *
 * @throws ConfigurationError for a count outside 8 to 20, and for an option it does not have
 *
 * @example
 * ```ts
 * import { backupCodes, passkeys } from "express-second-factor";
 *
 * app.use(secondFactor({ ..., methods: [passkeys(), backupCodes({ count: 12 })] }));
 * ```
 */
export function backupCodes(options: BackupCodesOptions = {}): Method<BackupCodesState, string> {
  const problems = optionsProblems(options, ["count"], "backupCodes: ");
  if (problems.length > 0) throw new ConfigurationError(problems);
  const count = options.count ?? DEFAULT_COUNT;
  if (!Number.isInteger(count) || count < 8 || count > 20) {
    throw new ConfigurationError([`backupCodes: count must be a whole number from 8 to 20, not ${count}`]);
  }
  return { ...backupCodesMethod(count), page: backupCodesPage, routes: backupCodesRoutes };
}
