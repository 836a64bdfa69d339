// Two processes of the example application over one storage, and a balancer that gives them the requests in turn:
// `npm run build && node example-app/balanced.js`. A demonstration; before your own processes put nginx, HAProxy or Caddy.
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";
import { begin, closed, listen, onEnd } from "./lifecycle.js";

const SERVER = fileURLToPath(new URL("server.js", import.meta.url));
const PROCESSES = 2;

// About one connection (RFC 9110, section 7.6.1). Transfer-Encoding stays: Node frames the body anew as it says.
const HOP_BY_HOP = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"];
// What a client says here is invented. The processes believe the balancer.
const FORWARDED = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

function headersWithout(names, { headers }) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

function forwardedHeaders(req) {
  return {
    ...headersWithout([...HOP_BY_HOP, ...FORWARDED], req),
    "x-forwarded-for": req.socket.remoteAddress ?? "",
    "x-forwarded-host": req.headers.host ?? "",
    "x-forwarded-proto": "http",
  };
}

/** Passes the request on to the process on this port, and its answer back. Host and cookies stay as they are. */
function pass(port, req, res) {
  const { method, url: path } = req;
  const passed = request({ host: "127.0.0.1", port, method, path, headers: forwardedHeaders(req), agent: false });
  passed.once("response", (answer) => {
    res.writeHead(answer.statusCode, answer.statusMessage, {
      ...headersWithout(HOP_BY_HOP, answer),
      "x-served-by": port,
    });
    pipeline(answer, res, () => undefined);
  });
  passed.once("error", () => {
    if (res.headersSent) res.destroy();
    else refuse(res, 502);
  });
  res.once("close", () => passed.destroy());
  req.pipe(passed);
}

function refuse(res, status) {
  res.writeHead(status, { "Content-Type": "text/plain", "Retry-After": "1" }).end("No process answers. Try again.\n");
}

/** Starts a process of the application on a port of its own. */
async function startProcess(origin) {
  const env = { ...process.env, PORT: "0", ORIGIN: origin, TRUST_PROXY: "loopback" };
  const child = fork(SERVER, { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const exit = once(child, "exit").then(([code]) => {
    throw new Error(`the application ended with ${code}`);
  });
  const [{ port }] = await Promise.race([once(child, "message"), exit]);
  return { child, port };
}

await begin(async () => {
  const port = Number(process.env.PORT || 3000);
  const origin = `http://localhost:${port}`;
  const running = [];
  let turn = 0;
  const server = createServer((req, res) => {
    turn += 1;
    const next = running[turn % running.length];
    if (next) pass(next.port, req, res);
    else refuse(res, 503);
  });
  await listen(server, port);
  // One after the other: the first makes the tables and the secrets.
  for (let count = 0; count < PROCESSES; count += 1) {
    const started = await startProcess(origin);
    running.push(started);
    // The others go on.
    started.child.once("exit", () => running.splice(running.indexOf(started), 1));
  }
  onEnd(async () => {
    await closed(server);
    for (const { child } of running) child.kill();
  });
  console.log(origin);
});
