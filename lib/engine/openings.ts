import { setTimeout } from "node:timers/promises";
import type { Account, Login } from "../core/account.js";
import { withoutDevice } from "../core/account-changes.js";
import { LoginRefusedError, UnavailableError } from "../core/errors.js";
import { openingIn, openLogin, removeLogin, revokeFirstStep } from "../core/logins.js";
import { MINUTE, SECOND } from "../core/nouns.js";
import { isFuture } from "../core/time.js";
import type { AccountEvent } from "../events/audit.js";
import { listedAt, PENDING_LIFE, type SessionRecord } from "../policy/assess.js";
import type { AccountRecord } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { type LoginContext, subjectOf, type Unweighed, weighed } from "./login-context.js";

/** Other requests of a login wait that long for what the application does with it first, in milliseconds. */
const LONGEST_WAIT = 5 * SECOND;
const TURN = 50;
/** The clock may stand still; milliseconds that really pass do not. */
const MOST_TURNS = LONGEST_WAIT / TURN;
/** Nobody does anything with it any more: the process that did has ended. Longer than any application is given. */
const OPENING_LIFE = MINUTE;

/** A login that has a session to rise in. */
type Risen = LoginContext & { readonly session: SessionRecord };

/**
 * What a login is listed with that is complete only once the application has done what it does with new ones (`onLogin`). `before`:
 * what its session said while it was not.
 */
export function openingOf(
  { opensLogins }: Pick<EngineDependencies, "opensLogins">,
  before: SessionRecord | undefined,
  now: number,
): Pick<Login, "opening" | "from"> {
  if (!opensLogins || before?.step === "second" || before?.opened === true) return {};
  return { opening: { at: now }, ...(before !== undefined && { from: before.id }) };
}

/** A first step rises once: from one that has, nothing more comes. */
export function hasRisen({ record, session }: LoginContext): boolean {
  const { logins } = record.account;
  return session?.step === "first" && logins.some(({ from }) => from === session.id);
}

/** Logins between the proof and what the application does before they are open. */
export class Openings {
  constructor(
    private readonly dependencies: Pick<EngineDependencies, "clock" | "emitAudit" | "opensLogins" | "records">,
  ) {}

  /** Another request is opening this login. */
  isRunning(login: Unweighed, { account }: AccountRecord): boolean {
    return this.find(login, account) !== undefined;
  }

  /**
   * The account once no other request is opening this login: the record that was read, where none is.
   * @throws UnavailableError where it takes longer than 5 seconds
   */
  async settled(login: Unweighed, read: AccountRecord): Promise<AccountRecord> {
    const { clock, records } = this.dependencies;
    const since = clock();
    let record = read;
    for (let turn = 0; ; turn += 1) {
      const found = this.find(login, record.account);
      if (found === undefined) return record;
      if (isAbandoned(found, clock())) return this.strike(login, found);
      if (turn >= MOST_TURNS || clock() - since >= LONGEST_WAIT)
        throw new UnavailableError("onLogin has not come to an end within 5 s");
      await setTimeout(TURN);
      record = await records.read(login.userId);
    }
  }

  /**
   * Runs what the application does with a new login, and opens it. Ended meanwhile, it is answered as that. `act` answers whether the
   * login is still where it was made.
   * @throws LoginRefusedError where the application refuses: then the login is over
   */
  async open(login: Risen, act: () => Promise<boolean>): Promise<LoginContext> {
    const { clock } = this.dependencies;
    const listed = listedAt(login.session, login.record.account);
    let isThere: boolean;
    try {
      isThere = await act();
    } catch (error) {
      // Where that cannot be written it is over when its time is.
      if (listed !== undefined) await this.strike(login, listed).catch(() => undefined);
      throw new LoginRefusedError("login-failed", error);
    }
    const opened = isThere ? await this.openListed(login) : undefined;
    if (opened !== undefined || listed === undefined) return weighed(login, opened ?? login.record, clock());
    return weighed(login, await this.strike(login, listed), clock());
  }

  /** The account in which the login is open; undefined where it was ended meanwhile. */
  private async openListed(login: Risen): Promise<AccountRecord | undefined> {
    const { record, result } = await this.dependencies.records.change<boolean>(
      subjectOf(login),
      ({ account }) => {
        const found = listedAt(login.session, account);
        if (found?.opening === undefined) return { result: found !== undefined };
        return { account: openLogin(account, found, login.source.life), result: true };
      },
      login.record,
    );
    return result ? record : undefined;
  }

  private find({ session, unmarked }: Unweighed, { logins }: Account): Login | undefined {
    return openingIn(logins, [session?.id, unmarked?.id, unmarked?.copied?.id]);
  }

  /**
   * Ends a login that does not open, the first step that it rose from, whose proof is used up, and the trust in the browser that was
   * granted with it.
   */
  private async strike(login: Unweighed, { from, id, opening, stage }: Login): Promise<AccountRecord> {
    const { records } = this.dependencies;
    const { record } = await records.change<undefined>(subjectOf(login), ({ account }, now) => {
      const found = listedAt({ id, stage }, account);
      const device = account.devices.find((each) => each.id === opening?.deviceId);
      // It is open, or it was ended already: an account that was erased meanwhile must not come to life again for it.
      if (found === undefined ? device === undefined : found.opening === undefined) return { result: undefined };
      const ended = removeLogin(device === undefined ? account : withoutDevice(account, device.id), { id, stage });
      const whole = from === undefined ? ended : revokeFirstStep(ended, from, now + PENDING_LIFE);
      const events: AccountEvent[] = device === undefined ? [] : [{ action: "device-revoked", label: device.label }];
      return { account: whole, result: undefined, events };
    });
    return record;
  }
}

function isAbandoned({ opening }: Login, now: number): boolean {
  return opening !== undefined && (now - opening.at >= OPENING_LIFE || isFuture(opening.at, now));
}
