import type { Account } from "../core/account.js";
import { addLogin, removeLogin, revokeFirstStep } from "../core/account-changes.js";
import type { Client, UserId } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { AccountEvent } from "../events/audit.js";
import { type SessionRecord, withDecision } from "../policy/assess.js";
import type { AccountRecord, Change } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, subjectOf, type Unweighed, weighed } from "./login-context.js";
import type { DeviceMatch } from "./trusted-devices.js";

/** A login after its first step, and what its browser has to keep or forget. */
export interface BegunLogin {
  readonly login: LoginContext & { readonly session: SessionRecord };
  /** The trusted device's next token, for its cookie. */
  readonly deviceToken?: string;
  /** The presented token is worth nothing any more; its cookie can go. */
  readonly deviceRefused?: boolean;
}

/** Somebody who gave a first factor just now, of whom the session knows nothing yet. */
export type Newcomer = Omit<Unweighed, "session">;

/** The first step of a login, and its end. */
export class FirstFactor {
  constructor(private readonly dependencies: EngineDependencies) {}

  /** The first factor was given. Reads the account afresh, whatever was known of it before. */
  async begin(newcomer: Newcomer): Promise<BegunLogin> {
    const { clock, records } = this.dependencies;
    const record = await records.read(newcomer.userId);
    const now = clock();
    const session = withDecision(
      { user: newcomer.userId, step: "first", id: randomId(), at: now, epoch: record.account.sessionEpoch },
      newcomer.decision,
    );
    const login = { ...weighed({ ...newcomer, session }, record, now), session };
    const { status } = login.status;
    if (status === "must-enroll") return this.challenge(newcomer, session, record);
    if (status !== "pending") return { login };
    const { deviceToken } = newcomer.source;
    if (deviceToken === undefined) return this.challenge(newcomer, session, record);
    return this.withDevice(newcomer, session, deviceToken);
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

  private async strike(
    { epoch, id, step, user }: SessionRecord,
    client: Client,
    events: AccountEvent[],
  ): Promise<void> {
    await this.dependencies.records.change<undefined>({ userId: user, client }, ({ account }) => {
      // Over with its epoch. An account that was erased meanwhile must not come to life again for it.
      if (epoch !== account.sessionEpoch) return { result: undefined };
      const ended = step === "second" ? removeLogin(account, id) : revokeFirstStep(account, id);
      return { account: ended, result: undefined, events };
    });
  }

  private challenge(newcomer: Newcomer, first: SessionRecord, record: AccountRecord): BegunLogin {
    const session: SessionRecord = { ...first, pending: true };
    this.dependencies.emitAudit("challenge-issued", subjectOf(newcomer));
    return { login: { ...weighed({ ...newcomer, session }, record, this.dependencies.clock()), session } };
  }

  private async withDevice(newcomer: Newcomer, first: SessionRecord, token: string): Promise<BegunLogin> {
    const { clock, records } = this.dependencies;
    const { record, result: match } = await records.change(subjectOf(newcomer), ({ account }, now) =>
      this.recognize(account, { newcomer, session: first, token }, now),
    );
    if (match.kind === "replayed" || match.kind === "none") {
      return { ...this.challenge(newcomer, first, record), deviceRefused: true };
    }
    const session: SessionRecord = { ...first, step: "second" };
    const login = { ...weighed({ ...newcomer, session }, record, clock()), session };
    return { login, ...(match.kind === "rotated" ? { deviceToken: match.token } : {}) };
  }

  /** In one write: the token rotates and the login that used it is listed. */
  private async recognize(
    account: Account,
    shown: { readonly newcomer: Newcomer; readonly session: SessionRecord; readonly token: string },
    now: number,
  ): Promise<Change<DeviceMatch>> {
    const { newcomer, session, token } = shown;
    const match: DeviceMatch = (await this.dependencies.devices?.match(account, token, now)) ?? { kind: "none" };
    if (match.kind === "none") return { result: match };
    const { id: deviceId, label } = match.device;
    if (match.kind === "replayed") {
      const events: AccountEvent[] = [{ action: "device-replayed", outcome: "failure", label }];
      return { account: match.account, result: match, events };
    }
    const login = { id: session.id, at: session.at, proofs: [], deviceId, label: newcomer.source.label };
    const listed = addLogin(match.kind === "rotated" ? match.account : account, login);
    return { account: listed, result: match, events: [{ action: "device-used" }] };
  }
}
