// Starts the example application: `npm run example`, then open the address it prints.
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createApp } from "./app.js";
import { openAuditTrail } from "./audit-trail.js";
import { demoClock } from "./clock.js";
import { DeskRequests } from "./desk-requests.js";
import { begin, closed, listen, onEnd } from "./lifecycle.js";
import { demoOperators } from "./operators.js";
import { Outbox } from "./outbox.js";
import { lastingSecrets } from "./secrets.js";
import { openStorage } from "./storage.js";

const DUE_EVERY = 5 * 60_000;

await begin(async () => {
  const { env } = process;
  const port = Number(env.PORT || 3000);
  const origin = env.ORIGIN || `http://localhost:${port}`;
  const folder = env.DATA_FOLDER || fileURLToPath(new URL("data", import.meta.url));

  await mkdir(folder, { recursive: true, mode: 0o700 });
  const storage = await openStorage(env, folder);
  const { auditKey, ...secrets } = await lastingSecrets(env, folder);
  // For trying it out: operators whose password everybody knows, and a clock that everybody can move. In production there is neither.
  const isDemonstration = env.NODE_ENV !== "production";
  const operators = isDemonstration ? await demoOperators(storage.users) : undefined;
  const clock = isDemonstration ? demoClock(folder) : undefined;
  const outbox = new Outbox({ folder: join(folder, "outbox"), clock });
  const requests = new DeskRequests({ folder: join(folder, "desk-requests"), clock });
  const trail = await openAuditTrail({ folder, key: auditKey, clock });
  const parts = { storage, ...secrets, operators, clock, outbox, requests, trail };
  const { app, mfa } = createApp({ origin, trustProxy: env.TRUST_PROXY || false, ...parts });
  // What time alone brings about, such as a login that somebody gave up: its owner is told, once, whichever process asks.
  const due = setInterval(() => mfa.runDue().catch((error) => console.error(error)), DUE_EVERY);
  const server = createServer(app);
  const ownPort = await listen(server, port);
  onEnd(async () => {
    clearInterval(due);
    await closed(server);
    await trail.close();
    await storage.close();
  });
  // To the balancer, where there is one.
  process.send?.({ port: ownPort });
  console.log(origin);
});
