// One of several processes of an application: run by `workers.ts`, told what to do by messages.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { SessionData } from "express-session";
import { redisStore } from "express-second-factor/redis";
import { sqlStore } from "express-second-factor/sql";
import {
  backupCodes,
  type LimitOption,
  type Notice,
  passkeys,
  push,
  smsCode,
  type Store,
  totp,
} from "express-second-factor";
import { passwordOf, testApp, type TestApp } from "./app.js";
import { openPostgres } from "./postgres-client.js";
import { nodeRedis } from "./redis-clients.js";
import { openSqlite } from "./sqlite.js";

export interface Beginning {
  readonly url: string;
  readonly keys: string;
  readonly limits: Partial<Record<string, LimitOption>>;
  /** Owners are told of what happens, and the application of what they report. */
  readonly tells?: true;
}

/** So many uses of the same thing, all begun before any of them can end. */
export type Job = { readonly now: number; readonly times: number } & (
  | { readonly job: "verify"; readonly method: "totp" | "backup-code"; readonly code: string }
  | { readonly job: "guess"; readonly cookie: string; readonly sessions: Sessions; readonly codes: readonly string[] }
  | { readonly job: "device"; readonly cookie: string }
  | { readonly job: "passkey"; readonly cookie: string; readonly sessions: Sessions; readonly credential: object }
  | { readonly job: "text"; readonly cookie: string; readonly sessions: Sessions }
  | { readonly job: "texted"; readonly cookie: string; readonly sessions: Sessions; readonly code: string }
  | { readonly job: "decide"; readonly body: object }
  | { readonly job: "poll"; readonly cookie: string; readonly sessions: Sessions; readonly requestId: string }
  | { readonly job: "due" }
  | { readonly job: "report"; readonly token: string }
  | {
      readonly job: "recovery";
      readonly step: "" | "/confirm" | "/cancel" | "/complete";
      readonly cookie?: string;
      readonly sessions?: Sessions | undefined;
      readonly token?: string;
    }
);

/** What lies in a session store, by its ids, as JSON. */
export type Sessions = Readonly<Record<string, string>>;

/** What a process is told to do. */
export type Message = Beginning | Job | "stop";

/** How often each outcome came about; `delivered`: how many texts were handed to the sender; `told …`: how many notices and reports. */
export type Tally = Record<string, number>;

/** Longer than so many uses at once take on a busy machine: what is refused here is refused for a reason. */
const PATIENCE = 30_000;

const USER = { id: "u1", name: "alice" };

interface Opened {
  readonly store: Store;
  close(): unknown;
}

async function open(url: string): Promise<Opened> {
  if (url.startsWith("redis:")) {
    const client = await nodeRedis(url);
    return { store: redisStore(client), close: () => client.destroy() };
  }
  const db = url.startsWith("postgres:") ? openPostgres(url, 8, PATIENCE) : openSqlite(url);
  return { store: sqlStore(db), close: () => db.destroy() };
}

