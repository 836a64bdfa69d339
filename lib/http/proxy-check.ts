import type { Request } from "express";

const CODE = "SECOND_FACTOR_TRUST_PROXY";

function problemOf(req: Request): string | undefined {
  const trusted: unknown = req.app.get("trust proxy");
  if (trusted === true) {
    return '"trust proxy" is true: any client can invent its address with X-Forwarded-For. Set it to the number of proxies, or their addresses.';
  }
  if ((trusted === false || trusted === undefined) && req.headers["x-forwarded-for"] !== undefined) {
    return 'requests carry X-Forwarded-For, but "trust proxy" is not set: behind a proxy all users share one address. Set it to the number of proxies.';
  }
  return undefined;
}

/**
 * Names a misconfigured `trust proxy` at the first request that shows it, once: only then is the application known. Limits
 * per account hold in any case; only the limit per address depends on it.
 */
export function createProxyCheck(): (req: Request) => void {
  let told = false;
  let hasLooked = false;
  return function checkProxy(req) {
    // The setting by itself is looked at once; only a forwarded request can show more.
    if (told || (hasLooked && req.headers["x-forwarded-for"] === undefined)) return;
    hasLooked = true;
    const problem = problemOf(req);
    if (problem === undefined) return;
    told = true;
    process.emitWarning(problem, { code: CODE });
  };
}
