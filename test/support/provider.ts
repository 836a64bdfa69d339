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
}

/** What it answers; undefined: nothing, ever. */
export type ProviderAnswer = { readonly status: number; readonly type: string; readonly body: string } | undefined;

/** A provider of text messages on a loopback port. */
export interface Provider {
  readonly url: string;
  readonly requests: readonly ProviderRequest[];
  /** To all that follows. */
  answer: ProviderAnswer;
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
    const form = Object.fromEntries(new URLSearchParams(await text(req)));
    requests.push({ path: req.url ?? "", headers: req.headers, form });
    happened.emit("asked");
    const { answer } = provider;
    if (answer !== undefined) res.writeHead(answer.status, { "Content-Type": answer.type }).end(answer.body);
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
