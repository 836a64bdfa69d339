/** Why a passkey cannot be used, as clients are told: it was made for another domain than this site's. */
export const OTHER_ADDRESS = "other-address";
/** … or user verification is required, and it never showed any. */
export const UNVERIFIED = "user-verification";
