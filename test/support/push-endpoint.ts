import { EventEmitter, once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { connect, createSecureContext, type TlsOptions } from "node:tls";
import { serverCertificate } from "./certificates.js";

/** Whose certificates it has: where subscriptions of Chromium's kind lead to. */
export const PUSH_HOSTS = ["fcm.googleapis.com", "jmt17.google.com"] as const;

/** What a sender posted. */
export interface Posted {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface PushAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** `"silence"`: never; `"broken"`: the connection ends in the middle of an answer. */
export type PushReception = PushAnswer | "silence" | "broken";

/** Where senders post their messages: a push service's side of RFC 8030, on loopback, over TLS. */
export interface PushEndpoint {
  readonly port: number;
  readonly received: readonly Posted[];
  /**
   * Every connection it makes leads here, whatever the host: senders post to the endpoints that browsers gave them, and their lists of hosts
   * stay in force. Only {@link PUSH_HOSTS} have certificates.
   */
  readonly agent: Agent;
  /** Of all that follows. Undefined: as the service it stands for does. */
  reception: PushReception | undefined;
  /** Resolves when the next message is posted. */
  asked(): Promise<unknown>;
  /** Resolves when nobody is connected. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** Leads everywhere else than it is told. */
class DivertedAgent extends Agent {
  constructor(
    private readonly port: number,
    private readonly ca: string[],
  ) {
    super();
  }

  override createConnection(options: { readonly host?: string | null; readonly servername?: string }): Socket {
    const servername = options.servername ?? options.host ?? "";
    return connect({ host: "127.0.0.1", port: this.port, ca: this.ca, servername });
  }
}

/** Where nobody listens: a port that no server is given by chance. */
export const NOBODY: Agent = new DivertedAgent(1, []);

function answer(response: ServerResponse, reception: PushReception): void {
  if (reception === "silence") return;
  if (reception === "broken") {
    response.writeHead(201, { "Content-Length": 10 }).write("half", () => response.destroy());
    return;
  }
  response.writeHead(reception.status, reception.headers).end(reception.body);
}

/** `take`: what happens to a message, and how its sender is answered. The caller closes it. */
export async function startPushEndpoint(
  take: (posted: Posted) => PushAnswer = () => ({ status: 201 }),
): Promise<PushEndpoint> {
  const certificates = new Map(PUSH_HOSTS.map((host) => [host as string, serverCertificate(host)]));
  const received: Posted[] = [];
  const happened = new EventEmitter();
  const connected = new Set<Socket>();

  async function hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const posted = { path: request.url ?? "", headers: request.headers, body: await buffer(request) };
    received.push(posted);
    happened.emit("asked");
    answer(response, endpoint.reception ?? take(posted));
  }

  const SNICallback: TlsOptions["SNICallback"] = (host, done) => {
    done(null, createSecureContext(certificates.get(host) ?? certificates.get(PUSH_HOSTS[0])));
  };
  const server = createServer({ SNICallback }, (request, response) => void hear(request, response));
  server.on("connection", (socket: Socket) => {
    connected.add(socket);
    socket.on("close", () => {
      connected.delete(socket);
      happened.emit("closed");
    });
  });
  // Senders that do not know its certificate.
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const agent = new DivertedAgent(
    port,
    [...certificates.values()].map(({ cert }) => cert),
  );
  const endpoint: PushEndpoint = {
    port,
    received,
    agent,
    reception: undefined,
    asked: () => once(happened, "asked"),
    async idle() {
      while (connected.size > 0) await once(happened, "closed");
    },
    async close() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return endpoint;
}
