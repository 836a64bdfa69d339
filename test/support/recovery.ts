import type { Response } from "supertest";
import { backupCodes, emailCode, memoryStore, type Notice, totp } from "express-second-factor";
import { outbox } from "express-second-factor/testing";
import { HOUR, MINUTE } from "./attack.js";
import { testApp, type TestApp, type TestAppOptions } from "./app.js";
import { type Enrolled, enrolled, Jar, pending } from "./browser.js";

export const RECOVERY = "/2fa/recovery";

/** An application whose owner has an authenticator, and what they are told. */
export interface Recovering extends Enrolled {
  readonly target: TestApp;
  readonly notices: Notice[];
}

export function noticing(notices: Notice[], parts: TestAppOptions = {}): TestApp {
  const notify = (notice: Notice): void => void notices.push(notice);
  return testApp({ ...parts, options: { notify, ...parts.options } });
}

export async function alice(parts: TestAppOptions = {}): Promise<Recovering> {
  const notices: Notice[] = [];
  const target = noticing(notices, { store: memoryStore(), ...parts });
  const owner = await enrolled(target, "alice");
  notices.length = 0;
  return { target, notices, ...owner };
}

/** Owners are told beside the request. */
export async function told(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}

export function ofKind({ notices }: Pick<Recovering, "notices">, kind: string): readonly Notice[] {
  return notices.filter((notice) => notice.kind === kind);
}

/** The token of the newest link of this kind. */
export async function tokenOf(
  here: Pick<Recovering, "notices">,
  way: "confirm" | "cancel" | "complete",
): Promise<string> {
  await told();
  const link = here.notices.map(({ links }) => links[way]).findLast((each) => each !== undefined);
  if (link === undefined)
    throw new Error(`No mail had a link to ${way}: ${here.notices.map(({ kind }) => kind).join()}`);
  return new URL(link).searchParams.get("token") ?? "";
}

/** Somebody without a session opens a link and presses its button. */
export function click(here: Pick<Recovering, "target">, way: string, token: string): Promise<Response> {
  return Promise.resolve(new Jar(here.target).post(`${RECOVERY}/${way}`, { token }));
}

/** Asks in a login that has given the first factor alone. */
export async function ask(here: Recovering): Promise<Jar> {
  const jar = await pending(here.target, "alice");
  const answer = await jar.post(RECOVERY);
  if (answer.status !== 202) throw new Error(`asking answered ${answer.status}: ${answer.text}`);
  return jar;
}

export async function confirmed(here: Recovering): Promise<Jar> {
  const jar = await ask(here);
  const answer = await click(here, "confirm", await tokenOf(here, "confirm"));
  if (answer.status !== 200) throw new Error(`confirming answered ${answer.status}: ${answer.text}`);
  return jar;
}

export async function run({ target }: Pick<Recovering, "target">): Promise<number> {
  const done = await target.mfa.runDue();
  await told();
  return done;
}

/** Asked for, confirmed and waited for: the completing link is in the mail. */
export async function ready(here: Recovering): Promise<void> {
  await confirmed(here);
  here.target.clock.advance(24 * HOUR);
  await run(here);
}

/** A browser in which the first factor was given again, and the completing link opened. */
export async function completed(here: Recovering): Promise<Jar> {
  await ready(here);
  const jar = await pending(here.target, "alice");
  const answer = await jar.post(`${RECOVERY}/complete`, { token: await tokenOf(here, "complete") });
  if (answer.status !== 200) throw new Error(`completing answered ${answer.status}: ${answer.text}`);
  return jar;
}

export const SECOND = "second@acme.test";

/** What counts, with methods for all of it. The wait is 24 hours, with an old code 12, with a second channel 6. */
export const COUNTING: TestAppOptions = {
  options: {
    methods: [totp(), backupCodes(), emailCode({ send: outbox().send })],
    recovery: { evidence: { oldBackupCode: "12h", secondChannel: "6h" } },
  },
};

/** As {@link alice}, with codes that go to another address. */
export async function aliceOnTwoChannels(parts: TestAppOptions = {}): Promise<Recovering> {
  const here = await alice({ ...COUNTING, ...parts });
  const verifiedAt = new Date(here.target.clock());
  await here.target.mfa.accounts.enrollEmail("u1", { address: SECOND, verifiedAt });
  await told();
  here.notices.length = 0;
  return here;
}

/** The token of the link that shortens the wait. */
export async function vouchOf(here: Pick<Recovering, "notices">): Promise<string> {
  await told();
  const isSecond = ({ to }: Notice): boolean => typeof to === "object" && to.address === SECOND;
  const link = ofKind(here, "recovery-confirmed").findLast(isSecond)?.links.confirm;
  return link === undefined ? "" : (new URL(link).searchParams.get("token") ?? "");
}

/** Confirmed by the address on file, and from the second channel, too. */
export async function shortened(here: Recovering): Promise<void> {
  await confirmed(here);
  const answer = await click(here, "confirm", await vouchOf(here));
  if (answer.status !== 200) throw new Error(`shortening answered ${answer.status}: ${answer.text}`);
}

export async function stateOf(here: Pick<Recovering, "target">): Promise<string | undefined> {
  return (await here.target.mfa.accounts.export("u1")).recovery?.state;
}

export { HOUR, MINUTE };
