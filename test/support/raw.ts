import { once } from "node:events";
import { request, type IncomingHttpHeaders, type RequestOptions, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Express } from "express";

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends exactly this request target, which no client library would leave as it is. */
export type RawClient = (
  target: string,
  options?: Pick<RequestOptions, "method" | "headers"> & { readonly body?: string | Buffer },
) => Promise<RawAnswer>;

/** Runs `use` against a listening server, which is closed afterwards. */
export async function overHttp<T>(app: Express, use: (send: RawClient) => Promise<T>): Promise<T> {
  const server: Server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    return await use((target, options = {}) => send(port, target, options));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function send(
  port: number,
  target: string,
  { body, ...options }: Parameters<RawClient>[1] & {},
): Promise<RawAnswer> {
  const sent = request({ host: "127.0.0.1", port, path: target, agent: false, ...options });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() };
}
