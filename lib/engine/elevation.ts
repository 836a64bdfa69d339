import type { Account, Login } from "../core/account.js";
import { withoutDevice } from "../core/account-changes.js";
import { openingWith, sighted } from "../core/logins.js";
import type { Proof } from "../core/nouns.js";
import { withoutWaiting } from "../core/waiting.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import type { SessionRecord } from "../policy/assess.js";
import type { AccountRecord } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import {
  deviceIdOf,
  listedLogin,
  type LoginContext,
  recordOfListed,
  type Unweighed,
  weighed,
} from "./login-context.js";
import { recognizedWith } from "./known-browsers.js";
import { withLogin } from "./logins.js";
import { openingOf } from "./openings.js";
import { endRecovery } from "./recovery-ends.js";

/** A login that rose by a proof, and what the browser may keep of it. */
export interface ElevatedLogin {
  readonly login: LoginContext & { readonly session: SessionRecord };
  readonly proof: Proof;
  /** What the method adds to the answer. */
  readonly answer: Readonly<Record<string, unknown>>;
  /** A new trusted device's token, for its cookie. */
  readonly deviceToken?: string;
}

/** What a proof brings about, to be written in the same write that uses it up. */
export interface Elevation {
  readonly account: Account;
  readonly session: SessionRecord;
  readonly events: readonly AccountEvent[];
  readonly deviceToken?: string;
  readonly written?: (() => void) | undefined;
}

/** A login as the written record has it, in which it has just risen; whoever made it rise opens it. */
export function risen(
  login: Unweighed & { readonly session: SessionRecord },
  record: AccountRecord,
  now: number,
): ElevatedLogin["login"] {
  const { session } = login;
  const context = weighed(login, record, now);
  const opens = listedLogin(context)?.opening !== undefined;
  return { ...context, session, ...(opens && { opens }) };
}

/** A proof takes the place of older ones of its method; one by enrollment, which shows less, only of those like it. */
function isReplaced({ isEnrollment, method }: Proof, by: Proof): boolean {
  return method === by.method && (by.isEnrollment !== true || isEnrollment === true);
}

/**
 * The stage a login rises to with a proof: every older copy of its session is worthless from then on; of each method the newest
 * proof is kept, oldest first.
 */
export function elevatedStage(
  dependencies: Pick<EngineDependencies, "opensLogins">,
  login: LoginContext,
  proof: Proof,
): Login {
  const previous = listedLogin(login)?.proofs ?? [];
  return {
    ...riseOf(login, proof.at),
    ...openingOf(dependencies, login.session, proof.at),
    stage: randomId(),
    proofs: [...previous.filter((each) => !isReplaced(each, proof)), proof],
    ...sighted(login.source.sight, proof.at),
  };
}

/** A login that is listed goes on under its id; an ended first step must not end what rose from it. */
function riseOf({ session }: LoginContext, now: number): Pick<Login, "id" | "at" | "used"> {
  if (session?.step === "second") return { id: session.id, at: session.at, used: true };
  // A proof is given at a second request: somebody came back to it.
  return { id: randomId(), at: session?.at ?? now, used: true };
}

/** Lists the login at its new stage, and trusts its browser where that was asked for. */
export async function elevate(
  dependencies: Pick<EngineDependencies, "browsers" | "devices" | "opensLogins" | "uses">,
  login: LoginContext,
  { account, proof }: { readonly account: Account; readonly proof: Proof },
  trustsDevice: boolean,
): Promise<Elevation> {
  const { devices, uses } = dependencies;
  const stage = elevatedStage(dependencies, login, proof);
  const ended = endRecovery(account, proof.at, "proof");
  uses.set(stage.id, proof.at);
  const {
    account: listed,
    events: displaced,
    written,
  } = await completed(dependencies, login, ended.account, stage, proof.at);
  const session = recordOfListed(login, stage, account.sessionEpoch);
  const isStepUp = login.status.status === "verified";
  const about = { method: proof.method, factorId: proof.factorId };
  const events: AccountEvent[] = [
    ...displaced,
    ...(isStepUp ? [{ action: "step-up", ...about }] : []),
    ...ended.events,
  ];
  if (!trustsDevice || devices === undefined) return { account: listed, session, events, written };
  const { label } = login.source;
  const granted = await devices.grant(withoutDevice(listed, deviceIdOf(login) ?? ""), label, proof.at);
  const told = [...events, { action: "device-trusted", label }];
  const noted = openingWith(granted.account, stage.id, granted.deviceId);
  return { account: noted, session, events: told, deviceToken: granted.token, written };
}

/** Lists a login that has risen: what waited for it, or at the same place, is answered for, and a new browser is told of. */
async function completed(
  dependencies: Pick<EngineDependencies, "browsers" | "uses">,
  login: LoginContext,
  account: Account,
  stage: Login,
  now: number,
): Promise<Pick<Elevation, "account" | "events" | "written">> {
  const listed = withLogin(account, stage, dependencies.uses, now);
  const { client, label: browser } = login.source;
  const answered = withoutWaiting(listed.account, { id: login.session?.id, browser, ip: client.ip });
  const { events, ...recognized } = await recognizedWith(dependencies, login, answered);
  return { ...recognized, events: [...listed.events, ...events] };
}
