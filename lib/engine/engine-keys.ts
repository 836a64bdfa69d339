import type { Clock } from "../core/nouns.js";
import { guardedKeys } from "../crypto/guarded-keys.js";
import type { KeyProvider, Keys } from "../crypto/key-provider.js";
import type { EmitError } from "../events/emitter.js";
import type { Store } from "../stores/contract.js";
import { BriefSeals } from "./brief-seals.js";
import { KeySamples, sealingKeys } from "./key-samples.js";
import type { NoticeTokens } from "./noticing.js";
import { recoveryTokens } from "./recovery-links.js";
import { ReportTokens } from "./report-tokens.js";

/** The application's keys, and whatever of the engine stands on nothing else. */
export interface EngineKeys {
  readonly keys: Keys;
  readonly samples: KeySamples;
  readonly seals: BriefSeals;
  /** Of links in messages. */
  readonly tokens: NoticeTokens;
}

/** What the keys are made from. */
interface KeySettings {
  readonly clock: Clock;
  readonly keys: KeyProvider;
  /** Milliseconds. */
  readonly storeTimeout: number;
  readonly telling: { readonly emitError: EmitError };
}

export function createKeys({ clock, keys, storeTimeout, telling }: KeySettings, store: Store): EngineKeys {
  const provider = guardedKeys(keys, storeTimeout, (error) => telling.emitError("keys", error));
  const samples = new KeySamples(store, provider);
  const tokens = { recovery: recoveryTokens(provider), report: new ReportTokens(provider, clock) };
  return { keys: sealingKeys(provider, samples), samples, seals: new BriefSeals(provider, clock), tokens };
}
