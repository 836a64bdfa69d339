import type { Account, Login } from "../core/account.js";
import { withoutWaiting } from "../core/waiting.js";
import { removeLogin, revokeFirstStep, sighted } from "../core/logins.js";
import { LoginRefusedError } from "../core/errors.js";
import type { Client, UserId } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import {
  asWaiting,
  goesOn,
  listedAt,
  PENDING_LIFE,
  type SessionRecord,
  wasEnded,
  withDecision,
} from "../policy/assess.js";
import type { AccountRecord, Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { recordOf } from "./grace.js";
import { recognizedWith } from "./known-browsers.js";
import { type LoginContext, type Newcomer, subjectOf, type Unweighed, weighed } from "./login-context.js";
import { withLogin } from "./logins.js";
import { openingOf } from "./openings.js";
import type { DeviceMatch } from "./trusted-devices.js";
import { isUnprovable, unprovableError } from "./unprovable.js";

/** A login after its first step, and what its browser has to keep or forget. */
export interface BegunLogin {
  readonly login: LoginContext & { readonly session: SessionRecord };
  /** The trusted device's next token, for its cookie. */
  readonly deviceToken?: string;
  /** The presented token is worth nothing any more; its cookie can go. */
  readonly deviceRefused?: boolean;
}

/** What a login brings along whose record was copied into a session of another id: it has shown, and owes, what it did before. */
function carriedOver(copied: SessionRecord | undefined): Partial<SessionRecord> {
  if (copied === undefined) return {};
  const { at, carried, dueAt, first, misses, passwordEpoch, pending } = copied;
  return {
    ...(first !== undefined && { first }),
    ...(goesOn(copied) && {
      at,
      ...(carried !== undefined && { carried }),
      ...(dueAt !== undefined && { dueAt }),
      ...(misses !== undefined && { misses }),
      ...(passwordEpoch !== undefined && { passwordEpoch }),
      ...(pending === true && { pending }),
    }),
  };
}

/** The first step of a login, and its end. */
export class FirstFactor {
  constructor(private readonly dependencies: EngineDependencies) {}

  /** The first factor was given. Reads the account afresh, whatever was known of it before. */
  async begin(newcomer: Newcomer): Promise<BegunLogin> {
    const { clock } = this.dependencies;
    const record = await recordOf(this.dependencies, newcomer);
    const now = clock();
    const session = this.firstStep(newcomer, record);
    const login = { ...weighed({ ...newcomer, session }, record, now), session };
    const { status } = login.status;
    if (status === "must-enroll") return this.challenge(newcomer, session, record);
    if (status !== "pending") return { login };
    const { deviceToken } = newcomer.source;
    if (deviceToken === undefined || newcomer.decision === "challenge")
      return this.challenge(newcomer, session, record);
    return this.withDevice(newcomer, session, deviceToken);
  }

  /**
   * A trusted browser is to stand in for nothing here: the login, made just now, waits for its proof as it would have without one. The
   * browser stays trusted.
   */
  async insist(login: LoginContext): Promise<BegunLogin["login"]> {
    const { decision, grace, kinds, session, source, trustMaxAge, user, userId } = login;
    if (session !== undefined) await this.strike(session, source.client, []);
    const newcomer = { decision, grace, kinds, source, trustMaxAge, user, userId };
    const record = await this.dependencies.records.read(userId);
    return this.challenge(newcomer, this.firstStep(newcomer, record), record).login;
  }

  /** What a session is to say of a login that nothing but the first factor was given for, by now. */
  firstStep({ decision, unmarked, userId }: Newcomer, { account }: AccountRecord): SessionRecord {
    const [id, at] = [unmarked?.id ?? randomId(), this.dependencies.clock()];
    const step = { user: userId, step: "first", id, at, epoch: account.sessionEpoch } as const;
    return withDecision({ ...step, ...carriedOver(unmarked?.copied) }, decision);
  }

  /**
   * The policy refuses a login, just made or complete long since: it is over.
   * @throws LoginRefusedError once that is written down
   */
  async deny({ session, source, userId }: Unweighed): Promise<never> {
    const { client } = source;
    this.dependencies.emitAudit("login-denied", { userId, client }, { outcome: "failure" });
    if (session !== undefined) await this.strike(session, client, []);
    throw new LoginRefusedError("denied");
  }

  /** A logout: ends the login in the account record, so that no copy of its session is worth anything. */
  async end(session: SessionRecord, client: Client): Promise<void> {
    await this.strike(session, client, [{ action: "signed-out" }]);
  }

  /** The visitor turned away from the challenge. */
  async cancel({ session, source, userId }: LoginContext): Promise<void> {
    const { client } = source;
    // A pending login is worth nothing; that its end cannot be written down must not hold anybody in it.
    if (session !== undefined) await this.strike(session, client, []).catch(() => undefined);
    this.dependencies.emitAudit("challenge-cancelled", { userId, client });
  }

  /** A login outlived its time, or lost what it was pending for, or was revoked. */
  expire(userId: UserId, client: Client): void {
    this.dependencies.emitAudit("challenge-expired", { userId, client }, { outcome: "failure" });
  }

  private async strike(session: SessionRecord, client: Client, events: AccountEvent[]): Promise<void> {
    await this.dependencies.records.change<undefined>({ userId: session.user, client }, ({ account }, now) => {
      // Over already. An account that was erased meanwhile must not come to life again for it.
      if (wasEnded(session, account, now)) return { result: undefined };
      const { at, id, step } = session;
      const ended = step === "second" ? removeLogin(account, session) : revokeFirstStep(account, id, at + PENDING_LIFE);
      const actor = listedAt(session, account)?.acting?.actor;
      const told = actor === undefined ? events : events.map((event) => ({ ...event, actor }));
      return { account: ended, result: undefined, events: told };
    });
  }

  private challenge(newcomer: Newcomer, first: SessionRecord, record: AccountRecord): BegunLogin {
    const session = asWaiting(first, record.account);
    this.tellChallenge(newcomer, record);
    return { login: { ...weighed({ ...newcomer, session }, record, this.dependencies.clock()), session } };
  }

  /** Where no method is left that could prove anything, its owner will not get in, and the application is told why. */
  private tellChallenge(newcomer: Newcomer, { account }: AccountRecord): void {
    const { emitAudit, emitError, methods } = this.dependencies;
    const subject = subjectOf(newcomer);
    emitAudit("challenge-issued", subject);
    if (!isUnprovable(account, methods)) return;
    emitAudit("no-method-left", subject, { outcome: "failure" });
    emitError("methods", unprovableError(account), subject);
  }

  private async withDevice(newcomer: Newcomer, first: SessionRecord, token: string): Promise<BegunLogin> {
    const { clock, records } = this.dependencies;
    const { record, result } = await records.change(subjectOf(newcomer), ({ account }, now) =>
      this.recognize(account, { newcomer, session: first, token }, now),
    );
    const { match, opens } = result;
    if (match.kind === "replayed" || match.kind === "none") {
      return { ...this.challenge(newcomer, first, record), deviceRefused: true };
    }
    const stage = record.account.logins.find(({ id }) => id === first.id)?.stage;
    const { carried: _used, ...kept } = first;
    const session: SessionRecord = { ...kept, step: "second", stage };
    // Listed just now, it is not what was ended or has risen before its session was marked.
    const { unmarked: _marked, ...marked } = newcomer;
    const seen = { ...weighed({ ...marked, session }, record, clock()), session };
    const login = opens ? { ...seen, opens } : seen;
    return { login, ...(match.kind === "rotated" ? { deviceToken: match.token } : {}) };
  }

  /** In one write: the token rotates and the login that used it is listed. */
  private async recognize(
    account: Account,
    shown: { readonly newcomer: Newcomer; readonly session: SessionRecord; readonly token: string },
    now: number,
  ): Promise<Change<{ readonly match: DeviceMatch; readonly opens?: true }>> {
    const { newcomer, session, token } = shown;
    const match: DeviceMatch = (await this.dependencies.devices?.match(account, token, now)) ?? { kind: "none" };
    if (match.kind === "none") return { result: { match } };
    const { id: deviceId, label } = match.device;
    if (match.kind === "replayed") {
      const events: AccountEvent[] = [{ action: "device-replayed", outcome: "failure", label }];
      return { account: match.account, result: { match }, events };
    }
    const { isListed, login, opens } = this.loginBy(deviceId, account, newcomer.source, session, now);
    const current = match.kind === "rotated" ? match.account : account;
    const answered = withoutWaiting(current, { browser: login.label, ip: login.ip });
    const { account: listed, events } = withLogin(answered, login, this.dependencies.uses, now);
    // A copied token opens another browser as well as its own.
    const seen = isListed ? { account: listed, events: [] } : await recognizedWith(this.dependencies, newcomer, listed);
    const result = opens ? { match, opens: true as const } : { match };
    return { ...seen, result, events: [...events, { action: "device-used" }, ...seen.events] };
  }

  /** Parallel first requests of one session are one login, at one stage, and one of them opens it; its id alone is no secret. */
  private loginBy(
    deviceId: string,
    { logins }: Account,
    { sight }: LoginContext["source"],
    session: SessionRecord,
    now: number,
  ): { readonly login: Login; readonly isListed: boolean; readonly opens: boolean } {
    const { at, id } = session;
    const known = logins.find((each) => each.id === id);
    const { opening } = known ?? openingOf(this.dependencies, session, now);
    const stage = known?.stage ?? randomId();
    const login = { id, stage, at, proofs: [], deviceId, ...sighted(sight, now), ...(opening && { opening }) };
    const isListed = known !== undefined;
    return { login, isListed, opens: !isListed && opening !== undefined };
  }
}
