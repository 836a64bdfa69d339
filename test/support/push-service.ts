import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createServer as createTlsServer } from "node:tls";
import { type BrowserContext, chromium } from "playwright-core";
import { serverCertificate } from "./certificates.js";
import { findChromium, LAUNCH_ARGS } from "./chromium.js";
import { bytesField, fixedField, numberField, readVarint, textIn, varint } from "./protobuf.js";
import { type Posted, type PushAnswer, type PushEndpoint, startPushEndpoint } from "./push-endpoint.js";

/**
 * What stands for the push service that Chromium talks to, on loopback, so that `pushManager.subscribe()`, the encryption and the service
 * worker's `push` event are all real.
 *
 * Chromium asks three places. Check-in names the browser; registration gives each subscription a token, which is the last part of its
 * endpoint; and MCS is a stream over TLS by which messages come. The fourth, the endpoint at Google's hosts, is the senders': `agent`
 * leads them here.
 */
export interface PushService extends PushEndpoint {
  /**
   * A Chromium with a profile of its own that has this push service, and may notify: `{ permissions: [] }` for one that may not. The caller
   * closes it.
   */
  openBrowser(options?: ContextOptions): Promise<BrowserContext>;
  /** Ends every subscription, as when a browser's data is cleared: senders are answered 410. */
  forget(): void;
}

type ContextOptions = NonNullable<Parameters<typeof chromium.launchPersistentContext>[1]>;

/** A subscription, as the browser registered it. */
interface Registration {
  readonly device: string;
  readonly app: string;
  readonly subtype: string;
  readonly sender: string;
}

const MCS_VERSION = 41;
const TAGS = { heartbeat: 0, heartbeatAnswer: 1, login: 2, loginAnswer: 3, message: 8 } as const;

function frame(tag: number, ...fields: readonly Buffer[]): Buffer {
  const content = Buffer.concat(fields);
  return Buffer.concat([Buffer.of(tag), varint(content.length), content]);
}

/** Hands over each frame that arrives whole. The browser's first byte is its version of the protocol. */
function onFrames(socket: Socket, take: (tag: number, content: Buffer) => void): void {
  let [rest, isBegun] = [Buffer.alloc(0), false];
  socket.on("data", (data: Buffer) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const begin = isBegun ? 0 : 1;
      const length = readVarint(rest.subarray(begin + 1));
      if (length === undefined) return;
      const at = begin + 1 + length.size;
      const end = at + Number(length.value);
      if (rest.length < end) return;
      take(rest[begin] ?? 0, rest.subarray(at, end));
      rest = rest.subarray(end);
      isBegun = true;
    }
  });
}

/** The browsers that are there, and what waits for those that are not. */
class Browsers {
  private readonly connected = new Map<string, Socket>();
  private readonly waiting = new Map<string, Buffer[]>();
  private next = 1n;

  /** A name for one more: a number. */
  checkIn(): bigint {
    return 5_000_000_000_000_000_000n + this.next++;
  }

  connect(socket: Socket): void {
    // A browser that is closed breaks its connection off.
    socket.on("error", () => undefined);
    onFrames(socket, (tag, content) => {
      if (tag === TAGS.heartbeat) socket.write(frame(TAGS.heartbeatAnswer, numberField(1, 1)));
      if (tag === TAGS.login) this.logIn(socket, textIn(content, 3) ?? "");
    });
  }

  /** Sent on at once, or as soon as it is there. */
  send(device: string, message: Buffer): void {
    const socket = this.connected.get(device);
    if (socket === undefined) this.waiting.set(device, [...(this.waiting.get(device) ?? []), message]);
    else socket.write(message);
  }

  close(): void {
    for (const socket of this.connected.values()) socket.destroy();
  }

  private logIn(socket: Socket, device: string): void {
    const answer = frame(TAGS.loginAnswer, bytesField(1, "chrome-1"), numberField(5, 1), numberField(8, Date.now()));
    socket.write(Buffer.concat([Buffer.of(MCS_VERSION), answer, ...(this.waiting.get(device) ?? [])]));
    this.waiting.delete(device);
    this.connected.set(device, socket);
    socket.on("close", () => {
      if (this.connected.get(device) === socket) this.connected.delete(device);
    });
  }
}