async function verify({ mfa }: TestApp, method: "totp" | "backup-code", code: string): Promise<string> {
  try {
    const result = await mfa.accounts.verify(USER.id, { method, code });
    return result.ok ? "ok" : result.code;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

function post(url: string, cookie: string, body: object): Promise<Response> {
  const headers = { cookie, "content-type": "application/json" };
  return fetch(url, { method: "POST", redirect: "manual", headers, body: JSON.stringify(body) });
}

/** A login with the password and a trusted-device token; a new token in the answer is what only one may get. */
async function logIn(origin: string, cookie: string): Promise<string> {
  const answer = await post(`${origin}/login`, cookie, { username: USER.name, password: passwordOf(USER.name) });
  await answer.arrayBuffer();
  const renewed = answer.headers.getSetCookie().find((line) => /2fa-device-[^=]*=[^;]/.test(line));
  return renewed === undefined ? String(answer.status) : `renewed ${renewed.split(";")[0]}`;
}

/** A proof in a login that waits for one: what its answer is called. */
async function prove(origin: string, route: string, cookie: string, body: object): Promise<string> {
  const answer = await post(`${origin}/2fa/${route}`, cookie, body);
  const { code, state } = (await answer.json()) as { code?: string; state?: string };
  return answer.ok ? (state ?? "ok") : (code ?? String(answer.status));
}

/** What a device decides: which of its answers was taken, or why this one was not. */
async function decide(origin: string, body: object): Promise<string> {
  const answer = await post(`${origin}/2fa/push/decide`, "", body);
  if (answer.status === 204) return `taken: ${(body as { decision?: string }).decision}`;
  return ((await answer.json()) as { code: string }).code;
}

/** A step of a recovery, which may have nothing to answer. */
async function recover(origin: string, step: string, cookie: string, token: string | undefined): Promise<string> {
  const answer = await post(`${origin}/2fa/recovery${step}`, cookie, { token });
  const text = await answer.text();
  return answer.ok ? "ok" : (JSON.parse(text) as { code: string }).code;
}

function put({ sessionStore }: TestApp, sessions: Sessions): void {
  for (const [id, text] of Object.entries(sessions)) sessionStore.set(id, JSON.parse(text) as SessionData);
}

interface Application {
  perform(job: Job): Promise<Tally>;
  stop(): Promise<void>;
}

async function begin({ url, keys, limits, tells }: Beginning): Promise<Application> {
  const { store, close } = await open(url);
  let delivered = 0;
  let told: string[] = [];
  const telling = {
    notify: ({ kind }: Notice) => void told.push(`told ${kind}`),
    onCompromise: () => void told.push("told the application"),
  };
  const texts = smsCode({ send: async () => void (delivered += 1), countries: ["DE"] });
  const methods = [totp(), backupCodes(), passkeys(), texts, push({ channels: [] })];
  const target = testApp({
    store,
    options: { keys, limits, methods, storeTimeout: `${PATIENCE}ms`, ...(tells && telling) },
  });
  const server = target.app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const act = (job: Job, index: number): Promise<string> => {
    if (job.job === "device") return logIn(origin, job.cookie);
    if (job.job === "passkey") return prove(origin, "passkey", job.cookie, { credential: job.credential });
    if (job.job === "text") return prove(origin, "sms-code/send", job.cookie, {});
    if (job.job === "texted") return prove(origin, "sms-code", job.cookie, { code: job.code });
    if (job.job === "poll") return prove(origin, "push/status", job.cookie, { requestId: job.requestId });
    if (job.job === "decide") return decide(origin, job.body);
    if (job.job === "report") return prove(origin, "report", "", { token: job.token });
    if (job.job === "recovery") return recover(origin, job.step, job.cookie ?? "", job.token);
    if (job.job === "due") return target.mfa.runDue().then((count) => `${count} done`, String);
    if (job.job === "guess") return prove(origin, "totp", job.cookie, { code: job.codes[index] });
    return verify(target, job.method, job.code);
  };
  return {
    async perform(job) {
      target.clock.set(job.now);
      if ("sessions" in job && job.sessions !== undefined) put(target, job.sessions);
      const outcomes = await Promise.all(Array.from({ length: job.times }, (_none, index) => act(job, index)));
      // Owners are told beside the requests.
      if (tells) await setTimeout(100);
      const tally: Tally = delivered === 0 ? {} : { delivered };
      outcomes.push(...told);
      [delivered, told] = [0, []];
      for (const outcome of outcomes) tally[outcome] = (tally[outcome] ?? 0) + 1;
      return tally;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await close();
    },
  };
}

let application: Application | undefined;

async function obey(message: Message): Promise<Tally> {
  if (message === "stop") await application?.stop();
  else if ("job" in message) return application!.perform(message);
  else application = await begin(message);
  return {};
}

process.on("message", (message: Message) => {
  obey(message).then(
    (tally) => process.send!({ tally }),
    (error: unknown) => process.send!({ failure: String(error) }),
  );
});
// The test ended, however it did.
process.on("disconnect", () => process.exit());
