import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What a provider was asked over HTTP. */
export interface ProviderRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** The form that was sent. */
  readonly form: Readonly<Record<string, string>>;
  /** What was sent, as it was. */
  readonly body: string;
}

/** What it answers; undefined: nothing, ever. */
export type ProviderAnswer =
  | {
      readonly status: number;
      readonly type: string;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | undefined;

export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): ProviderAnswer {
  return { status, type: "application/json", body: JSON.stringify(body), headers };
}

/** A provider that hands messages over, on a loopback port. */
export interface Provider {
  readonly url: string;
  readonly requests: readonly ProviderRequest[];
  /** To all that follows, or to each its own. */
  answer: ProviderAnswer | ((request: ProviderRequest) => ProviderAnswer);
  /** Resolves with the next request. */
  asked(): Promise<unknown>;
  /** Resolves when the next client breaks off before it was answered. */
  brokenOff(): Promise<unknown>;
  close(): Promise<void>;
}

/** The caller closes it. */
export async function startProvider(): Promise<Provider> {
  const requests: ProviderRequest[] = [];
  const happened = new EventEmitter();
  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.on("close", () => {
      if (!res.writableEnded) happened.emit("broken off");
    });
    const body = await text(req);
    const form = Object.fromEntries(new URLSearchParams(body));
    const request = { path: req.url ?? "", headers: req.headers, form, body };
    requests.push(request);
    happened.emit("asked");
    const answer = typeof provider.answer === "function" ? provider.answer(request) : provider.answer;
    if (answer === undefined) return;
    res.writeHead(answer.status, { "Content-Type": answer.type, ...answer.headers }).end(answer.body);
  }
  const server = createServer((req, res) => void take(req, res));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const provider: Provider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer: undefined,
    asked: () => once(happened, "asked"),
    brokenOff: () => once(happened, "broken off"),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return provider;
}
