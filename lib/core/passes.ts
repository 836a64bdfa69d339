import type { Account } from "./account.js";
import { DAY, SECOND, TEMPORARY_PASS } from "./nouns.js";
import { isFuture } from "./time.js";

// Codes that the help desk gives out in the place of a factor. Pure changes of what an account keeps of them.

/** One code. What remains once it takes no more says that there was one: so many a year are given out. */
export interface Pass {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Who gave it out. */
  readonly actor: string;
  /** How often it can still be typed. */
  readonly uses: number;
  /** The code's digest, and the key to that, sealed. Absent: it takes no more. */
  readonly secret?: { readonly key: string; readonly digest: string };
  /** What was proved with it is worth nothing any more. */
  readonly isVoid?: true;
}

/** A pass that can be typed. */
export type OpenPass = Pass & Required<Pick<Pass, "secret">>;

/** So many are given out to a user in that time, milliseconds. */
const MOST_PASSES = 3;
const PASS_YEAR = 365 * DAY;

type Passes = Pick<Account, "passes">;

/** Before and after alike: a clock that is set back, or was ahead when they were given out, gives out no more of them. */
function isOfThisYear({ issuedAt }: Pass, now: number): boolean {
  return Math.abs(now - issuedAt) < PASS_YEAR;
}

/** The pass that can be typed now, of which there is never more than one; undefined: there is none. */
export function openPass({ passes = [] }: Passes, now: number): OpenPass | undefined {
  const isOpen = (pass: Pass): pass is OpenPass =>
    pass.secret !== undefined && pass.uses > 0 && pass.expiresAt > now && !isFuture(pass.issuedAt, now);
  return passes.find(isOpen);
}

/** Whole seconds until another one may be given out; undefined: now. */
export function passWait({ passes = [] }: Passes, now: number): number | undefined {
  const lately = passes.filter((pass) => isOfThisYear(pass, now)).toSorted((a, b) => a.issuedAt - b.issuedAt);
  const first = lately.at(-MOST_PASSES);
  return first === undefined ? undefined : Math.max(1, Math.ceil((first.issuedAt + PASS_YEAR - now) / SECOND));
}

function closed({ secret: _gone, ...pass }: Pass): Pass {
  return { ...pass, uses: 0 };
}

/** With a new pass, which is from now on the one that can be typed. A login that an earlier one has opened stays. */
export function withPass(account: Account, pass: OpenPass, now: number): Account {
  const before = (account.passes ?? []).filter((each) => isOfThisYear(each, now)).map(closed);
  return { ...account, passes: [...before, pass] };
}

/** With the pass typed once. */
export function usePass(account: Account, used: OpenPass): Account {
  const left = used.uses > 1 ? { ...used, uses: used.uses - 1 } : closed(used);
  return { ...account, passes: (account.passes ?? []).map((pass) => (pass.id === used.id ? left : pass)) };
}

/** With no pass that could be typed, or that anything still rests on; how many there were stays known. */
export function voidPasses(account: Account): Account {
  const { passes } = account;
  if (passes === undefined || passes.every(({ isVoid }) => isVoid === true)) return account;
  return { ...account, passes: passes.map((pass) => ({ ...closed(pass), isVoid: true as const })) };
}

/** The pass of that id stands behind what was proved with it. */
export function holdsPass({ passes = [] }: Passes, id: string): boolean {
  return passes.some((pass) => pass.id === id && pass.isVoid !== true);
}

/** When nothing is to be remembered of them any more, milliseconds since the epoch; 0 where there are none. */
export function passesEnd({ passes = [] }: Passes): number {
  return Math.max(0, ...passes.map(({ issuedAt }) => issuedAt + PASS_YEAR));
}

/** Given by such a code: it sets something up, and opens nothing else. */
export function isByPass({ method }: { readonly method: string }): boolean {
  return method === TEMPORARY_PASS;
}
