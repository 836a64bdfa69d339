import type { Clock, Limits, MethodType } from "../core/nouns.js";
import { withReason } from "../core/reasons.js";
import type { KeyProvider } from "../crypto/key-provider.js";
import type { Events, Telling } from "../events/emitter.js";
import type { Store } from "../stores/contract.js";
import { guardedStore } from "../stores/guarded.js";
import { AccountRecords } from "./account-records.js";
import { checkingArguments } from "./account-arguments.js";
import type { DeskSettings } from "./account-desk.js";
import { Accounts } from "./accounts.js";
import type { AddressLimit } from "./address-limit.js";
import { ActingLogins } from "./acting.js";
import { Authentication } from "./authentication.js";
import { BrowserIds } from "./browser-ids.js";
import { CallerChecks } from "./caller-checks.js";
import { ChallengeStore } from "./challenges.js";
import { CredentialIndex } from "./credential-index.js";
import type { EngineDependencies } from "./dependencies.js";
import { Due } from "./due.js";
import { Enrollments } from "./enrollment.js";
import { EnrollmentPages } from "./enrollment-pages.js";
import { FirstFactor } from "./first-factor.js";
import { KeyRotation } from "./key-rotation.js";
import { createKeys, type EngineKeys } from "./engine-keys.js";
import type { KeySamples } from "./key-samples.js";
import { KnownBrowsers } from "./known-browsers.js";
import { createUses, Logins } from "./logins.js";
import { Management } from "./management.js";
import type { AnyMethod } from "./method.js";
import { type NoticeSettings, Noticing } from "./noticing.js";
import { Openings } from "./openings.js";
import { Operations } from "./operations.js";
import { SendBudgets } from "./send-budgets.js";
import { Sending } from "./sending.js";
import { Recoveries } from "./recovery.js";
import type { RecoverySettings } from "./recovery-asking.js";
import { dueKinds } from "./recovery-due.js";
import { type OnCompromise, Reports } from "./reports.js";
import { ShownCodes } from "./shown-codes.js";
import { StepUp } from "./step-up.js";
import { TemporaryPasses } from "./temporary-passes.js";
import { TrustedDevices, type TrustedDevicesOptions } from "./trusted-devices.js";
import { UnprovableAccounts } from "./unprovable.js";
import { TracedVerification } from "./traced-verification.js";
import type { Verification } from "./verification.js";

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
  /** Undefined: owners are told nothing. */
  readonly notices: NoticeSettings | undefined;
  readonly telling: Telling;
  /** Undefined: whoever has lost every factor needs somebody's help. */
  readonly recovery: RecoverySettings | undefined;
  /** The application does something with every new login before that is open. */
  readonly opensLogins: boolean;
  /** The policy weighs logins by those before: they are remembered for it. */
  readonly remembersLogins: boolean;
  /** Undefined: the application says nothing of a help desk. */
  readonly helpDesk: DeskSettings | undefined;
  /** Told of what was reported; undefined: nobody is. */
  readonly onCompromise: OnCompromise | undefined;
}

/** The product without HTTP: it can be driven from a route, a test, a worker or a console. */
export interface Engine {
  readonly dependencies: EngineDependencies;
  readonly events: Events;
  readonly firstFactor: FirstFactor;
  readonly logins: Logins;
  readonly openings: Openings;
  readonly verification: Verification;
  readonly authentication: Authentication;
  readonly enrollments: Enrollments;
  readonly enrollmentPages: EnrollmentPages;
  readonly sending: Sending;
  readonly management: Management;
  readonly reports: Reports;
  /** Undefined where there is none. */
  readonly recoveries: Recoveries | undefined;
  readonly shownCodes: ShownCodes;
  readonly stepUp: StepUp;
  readonly browserIds: BrowserIds;
  readonly operations: Operations;
  readonly acting: ActingLogins;
  readonly temporaryPasses: TemporaryPasses;
  readonly callerChecks: CallerChecks;
  readonly accounts: Accounts;
  readonly rotation: KeyRotation;
  readonly due: Due;
  /** Resolves when store and keys answer, the keys open what is stored, and the methods have loaded what they need. */
  ready(): Promise<void>;
}

