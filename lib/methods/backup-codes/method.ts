import { codeIn } from "../../core/codes.js";
import { ALL_CODES, BACKUP_CODE, MINUTE } from "../../core/nouns.js";
import { digestOf, findDigest, newDigestKey, openDigestKey } from "../../crypto/digests.js";
import type { KeyContext } from "../../crypto/key-provider.js";
import { newPaperCode, readPaperCode, shownPaperCode } from "../../crypto/paper-codes.js";
import { randomId } from "../../crypto/random.js";
import type { FactorMethod, MethodContext, Minted } from "../../engine/method.js";

/** What is stored of a set: a digest per unused code, and the set's own key to them, sealed for its owner. */
export interface BackupCodesState {
  readonly key: string;
  readonly digests: readonly string[];
}

function setContext(userId: string): KeyContext {
  return { owner: userId, purpose: "backup-code" };
}

async function mint(count: number, { keys, now, userId }: MethodContext): Promise<Minted> {
  const context = setContext(userId);
  const { key, sealed } = await newDigestKey(keys, context);
  const codes = Array.from({ length: count }, newPaperCode);
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
  return { codes: codes.map(shownPaperCode), factor };
}

/** What a body presents: `{ code }`. */
function present(body: Readonly<Record<string, unknown>>): string | undefined {
  const code = codeIn(body);
  return code === undefined ? undefined : readPaperCode(code);
}

/** How a saved code proves its owner: see `backupCodes()`. `count`: codes in a new set. */
export function backupCodesMethod(count: number): FactorMethod<BackupCodesState, string> {
  return {
    type: BACKUP_CODE,
    amr: [],
    aal: 2,
    phishingResistant: false,
    limits: ["backupCode", ALL_CODES],
    limitDefaults: { backupCode: { limit: 10, window: 60 * MINUTE } },
    refusal: "invalid-code",
    verifiedAs: "backup-code-used",
    present,
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
    remaining: ({ state }) => state.digests.length,
  };
}
