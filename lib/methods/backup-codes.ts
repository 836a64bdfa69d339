import { base32crockford } from "@scure/base";
import type { Factor } from "../core/account.js";
import { ConfigurationError } from "../core/errors.js";
import { BACKUP_CODE } from "../core/nouns.js";
import { digestOf, findDigest, newDigestKey, openDigestKey } from "../crypto/digests.js";
import type { KeyContext } from "../crypto/key-provider.js";
import { randomId, randomSecret } from "../crypto/random.js";
import type { CodeMethod, MethodContext } from "./contract.js";

export interface BackupCodesOptions {
  /** Codes per set: 8 to 20. Default: 10. */
  readonly count?: number;
}

/** What is stored of a set: a digest per unused code, and the set's own key to them, sealed for its owner. */
export interface BackupCodesState {
  readonly key: string;
  readonly digests: readonly string[];
}

/** The method that mints sets, beside verifying them. */
export interface BackupCodesMethod extends CodeMethod<BackupCodesState> {
  /** A new set: its codes in clear, for the one answer that shows them, and the factor to store. */
  mint(
    context: MethodContext,
  ): Promise<{ readonly codes: readonly string[]; readonly factor: Factor<BackupCodesState> }>;
}

const CODE_BYTES = 10;
const CODE_LENGTH = 16;
const DEFAULT_COUNT = 10;
const CROCKFORD = /^[0-9A-HJKMNP-TV-Z]{16}$/;

function setContext(userId: string): KeyContext {
  return { owner: userId, purpose: "backup-code" };
}

/** Upper case, no spaces or hyphens, and what is read wrongly off paper read rightly (Crockford's base 32). */
function normalize(code: string): string | undefined {
  const plain = code.replace(/[\s-]/g, "").toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
  return plain.length === CODE_LENGTH && CROCKFORD.test(plain) ? plain : undefined;
}

function shown(code: string): string {
  return code.replace(/(.{4})(?=.)/g, "$1-");
}

async function mint(
  count: number,
  { keys, now, userId }: MethodContext,
): Promise<Awaited<ReturnType<BackupCodesMethod["mint"]>>> {
  const context = setContext(userId);
  const { key, sealed } = await newDigestKey(keys, context);
  const codes = Array.from({ length: count }, () => base32crockford.encode(randomSecret(CODE_BYTES)));
  const digests = codes.map((code) => digestOf(key, code, context));
  const factor = {
    id: randomId(),
    type: BACKUP_CODE,
    label: "",
    createdAt: now,
    lastUsedAt: null,
    failures: 0,
    state: { key: sealed, digests },
  };
  return { codes: codes.map(shown), factor };
}

/**
 * Look-up secrets for the day the phone is gone (NIST SP 800-63B-4 section 3.1.2): 80 random bits each, shown once, stored
 * as keyed digests with a salt per set, each good for one login.
 *
 * Does NOT make an account "enrolled" by itself: a set comes with the first real factor and goes with the last.
 *
 * @throws ConfigurationError for a count outside 8 to 20
 *
 * @example
 * ```ts
 * import { backupCodes, passkeys } from "express-second-factor";
 *
 * app.use(secondFactor({ ..., methods: [passkeys(), backupCodes({ count: 12 })] }));
 * ```
 */
export function backupCodes(options: BackupCodesOptions = {}): BackupCodesMethod {
  const count = options.count ?? DEFAULT_COUNT;
  if (!Number.isInteger(count) || count < 8 || count > 20) {
    throw new ConfigurationError([`backupCodes: count must be a whole number from 8 to 20, not ${count}`]);
  }
  return {
    type: BACKUP_CODE,
    amr: [],
    aal: 2,
    phishingResistant: false,
    limits: ["backupCode", "allCodes"],
    refusal: "invalid-code",
    normalize,
    async verify(code, factors, { keys, userId }) {
      const context = setContext(userId);
      for (const factor of factors) {
        const { digests, key } = factor.state;
        const used = findDigest(await openDigestKey(keys, key, context), code, digests, context);
        if (used < 0) continue;
        const left = digests.filter((_digest, index) => index !== used);
        const state = { key: await keys.reseal(key, context), digests: left };
        return { factor: { ...factor, state }, answer: { remaining: left.length } };
      }
      return undefined;
    },
    reseal: async (state, { keys, userId }) => ({ ...state, key: await keys.reseal(state.key, setContext(userId)) }),
    mint: (context) => mint(count, context),
  };
}

/** Codes left in a set. */
export function remainingBackupCodes(factor: Factor): number {
  return (factor as Factor<BackupCodesState>).state.digests.length;
}
