import type { Clock, Limits, MethodType } from "../core/nouns.js";
import { guardedKeys } from "../crypto/guarded-keys.js";
import type { KeyProvider, Keys } from "../crypto/key-provider.js";
import { createEvents, type Events } from "../events/emitter.js";
import { type Notify, sendNotices } from "../events/notices.js";
import type { Store } from "../stores/contract.js";
import { guardedStore } from "../stores/guarded.js";
import { AccountRecords } from "./account-records.js";
import { checkingArguments } from "./account-arguments.js";
import { Accounts } from "./accounts.js";
import type { AddressLimit } from "./address-limit.js";
import { Authentication } from "./authentication.js";
import { BriefSeals } from "./brief-seals.js";
import { BrowserIds } from "./browser-ids.js";
import { ChallengeStore } from "./challenges.js";
import { CredentialIndex } from "./credential-index.js";
import type { EngineDependencies } from "./dependencies.js";
import { Enrollments } from "./enrollment.js";
import { FirstFactor } from "./first-factor.js";
import { KeyRotation } from "./key-rotation.js";
import { KeySamples, sealingKeys } from "./key-samples.js";
import { Management } from "./management.js";
import type { AnyMethod } from "./method.js";
import { Sending } from "./sending.js";
import { StepUp } from "./step-up.js";
import { TrustedDevices, type TrustedDevicesOptions } from "./trusted-devices.js";
import { Verification } from "./verification.js";

/** Everything the engine needs to know, resolved: no defaults are filled in below this point. */
export interface EngineSettings {
  readonly clock: Clock;
  readonly store: Store;
  /** Milliseconds. */
  readonly storeTimeout: number;
  readonly keys: KeyProvider;
  readonly methods: readonly AnyMethod[];
  readonly trustedDevices: TrustedDevicesOptions | undefined;
  readonly limits: Limits;
  readonly addressLimit: AddressLimit;
  readonly notify: Notify | undefined;
}

/** The product without HTTP: it can be driven from a route, a test, a worker or a console. */
export interface Engine {
  readonly dependencies: EngineDependencies;
  readonly events: Events;
  readonly firstFactor: FirstFactor;
  readonly verification: Verification;
  readonly authentication: Authentication;
  readonly enrollments: Enrollments;
  readonly sending: Sending;
  readonly management: Management;
  readonly stepUp: StepUp;
  readonly browserIds: BrowserIds;
  readonly accounts: Accounts;
  readonly rotation: KeyRotation;
  /** Resolves when store and keys answer, the keys open what is stored, and the methods have loaded what they need. */
  ready(): Promise<void>;
}

interface EngineKeys {
  readonly keys: Keys;
  readonly samples: KeySamples;
  readonly seals: BriefSeals;
}

function createKeys({ clock, keys, storeTimeout }: EngineSettings, store: Store): EngineKeys {
  const provider = guardedKeys(keys, storeTimeout);
  const samples = new KeySamples(store, provider);
  return { keys: sealingKeys(provider, samples), samples, seals: new BriefSeals(provider, clock) };
}

function canMint(method: AnyMethod): method is NonNullable<EngineDependencies["backupCodes"]> {
  return method.mint !== undefined;
}

/** The composition root: wiring, and nothing else. */
export function createEngine(settings: EngineSettings): Engine {
  const { addressLimit, clock, limits, trustedDevices } = settings;
  settings.store.useClock?.(clock);
  const store = guardedStore(settings.store, settings.storeTimeout);
  const { keys, samples, seals } = createKeys(settings, store);
  const { emitAudit, events } = createEvents(clock);
  if (settings.notify !== undefined) sendNotices(events, settings.notify, emitAudit);
  const methods = new Map<MethodType, AnyMethod>(settings.methods.map((method) => [method.type, method]));
  const dependencies: EngineDependencies = {
    clock,
    keys,
    records: new AccountRecords(store, clock, emitAudit),
    limits,
    methods,
    backupCodes: settings.methods.find(canMint),
    devices: trustedDevices && new TrustedDevices(keys, trustedDevices),
    challenges: new ChallengeStore(store, seals),
    credentials: new CredentialIndex(store, methods),
    addressLimit,
    emitAudit,
  };
  const verification = new Verification(dependencies);
  return {
    dependencies,
    events,
    verification,
    firstFactor: new FirstFactor(dependencies),
    authentication: new Authentication(dependencies, verification),
    enrollments: new Enrollments(dependencies),
    sending: new Sending(dependencies),
    management: new Management(dependencies),
    stepUp: new StepUp(dependencies),
    browserIds: new BrowserIds(seals),
    accounts: checkingArguments(new Accounts(dependencies, verification)),
    rotation: new KeyRotation(dependencies, store, samples),
    ready: () => ready(samples, settings.methods),
  };
}

async function ready(samples: KeySamples, methods: readonly AnyMethod[]): Promise<void> {
  await samples.check();
  await samples.leave();
  await Promise.all(methods.map(async (method) => method.ready?.()));
}
