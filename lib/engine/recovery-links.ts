import type { Account } from "../core/account.js";
import type { UserId } from "../core/nouns.js";
import { type Recovery, stateOf } from "../core/recovery.js";
import type { RecoveryPurpose } from "../core/recovery-paths.js";
import type { KeyContext, KeyProvider, Keys } from "../crypto/key-provider.js";
import type { Reach } from "../events/notices.js";
import { LinkTokens } from "./link-tokens.js";

/** What a link in a mail of a recovery carries. Whether it is good still, the account says. */
export interface RecoveryLink {
  readonly userId: UserId;
  /** Of the recovery. */
  readonly id: string;
  readonly purpose: RecoveryPurpose;
  /** Names the one that confirms, shortens or completes. Absent: it cancels, as any other of the same recovery. */
  readonly link?: string;
}

const PURPOSES: readonly unknown[] = ["confirm", "vouch", "cancel", "complete"] satisfies RecoveryPurpose[];

function isRecoveryLink(value: unknown): value is RecoveryLink {
  if (typeof value !== "object" || value === null) return false;
  const { id, link = "", purpose, userId } = value as Partial<Record<keyof RecoveryLink, unknown>>;
  return [id, link, userId].every((each) => typeof each === "string") && PURPOSES.includes(purpose);
}

/** The tokens of these links. */
export function recoveryTokens(keys: KeyProvider): LinkTokens<RecoveryLink> {
  return new LinkTokens(keys, "recovery", isRecoveryLink);
}

/** The link that takes a recovery on, by where it stands: undefined while there is nothing to do but to wait. */
export function nextStep(recovery: Recovery): "confirm" | "complete" | undefined {
  const state = stateOf(recovery);
  if (state === "requested") return "confirm";
  return state === "ready" && recovery.completed === undefined ? "complete" : undefined;
}

/** What shortens the wait, while it lasts and nothing has. */
export function vouchOf(recovery: Recovery, now: number): string | undefined {
  const { completesAt = 0, vouch } = recovery;
  return stateOf(recovery) === "waiting" && completesAt > now ? vouch : undefined;
}

/**
 * Tokens by what they are for: whoever gets a mail may cancel; the way on is for the address on file alone, what shortens it for every
 * other.
 */
export async function recoveryLinks(
  tokens: LinkTokens<RecoveryLink>,
  { recovery, userId }: Account,
): Promise<Partial<Record<RecoveryPurpose, string>>> {
  if (recovery === undefined) return {};
  const { confirmedAt = 0, id, link } = recovery;
  const vouch = vouchOf(recovery, confirmedAt);
  const step = nextStep(recovery);
  const cancel = await tokens.seal({ userId, id, purpose: "cancel" });
  return {
    cancel,
    ...(step !== undefined && { [step]: await tokens.seal({ userId, id, purpose: step, link }) }),
    ...(vouch !== undefined && { vouch: await tokens.seal({ userId, id, purpose: "vouch", link: vouch }) }),
  };
}

function contextOf(userId: UserId): KeyContext {
  return { owner: userId, purpose: "recovery" };
}

/** Where the mails of a recovery go, and what they say of the site, as the request knew it that asked. */
export async function sealReach(keys: Keys, userId: UserId, { contact, issuer, place }: Reach): Promise<string> {
  const { email, locale } = contact;
  const kept: Reach = {
    contact: { ...(email !== undefined && { email }), ...(locale !== undefined && { locale }) },
    issuer,
    place,
  };
  return keys.encrypt(Buffer.from(JSON.stringify(kept)), contextOf(userId));
}

export async function openReach(keys: Keys, userId: UserId, { reach }: Recovery): Promise<Reach> {
  const bytes = await keys.decrypt(reach, contextOf(userId));
  const { contact, issuer, place } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Reach;
  return { contact, issuer, place };
}

/** As the newest key seals it. */
export async function resealRecovery(
  recovery: Recovery,
  { keys, userId }: { readonly keys: Keys; readonly userId: UserId },
): Promise<Recovery> {
  const reach = await keys.reseal(recovery.reach, contextOf(userId));
  return reach === recovery.reach ? recovery : { ...recovery, reach };
}