/** Who has subscribed, and how messages are written for them. */
class Registrations {
  private readonly all = new Map<string, Registration>();
  private count = 0;

  constructor(private readonly browsers: Browsers) {}

  /** `POST /register`: for a token, or to be rid of one. */
  register(form: URLSearchParams): string {
    const [device, app, subtype, sender] = ["device", "app", "X-subtype", "sender"].map((name) => form.get(name) ?? "");
    const registration = { device, app, subtype, sender } as Registration;
    if (form.get("delete") === "true") {
      for (const [token, each] of this.all) if (each.subtype === subtype) this.all.delete(token);
      return `token=${app}`;
    }
    this.count += 1;
    const token = `token-${this.count}`;
    this.all.set(token, registration);
    return `token=${token}`;
  }

  take({ body, headers, path }: Posted): PushAnswer {
    const registration = this.all.get(path.split("/").at(-1) ?? "");
    if (registration === undefined) return { status: 410 };
    this.count += 1;
    const { app, device, sender, subtype } = registration;
    const encoding = String(headers["content-encoding"]);
    const data = [["subtype", subtype] as const, ["content-encoding", encoding] as const];
    const fields = [bytesField(2, "message"), bytesField(3, sender), bytesField(5, app)];
    fields.push(
      ...data.map(([name, value]) => bytesField(7, Buffer.concat([bytesField(1, name), bytesField(2, value)]))),
    );
    // Browsers remember ids that they have seen.
    fields.push(bytesField(9, `0:${Date.now()}-${this.count}`), numberField(17, Number(headers.ttl)));
    fields.push(numberField(18, Date.now()), bytesField(21, body));
    this.browsers.send(device, frame(TAGS.message, ...fields));
    return { status: 201, headers: { Location: `https://fcm.googleapis.com/message/${this.count}` } };
  }

  clear(): void {
    this.all.clear();
  }
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** The caller closes it, after its browsers. */
export async function startPushService(): Promise<PushService> {
  const browsers = new Browsers();
  const registrations = new Registrations(browsers);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (request.url === "/register") response.end(registrations.register(new URLSearchParams(body)));
    else response.end(Buffer.concat([numberField(1, 1), fixedField(7, browsers.checkIn()), fixedField(8, 6n)]));
  }

  const gcm = createServer((request, response) => void answer(request, response));
  const mcs = createTlsServer(serverCertificate("localhost"), (socket) => browsers.connect(socket));
  mcs.on("tlsClientError", () => undefined);
  const [gcmPort, mcsPort, endpoint] = await Promise.all([
    listening(gcm),
    listening(mcs),
    startPushEndpoint((posted) => registrations.take(posted)),
  ]);
  const flags = [
    `--gcm-checkin-url=http://127.0.0.1:${gcmPort}/checkin`,
    `--gcm-registration-url=http://127.0.0.1:${gcmPort}/register`,
    `--gcm-mcs-endpoint=https://127.0.0.1:${mcsPort}`,
  ];
  const { close } = endpoint;
  return Object.assign(endpoint, {
    openBrowser: (options: ContextOptions = {}) => openBrowser(flags, options),
    forget: () => registrations.clear(),
    async close() {
      browsers.close();
      gcm.closeAllConnections();
      await Promise.all([close(), ...[gcm, mcs].map((server) => new Promise((resolve) => server.close(resolve)))]);
    },
  });
}

/** Push needs a profile on disk: a context of a browser without one is told that the permission was denied. */
async function openBrowser(flags: readonly string[], options: ContextOptions): Promise<BrowserContext> {
  const folder = await mkdtemp(join(tmpdir(), "chromium-"));
  const context = await chromium.launchPersistentContext(folder, {
    permissions: ["notifications"],
    ...options,
    executablePath: findChromium(),
    // Its own push service is in the background too.
    ignoreDefaultArgs: ["--disable-background-networking"],
    args: [
      ...LAUNCH_ARGS.filter((arg) => arg !== "--disable-background-networking"),
      ...["--ignore-certificate-errors", ...flags],
    ],
  });
  context.on("close", () => void rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return context;
}
