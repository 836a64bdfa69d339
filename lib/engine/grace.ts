import { isGraceToBegin } from "../policy/grace.js";
import type { AccountRecord } from "./account-records.js";
import type { EngineDependencies } from "./dependencies.js";
import { type Newcomer, subjectOf, type Unweighed, weighed } from "./login-context.js";

/**
 * The record with the user's time of grace in it, where it begins with this login. Written down once, however many logins come at the
 * same time, and before anything is let through by it.
 */
export async function withGraceBegun(
  { clock, records }: Pick<EngineDependencies, "clock" | "records">,
  given: Newcomer & Partial<Unweighed>,
  record: AccountRecord,
): Promise<AccountRecord> {
  const { period } = given.grace ?? {};
  if (period === undefined) return record;
  const login: Unweighed = { session: undefined, ...given };
  // What is over begins nothing: least of all for somebody who was forgotten.
  const isToBegin = (current: AccountRecord, now: number): boolean =>
    isGraceToBegin({ ...login, account: current.account }) && weighed(login, current, now).status.status !== "ended";
  if (!isToBegin(record, clock())) return record;
  const begun = await records.change<undefined>(
    subjectOf(login),
    (current, now) => {
      if (!isToBegin(current, now)) return { result: undefined };
      return { account: { ...current.account, graceUntil: now + period }, result: undefined };
    },
    record,
  );
  return begun.record;
}

/** The account's record as it is now, {@link withGraceBegun}. */
export async function recordOf(
  dependencies: Pick<EngineDependencies, "clock" | "records">,
  login: Newcomer,
): Promise<AccountRecord> {
  return withGraceBegun(dependencies, login, await dependencies.records.read(login.userId));
}
