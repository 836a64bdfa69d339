/** What a link in a message of a recovery is for. `vouch`: of those to other channels, it shortens the wait. */
export type RecoveryPurpose = "confirm" | "vouch" | "cancel" | "complete";

/** Below `path`: where a recovery is asked for; what is below that is for links in messages. */
export const RECOVERY_PATH = "/recovery";

/** Below `path`: where a link of this purpose leads. Both that confirm lead to one page: which of the two it is, the link says. */
export function recoveryPath(purpose: RecoveryPurpose): string {
  return `${RECOVERY_PATH}/${purpose === "vouch" ? "confirm" : purpose}`;
}
