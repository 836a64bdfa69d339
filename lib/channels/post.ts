import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { type Agent, request } from "node:https";

/** Of an answer nothing is needed but its status and a word; the rest of a long one is not waited for. */
const ENOUGH = 4096;

interface Posted {
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Uint8Array | null;
  /** Makes the connection. Default: Node's own. */
  readonly agent: Agent | undefined;
  /** Ends it, at any time. */
  readonly signal: AbortSignal;
}

function answerTo(url: URL, { headers, body, agent, signal }: Posted): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", headers, signal, ...(agent !== undefined && { agent }) }, resolve);
    sent.on("error", reject);
    sent.end(body ?? undefined);
  });
}

async function beginningOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  // Leaving the loop early ends the connection.
  for await (const part of answer as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length >= ENOUGH) break;
  }
  return Buffer.concat(parts).subarray(0, ENOUGH).toString();
}

/**
 * Posts over TLS, and follows no redirection: it would lead past the list of hosts. Neither fetch nor web-push's own sending does: the
 * first takes no agent, the second cannot be called off, waits for ever where an answer breaks off, and reads addresses otherwise than
 * whoever compared them.
 */
export async function post(url: URL, posted: Posted): Promise<{ readonly status: number; readonly body: string }> {
  const answer = await answerTo(url, posted);
  return { status: answer.statusCode ?? 0, body: await beginningOf(answer) };
}
