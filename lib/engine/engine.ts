import type { Clock, LimitKind, MethodType } from "../core/nouns.js";
import { guardedKeys } from "../crypto/guarded-keys.js";
import type { KeyProvider, Keys } from "../crypto/key-provider.js";
import { TrustedDevices, type TrustedDevicesOptions } from "../devices/trusted-devices.js";
import { createEvents, type Events } from "../events/emitter.js";
import { type Notify, sendNotices } from "../events/notices.js";
import { createAttemptLimits, type Limit } from "../limits/attempts.js";
import type { BackupCodesMethod } from "../methods/backup-codes.js";
import type { Method } from "../methods/contract.js";
import { isPasskeysMethod } from "../methods/passkeys.js";
import type { Store } from "../stores/contract.js";
import { guardedStore } from "../stores/guarded.js";
import { Accounts } from "./accounts.js";
import { Ceremonies } from "./ceremonies.js";
import { Challenge } from "./challenge.js";
import { EnrollmentDesk } from "./enrollment.js";
import { KeyRotation } from "./key-rotation.js";
import { KeySamples, sealingKeys } from "./key-samples.js";
import { Management } from "./management.js";
import type { Parts } from "./parts.js";
import { PasskeyDesk } from "./passkey-desk.js";
import { PasskeyOwners } from "./passkey-owners.js";
import { AccountRecords } from "./records.js";
import { SignIn } from "./sign-in.js";
import { StepUp } from "./step-up.js";
import { Verification } from "./verification.js";

/** Everything the engine needs to know, resolved: no defaults are filled in below this point. */
export interface EngineSettings {
  readonly clock: Clock;
  readonly store: Store;
  /** Milliseconds. */
  readonly storeTimeout: number;
  readonly keys: KeyProvider;
  readonly methods: readonly Method[];
  readonly backupCodes: BackupCodesMethod | undefined;
  readonly trustedDevices: TrustedDevicesOptions | undefined;
  readonly limits: Readonly<Record<LimitKind, Limit>>;
  readonly notify: Notify | undefined;
}

/** The product without HTTP: it can be driven from a route, a test, a worker or a console. */
export interface Engine {
  readonly parts: Parts;
  readonly events: Events;
  readonly signIn: SignIn;
  readonly challenge: Challenge;
  readonly enrollment: EnrollmentDesk;
  readonly management: Management;
  readonly stepUp: StepUp;
  /** Undefined where passkeys are not configured. */
  readonly passkeys: PasskeyDesk | undefined;
  /** Resolves when what passkeys need is loaded. */
  readonly passkeysLoaded: Promise<void>;
  readonly accounts: Accounts;
  readonly rotation: KeyRotation;
  /** Resolves when store and keys answer, and the keys open what is stored. */
  ready(): Promise<void>;
}

function createKeys(settings: EngineSettings, store: Store): { readonly keys: Keys; readonly samples: KeySamples } {
  const provider = guardedKeys(settings.keys, settings.storeTimeout);
  const samples = new KeySamples(store, provider);
  return { keys: sealingKeys(provider, samples), samples };
}

/** The composition root: wiring, and nothing else. */
export function createEngine(settings: EngineSettings): Engine {
  const { backupCodes, clock, trustedDevices } = settings;
  settings.store.useClock?.(clock);
  const store = guardedStore(settings.store, settings.storeTimeout);
  const { keys, samples } = createKeys(settings, store);
  const { events, tell } = createEvents(clock);
  if (settings.notify !== undefined) sendNotices(events, settings.notify, tell);
  const parts: Parts = {
    clock,
    keys,
    records: new AccountRecords(store),
    limits: createAttemptLimits(store, settings.limits, clock),
    methods: new Map<MethodType, Method>(settings.methods.map((method) => [method.type, method])),
    backupCodes,
    devices: trustedDevices && new TrustedDevices(keys, trustedDevices),
    tell,
  };
  const verification = new Verification(parts);
  const challenge = new Challenge(parts, verification);
  const passkeys = settings.methods.find(isPasskeysMethod);
  const owners = new PasskeyOwners(store);
  const ceremonies = new Ceremonies(store, clock);
  return {
    parts,
    events,
    signIn: new SignIn(parts),
    challenge,
    enrollment: new EnrollmentDesk(parts, verification),
    management: new Management(parts, owners),
    stepUp: new StepUp(parts),
    passkeysLoaded: passkeys?.loaded ?? Promise.resolve(),
    passkeys: passkeys && new PasskeyDesk(parts, passkeys, ceremonies, owners, verification, challenge),
    accounts: new Accounts(parts, verification, owners),
    rotation: new KeyRotation(parts, store, samples),
    async ready() {
      await samples.check();
      await samples.leave();
    },
  };
}
