import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What lies between an application and the server of its store: it passes everything on until it is told to lose something. */
export interface Relay {
  readonly port: number;
  /** The next request, which is then not done, or the next answer, to what was done. The connections break. */
  lose(what: Lost): void;
  close(): Promise<void>;
}

export type Lost = "request" | "answer";

/** Listens on a loopback port of its own in front of `port`; the caller closes it. */
export async function startRelay(port: number): Promise<Relay> {
  const connections = new Set<Socket>();
  let next: Lost | undefined;
  const breakAll = (): void => {
    next = undefined;
    for (const each of connections) each.destroy();
  };
  const pass = (kind: Lost, from: Socket, to: Socket): void => {
    connections.add(from);
    from.on("data", (chunk) => {
      if (next === kind) breakAll();
      else to.write(chunk);
    });
    // A connection that breaks takes the other side's with it.
    from.on("error", () => undefined);
    from.on("close", () => {
      connections.delete(from);
      to.destroy();
    });
  };
  const listener = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    pass("request", client, server);
    pass("answer", server, client);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    lose: (what) => {
      next = what;
    },
    async close() {
      listener.close();
      breakAll();
      await once(listener, "close");
    },
  };
}
