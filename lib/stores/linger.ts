import { MINUTE } from "../core/nouns.js";

/**
 * What has expired stays this much longer in Redis and in SQL, in milliseconds. The application's clock decides what has expired,
 * and the clocks of its processes differ: what one drops, another may still count as there. By seconds, that is; clocks that are
 * minutes apart would refuse every TOTP code first. Longer would only keep what nobody can use.
 */
export const LINGER = 5 * MINUTE;
