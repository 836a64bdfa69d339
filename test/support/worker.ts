// One of several processes of an application: run by `workers.ts`, told what to do by messages.
import type { AddressInfo } from "node:net";
import { redisStore } from "express-second-factor/redis";
import { sqlStore } from "express-second-factor/sql";
import type { LimitOption, Store } from "express-second-factor";
import { passwordOf, testApp, type TestApp } from "./app.js";
import { openPostgres } from "./postgres-client.js";
import { nodeRedis } from "./redis-clients.js";

export interface Beginning {
  readonly url: string;
  readonly keys: string;
  readonly limits: Partial<Record<string, LimitOption>>;
}

/** So many uses of the same thing, all begun before any of them can end. */
export type Job = { readonly now: number; readonly times: number } & (
  | { readonly job: "verify"; readonly method: "totp" | "backup-code"; readonly code: string }
  | { readonly job: "guess"; readonly codes: readonly string[] }
  | { readonly job: "device"; readonly cookie: string }
);

/** How often each outcome came about. */
export type Tally = Record<string, number>;

/** Longer than so many uses at once take on a busy machine: what is refused here is refused for a reason. */
const PATIENCE = 30_000;

const USER = { id: "u1", name: "alice" };

async function storeAt(url: string): Promise<Store> {
  return url.startsWith("redis") ? redisStore(await nodeRedis(url)) : sqlStore(openPostgres(url, 8, PATIENCE));
}

async function verify({ mfa }: TestApp, method: "totp" | "backup-code", code: string): Promise<string> {
  try {
    const result = await mfa.accounts.verify(USER.id, { method, code });
    return result.ok ? "ok" : result.code;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** A login with the password and a trusted-device token; a new token in the answer is what only one may get. */
async function logIn(origin: string, cookie: string): Promise<string> {
  const answer = await fetch(`${origin}/login`, {
    method: "POST",
    redirect: "manual",
    headers: { cookie, "content-type": "application/json" },
    body: JSON.stringify({ username: USER.name, password: passwordOf(USER.name) }),
  });
  await answer.arrayBuffer();
  const renewed = answer.headers.getSetCookie().find((line) => /2fa-device-[^=]*=[^;]/.test(line));
  return renewed === undefined ? String(answer.status) : `renewed ${renewed.split(";")[0]}`;
}

async function begin({ url, keys, limits }: Beginning): Promise<(job: Job) => Promise<Tally>> {
  const target = testApp({ store: await storeAt(url), options: { keys, limits, storeTimeout: `${PATIENCE}ms` } });
  const server = target.app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const once = (job: Job, index: number): Promise<string> => {
    if (job.job === "device") return logIn(origin, job.cookie);
    return job.job === "verify" ? verify(target, job.method, job.code) : verify(target, "totp", job.codes[index]!);
  };
  return async (job) => {
    target.clock.set(job.now);
    const outcomes = await Promise.all(Array.from({ length: job.times }, (_none, index) => once(job, index)));
    const tally: Tally = {};
    for (const outcome of outcomes) tally[outcome] = (tally[outcome] ?? 0) + 1;
    return tally;
  };
}

let perform: ((job: Job) => Promise<Tally>) | undefined;

process.on("message", (message: Beginning | Job) => {
  const answer = async (): Promise<Tally> => {
    if ("job" in message) return perform!(message);
    perform = await begin(message);
    return {};
  };
  answer().then(
    (tally) => process.send!({ tally }),
    (error: unknown) => process.send!({ failure: String(error) }),
  );
});
// The test ended, however it did.
process.on("disconnect", () => process.exit());
