import type { Account } from "../core/account.js";
import { serializeAccount } from "../core/account-text.js";
import { batches } from "../core/batches.js";
import { ConfigurationError, isSilence } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";
import type { UserId } from "../core/nouns.js";
import type { Keys } from "../crypto/key-provider.js";
import type { Store } from "../stores/contract.js";
import type { KeySamples } from "./key-samples.js";
import type { Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { resealBrowsers } from "./known-browsers.js";
import { resealRecovery } from "./recovery-links.js";
import { resealPass } from "./temporary-passes.js";
import { resealDevice } from "./trusted-devices.js";

/** How far a rotation is, and at its end what it leaves. */
export interface RotationReport {
  /** Accounts looked at. */
  readonly accounts: number;
  /** Accounts that were sealed anew. */
  readonly rotated: number;
  /** Accounts that still need an older key, by that key's id: it is not at hand, or does not open what it sealed. */
  readonly left: Readonly<Record<string, number>>;
  /** Accounts that cannot be told: the record is damaged, or a factor is of a method that is not configured. */
  readonly unreadable: number;
}

export interface RotateKeysOptions {
  /** Called with every few dozen accounts, and awaited. What it throws ends the rotation. */
  readonly onProgress?: (report: RotationReport) => void | Promise<void>;
}

/** What became of one account. */
interface Resealed {
  readonly isChanged: boolean;
  readonly left: ReadonlySet<string>;
  readonly isUnreadable: boolean;
}

const KIND = "account";
const UNREADABLE: Resealed = { isChanged: false, left: new Set(), isUnreadable: true };

function added(report: RotationReport, { isChanged, isUnreadable, left }: Resealed): RotationReport {
  const ids = [...left].map((id) => [id, (report.left[id] ?? 0) + 1] as const);
  return {
    accounts: report.accounts + 1,
    rotated: report.rotated + Number(isChanged),
    unreadable: report.unreadable + Number(isUnreadable),
    left: { ...report.left, ...Object.fromEntries(ids) },
  };
}

/** Seals anew what older keys sealed, account by account, so that those keys can go. */
export class KeyRotation {
  constructor(
    private readonly dependencies: EngineDependencies,
    private readonly store: Store,
    private readonly samples: KeySamples,
  ) {}

  /** May be stopped and run again at any time: what is sealed with the newest key already is only looked at. */
  async run(options: RotateKeysOptions = {}): Promise<RotationReport> {
    const problems = optionsProblems(options, ["onProgress"], "rotateKeys: ");
    if (problems.length > 0) throw new ConfigurationError(problems);
    const { onProgress } = options;
    const keys = this.listed();
    await this.samples.leave();
    let report: RotationReport = { accounts: 0, rotated: 0, left: {}, unreadable: 0 };
    for await (const batch of batches(keys)) {
      const done = await Promise.all(batch.map((key) => this.rotate(key.slice(KIND.length + 1))));
      report = done.reduce(added, report);
      await onProgress?.(report);
    }
    const isWhole = report.unreadable === 0 && Object.keys(report.left).length === 0;
    if (isWhole) await this.samples.retire();
    return report;
  }

  private listed(): AsyncIterable<string> {
    const problems: string[] = [];
    const keys = this.store.list?.(KIND);
    if (keys === undefined) problems.push("store: rotateKeys needs the optional list() of the Store contract");
    if (this.dependencies.keys.keyId === undefined) {
      problems.push("keys: rotateKeys needs the optional keyId() of the KeyProvider, to tell old from new");
    }
    if (keys === undefined || problems.length > 0) throw new ConfigurationError(problems);
    return keys;
  }

  private async rotate(userId: UserId): Promise<Resealed> {
    try {
      const { result } = await this.dependencies.records.change({ userId }, ({ account }) => this.resealed(account));
      return result;
    } catch (error) {
      if (isSilence(error)) throw error;
      // One damaged record must not keep the others from a new key; a store that fails altogether rejects here.
      await this.store.read(`${KIND}:`);
      return UNREADABLE;
    }
  }

  private async resealed(account: Account): Promise<Change<Resealed>> {
    const { userId } = account;
    const left = new Set<string>();
    const context = { userId, keys: this.leaving(left) };
    const types = [...account.factors, ...account.enrollments].map(({ type }) => type);
    const isUnreadable = types.some((type) => !this.dependencies.methods.has(type));
    const anew = async <T extends Account["factors"][number] | Account["enrollments"][number]>(each: T): Promise<T> => {
      const state = await this.dependencies.methods.get(each.type)?.reseal?.(each.state, context);
      return state === undefined ? each : { ...each, state };
    };
    const next = {
      ...account,
      factors: await Promise.all(account.factors.map(anew)),
      enrollments: await Promise.all(account.enrollments.map(anew)),
      devices: await Promise.all(account.devices.map((device) => resealDevice(device, context))),
      ...(account.formerCodes && { formerCodes: await anew(account.formerCodes) }),
      ...(account.recovery && { recovery: await resealRecovery(account.recovery, context) }),
      ...(account.passes && {
        passes: await Promise.all(account.passes.map((pass) => resealPass(pass, context))),
      }),
      ...(account.browsers && { browsers: await resealBrowsers(account.browsers, context) }),
    };
    const isChanged = serializeAccount(next).text !== serializeAccount(account).text;
    return { ...(isChanged && { account: next }), result: { isChanged, isUnreadable, left } };
  }

  /** Keys that leave alone what they cannot open, and note whose it is. */
  private leaving(left: Set<string>): Keys {
    const { keys } = this.dependencies;
    return {
      ...keys,
      async reseal(sealed, context) {
        try {
          return await keys.reseal(sealed, context);
        } catch (error) {
          if (isSilence(error)) throw error;
          left.add((await keys.keyId?.(sealed)) ?? "");
          return sealed;
        }
      },
    };
  }
}
