import { type Account, addActivity, addLogin, endFirstStep, removeLogin } from "../core/account.js";
import type { Client, UserId } from "../core/nouns.js";
import { randomId } from "../crypto/random.js";
import type { DeviceMatch } from "../devices/trusted-devices.js";
import { assess, type Mark, type Standing } from "../policy/assess.js";
import type { Parts } from "./parts.js";
import type { Change } from "./records.js";
import { standingOf, subjectOf, type Visitor } from "./visitor.js";

/** A login after its first step: what it is worth, and what the session has to remember of it. */
export interface SignedIn {
  readonly standing: Standing;
  readonly mark: Mark;
  readonly account: Account;
  /** The trusted device's next token, for its cookie. */
  readonly deviceToken?: string;
  /** The presented token is worth nothing any more; its cookie can go. */
  readonly deviceRefused?: boolean;
}

/** Somebody who gave a first factor just now and has no mark yet. */
export type Newcomer = Omit<Visitor, "mark">;

interface Recognized {
  readonly match: DeviceMatch;
  readonly account: Account;
}

/** The first step of a login, and its end. */
export class SignIn {
  constructor(private readonly parts: Parts) {}

  /** The first factor was given. Reads the account afresh, whatever was known of it before. */
  async begin(newcomer: Newcomer): Promise<SignedIn> {
    const now = this.parts.clock();
    const { account } = await this.parts.records.read(newcomer.userId);
    const { generation } = account;
    const first: Mark = { user: newcomer.userId, step: "first", id: randomId(), at: now, generation };
    const standing = assess({ account, mark: first, decision: newcomer.decision, now });
    if (standing.status === "must-enroll") return this.challenge(newcomer, account, first);
    if (standing.status !== "pending") return { standing, mark: first, account };
    const { deviceToken } = newcomer.arrival;
    if (deviceToken === undefined) return this.challenge(newcomer, account, first);
    return this.withDevice(newcomer, first, deviceToken);
  }

  /** A logout: ends the login in the account record, so that no copy of its session is worth anything. */
  async end(mark: Mark, client: Client): Promise<void> {
    await this.strike(mark);
    this.parts.tell("signed-out", { userId: mark.user, client });
  }

  private async strike({ user, step, id }: Mark): Promise<void> {
    await this.parts.records.update<undefined>(user, async (account) => {
      const ended = step === "second" ? removeLogin(account, id) : endFirstStep(account, id);
      return { account: ended, result: undefined };
    });
  }

  /** The visitor turned away from the challenge. */
  async cancel(visitor: Visitor): Promise<void> {
    // A pending login is worth nothing; that its end cannot be written down must not hold anybody in it.
    if (visitor.mark !== undefined) await this.strike(visitor.mark).catch(() => undefined);
    this.parts.tell("challenge-cancelled", subjectOf(visitor));
  }

  /** A login outlived its time, or lost what it was pending for, or was revoked. */
  expire(userId: UserId, client: Client): void {
    this.parts.tell("challenge-expired", { userId, client }, { outcome: "failure" });
  }

  private challenge(newcomer: Newcomer, account: Account, first: Mark): SignedIn {
    const mark: Mark = { ...first, pending: true };
    const standing = standingOf({ ...newcomer, mark }, account, this.parts.clock());
    this.parts.tell("challenge-issued", subjectOf(newcomer));
    return { standing, mark, account };
  }

  private async withDevice(newcomer: Newcomer, first: Mark, token: string): Promise<SignedIn> {
    const { match, account } = await this.recognize(newcomer, first, token);
    if (match.kind === "replayed") this.parts.tell("device-replayed", subjectOf(newcomer), { outcome: "failure" });
    if (match.kind === "replayed" || match.kind === "none") {
      return { ...this.challenge(newcomer, account, first), deviceRefused: true };
    }
    this.parts.tell("device-used", subjectOf(newcomer));
    const mark: Mark = { ...first, step: "second" };
    const standing = standingOf({ ...newcomer, mark }, account, this.parts.clock());
    return { standing, mark, account, ...(match.kind === "rotated" ? { deviceToken: match.token } : {}) };
  }

  /** In one write: the token rotates and the login that used it is listed. */
  private recognize(newcomer: Newcomer, mark: Mark, token: string): Promise<Recognized> {
    const { clock, devices, records } = this.parts;
    return records.update(newcomer.userId, async (account): Promise<Change<Recognized>> => {
      const now = clock();
      const match: DeviceMatch = (await devices?.match(account, token, now)) ?? { kind: "none" };
      if (match.kind === "none") return { result: { match, account } };
      const next =
        match.kind === "replayed"
          ? addActivity(match.account, { at: now, action: "device-replayed", label: match.device.label })
          : addLogin(match.kind === "rotated" ? match.account : account, {
              id: mark.id,
              at: mark.at,
              proofs: [],
              deviceId: match.device.id,
              label: newcomer.arrival.label,
            });
      return { account: next, result: { match, account: next } };
    });
  }
}
