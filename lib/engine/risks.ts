import { type Account, isEnrolled } from "../core/account.js";
import type { RiskFacts } from "../policy/policy.js";
import type { EngineDependencies } from "./dependencies.js";
import type { LoginContext } from "./login-context.js";

type Dependencies = Pick<EngineDependencies, "browsers" | "clock" | "devices" | "records">;

/**
 * What is known of an account beside a login that is being made. Nothing is written, and nothing used up. `isAddressCertain`: the
 * request's address is the client's.
 * @throws UnavailableError where store or keys do not answer: nobody is let in for what cannot be known
 */
export async function riskFactsOf(
  dependencies: Dependencies,
  { source, userId }: Pick<LoginContext, "source" | "userId">,
  isAddressCertain: boolean,
): Promise<RiskFacts> {
  const { browsers, clock, records } = dependencies;
  const { account } = await records.read(userId);
  const now = clock();
  const known = (await browsers?.knows(account, source)) ?? { browser: false, address: false };
  const lastAt = account.browsers?.at;
  return {
    hasFactor: isEnrolled(account),
    trustedBrowser: await isTrusted(dependencies, account, source.deviceToken, now),
    newBrowser: !known.browser,
    newAddress: !isAddressCertain || !known.address,
    sinceLastLogin: lastAt === undefined ? undefined : Math.max(0, now - lastAt),
    failures: account.factors.reduce((sum, { failures }) => sum + failures, 0),
  };
}

async function isTrusted(
  { devices }: Dependencies,
  account: Account,
  token: string | undefined,
  now: number,
): Promise<boolean> {
  if (token === undefined) return false;
  const match = await devices?.match(account, token, now);
  return match?.kind === "rotated" || match?.kind === "grace";
}
