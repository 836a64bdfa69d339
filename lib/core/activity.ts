/** What the owner's own activity list keeps. There are words for each of these, and for no others. */
export const ACTIVITIES = [
  "factor-verified",
  "factor-failed",
  "factor-enrolled",
  "factor-imported",
  "factor-removed",
  "factor-renamed",
  "factor-replaced",
  "factor-resynced",
  "factor-disabled",
  "factor-reopened",
  "backup-codes-regenerated",
  "backup-code-used",
  "device-trusted",
  "device-revoked",
  "device-replayed",
  "admin-reset",
  "password-changed",
  "session-displaced",
  "session-revoked",
  "sessions-revoked",
  "signed-out-everywhere",
  "passkey-counter-regressed",
] as const;

export type ActivityName = (typeof ACTIVITIES)[number];