function canMint(method: AnyMethod): method is NonNullable<EngineDependencies["backupCodes"]> {
  return method.mint !== undefined;
}

function dependenciesOf(
  settings: EngineSettings,
  { keys, seals, store, tokens }: Omit<EngineKeys, "samples"> & { store: Store },
): EngineDependencies {
  const { addressLimit, clock, limits, notices, remembersLogins, telling, trustedDevices } = settings;
  const { emitAudit, emitError } = telling;
  const methods = new Map<MethodType, AnyMethod>(settings.methods.map((method) => [method.type, method]));
  const noticing = notices && new Noticing(notices, telling, tokens, { keys, methods });
  const records = new AccountRecords(store, clock, emitAudit, noticing);
  return {
    clock,
    keys,
    records,
    limits,
    methods,
    backupCodes: settings.methods.find(canMint),
    devices: trustedDevices && new TrustedDevices(keys, trustedDevices),
    challenges: new ChallengeStore(store, seals),
    credentials: new CredentialIndex(store, methods, records),
    addressLimit,
    budgets: new SendBudgets(store, keys, clock, limits),
    uses: createUses(),
    opensLogins: settings.opensLogins,
    noticing,
    browsers: noticing || remembersLogins ? new KnownBrowsers(keys, { remembersLogins, clock }) : undefined,
    hasRecovery: settings.recovery !== undefined,
    emitAudit,
    emitError,
  };
}

/** The composition root: wiring, and nothing else. */
export function createEngine(settings: EngineSettings): Engine {
  settings.store.useClock?.(settings.clock);
  const { recovery, storeTimeout, telling } = settings;
  const store = guardedStore(settings.store, storeTimeout, (error) => telling.emitError("store", error));
  const { samples, ...made } = createKeys(settings, store);
  const dependencies = dependenciesOf(settings, { ...made, store });
  const verification = new TracedVerification(dependencies, telling.events);
  const operations = new Operations(dependencies, store);
  const unprovable = new UnprovableAccounts(dependencies, store);
  const due = new Due(dependencies, store, dueKinds(dependencies, recovery));
  return {
    dependencies,
    events: telling.events,
    verification,
    firstFactor: new FirstFactor(dependencies),
    logins: new Logins(dependencies),
    openings: new Openings(dependencies),
    authentication: new Authentication(dependencies, verification),
    enrollments: new Enrollments(dependencies),
    enrollmentPages: new EnrollmentPages(dependencies),
    sending: new Sending(dependencies),
    management: new Management(dependencies),
    reports: new Reports(dependencies, made.tokens.report, settings.onCompromise),
    shownCodes: new ShownCodes(dependencies, store),
    stepUp: new StepUp(dependencies, verification, operations),
    operations,
    recoveries: recovery && new Recoveries(dependencies, recovery, made.tokens.recovery, due),
    browserIds: new BrowserIds(made.seals),
    acting: new ActingLogins(dependencies),
    temporaryPasses: new TemporaryPasses(dependencies),
    callerChecks: new CallerChecks(dependencies),
    accounts: checkingArguments(new Accounts(dependencies, verification, settings.helpDesk), settings.helpDesk),
    rotation: new KeyRotation(dependencies, store, samples),
    due,
    ready: () =>
      ready(samples, settings.methods, unprovable).catch((error: unknown) => {
        throw withReason(error);
      }),
  };
}

async function ready(
  samples: KeySamples,
  methods: readonly AnyMethod[],
  unprovable: UnprovableAccounts,
): Promise<void> {
  await samples.check();
  await samples.leave();
  await Promise.all(methods.map(async (method) => method.ready?.()));
  await unprovable.look();
}
