import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { createTransport } from "nodemailer";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerAddress } from "smtp-server";
import { serverCertificate } from "./certificates.js";

const HOST = "localhost";

/** A mail as the server took it. */
export interface ReceivedMail {
  /** Of the envelope. */
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire. */
  readonly raw: string;
  /** As a reader of mails shows it. */
  readonly shown: Email;
}

/** How a server meets whoever names a recipient: with a refusal, or with silence. */
export type Reception = { readonly code: number; readonly text: string } | "silence";

/** A mail server on a loopback port, over TLS from the first byte. */
export interface MailServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Every address that was named to it, whether it took the mail or not. */
  readonly named: readonly string[];
  /** Resolves when the next address is named. */
  asked(): Promise<unknown>;
  /** Resolves when the next connection ends. */
  ended(): Promise<unknown>;
  /** Of all that follows; undefined: takes everything. */
  reception: Reception | undefined;
  /** nodemailer's, for this server; `options` beside what it takes to reach it. */
  transport(options?: object): ReturnType<typeof transportTo>;
  close(): Promise<void>;
}

function transportTo(port: number, ca: string, options: object) {
  return createTransport({ host: "127.0.0.1", port, secure: true, tls: { ca, servername: HOST }, ...options });
}

/** The caller closes it. */
export async function startMailServer(): Promise<MailServer> {
  const { key, cert } = serverCertificate(HOST);
  const mails: ReceivedMail[] = [];
  const named: string[] = [];
  const happened = new EventEmitter();
  const server = new SMTPServer({
    ...{ secure: true, key, cert, authOptional: true, logger: false, closeTimeout: 1, disableReverseLookup: true },
    onRcptTo({ address }, _session, callback) {
      named.push(address);
      happened.emit("asked");
      const { reception } = received;
      if (reception === "silence") return;
      callback(reception && Object.assign(new Error(reception.text), { responseCode: reception.code }));
    },
    onData(stream, { envelope }, callback) {
      void buffer(stream).then(async (bytes) => {
        const { mailFrom, rcptTo } = envelope;
        const from = mailFrom === false ? "" : mailFrom.address;
        const to = rcptTo.map(({ address }: SMTPServerAddress) => address);
        mails.push({ from, to, raw: bytes.toString(), shown: await PostalMime.parse(bytes) });
        callback(null);
      });
    },
  });
  server.onClose = () => void happened.emit("ended");
  // A client that breaks its handshake off is an error of the server's, and ends the process where nobody hears of it.
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  const received: MailServer = {
    port,
    mails,
    named,
    asked: () => once(happened, "asked"),
    ended: () => once(happened, "ended"),
    reception: undefined,
    transport: (options = {}) => transportTo(port, cert, options),
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  };
  return received;
}
