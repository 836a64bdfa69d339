import { ConfigurationError, isSilence, UnavailableError } from "../core/errors.js";
import type { KeyContext, KeyProvider, Keys } from "../crypto/key-provider.js";
import type { Store } from "../stores/contract.js";

const PLACE = "keys";
const CONTEXT: KeyContext = { owner: "", purpose: "sample" };
const SAMPLE = Buffer.from("express-second-factor");
const MOST_ATTEMPTS = 20;

interface Kept {
  readonly samples: readonly string[];
  readonly version: string | null;
}

function samplesIn(value: string): readonly string[] {
  const samples: unknown = JSON.parse(value);
  const areTexts = Array.isArray(samples) && samples.every((sample): sample is string => typeof sample === "string");
  if (!areTexts) throw new UnavailableError("The record of the keys in use is damaged");
  return samples;
}

/**
 * A sealed word per key that ever sealed something in this store. Whoever cannot open one of them cannot open what is stored,
 * and is told which key is missing before a user is.
 */
export class KeySamples {
  /** The key whose sample is known to be there. */
  private known: string | undefined;

  constructor(
    private readonly store: Store,
    private readonly keys: KeyProvider,
  ) {}

  /** Leaves a sample of the newest key, if there is none. To be awaited before anything else is sealed with it. */
  async leave(): Promise<void> {
    const newest = await this.idOf();
    if (newest === this.known) return;
    await this.change(async (samples) => {
      const ids = await this.idsOf(samples);
      return ids.includes(newest) ? undefined : [...samples, await this.keys.encrypt(SAMPLE, CONTEXT)];
    });
    this.known = newest;
  }

  /** @throws ConfigurationError that names every key that is missing; UnavailableError where store or keys do not answer */
  async check(): Promise<void> {
    const { samples } = await this.read();
    const problems = await Promise.all(samples.map((sample) => this.problemOf(sample)));
    const found = problems.filter((problem) => problem !== undefined);
    if (found.length > 0) throw new ConfigurationError(found);
  }

  /** Forgets every key but the newest: nothing is sealed with the others any more. */
  async retire(): Promise<void> {
    const newest = await this.idOf();
    await this.change(async (samples) => {
      const ids = await this.idsOf(samples);
      const kept = samples.filter((_sample, index) => ids[index] === newest);
      return kept.length === samples.length ? undefined : kept;
    });
  }

  private async problemOf(sample: string): Promise<string | undefined> {
    const opened = await this.keys.decrypt(sample, CONTEXT).catch((error: unknown) => {
      if (isSilence(error)) throw error;
      return undefined;
    });
    if (opened !== undefined && SAMPLE.equals(opened)) return undefined;
    const id = await this.idOf(sample);
    return `keys: accounts are stored that the key "${id}" sealed, and it does not open them. Put that key back behind the first`;
  }

  private idsOf(samples: readonly string[]): Promise<string[]> {
    return Promise.all(samples.map((sample) => this.idOf(sample)));
  }

  /** Providers that do not name their keys have one, as far as anybody can tell. */
  private async idOf(sealed?: string): Promise<string> {
    return (await this.keys.keyId?.(sealed)) ?? "";
  }

  private async read(): Promise<Kept> {
    const entry = await this.store.read(PLACE);
    return entry === undefined ? { samples: [], version: null } : { ...entry, samples: samplesIn(entry.value) };
  }

  private async change(make: (samples: readonly string[]) => Promise<readonly string[] | undefined>): Promise<void> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      const { samples, version } = await this.read();
      const next = await make(samples);
      if (next === undefined) return;
      const written = await this.store.write(PLACE, JSON.stringify(next), { expect: version });
      if (written !== undefined) return;
    }
    throw new UnavailableError(`The record of the keys in use changed ${MOST_ATTEMPTS} times under one write`);
  }
}

/** The keys as the product works with them: they leave a sample before they seal, and seal anew what an older key sealed. */
export function sealingKeys(keys: KeyProvider, samples: KeySamples): Keys {
  const encrypt: Keys["encrypt"] = async (plaintext, context) => {
    await samples.leave();
    return keys.encrypt(plaintext, context);
  };
  return {
    ...keys,
    encrypt,
    async reseal(sealed, context) {
      const [own, newest] = await Promise.all([keys.keyId?.(sealed), keys.keyId?.()]);
      return own === newest ? sealed : encrypt(await keys.decrypt(sealed, context), context);
    },
  };
}
