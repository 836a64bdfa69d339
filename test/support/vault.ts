import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** Vault's transit engine as far as it is used: versions of one AES-256-GCM key, over HTTP. */
export interface Vault {
  readonly address: string;
  readonly token: string;
  /** Requests answered so far, by operation. */
  readonly calls: Map<string, number>;
  rotate(): void;
  /** Earlier versions open nothing any more. */
  forgetBefore(version: number): void;
  /** Answers 503, as a sealed vault does, until it is unsealed. */
  seal(isSealed: boolean): void;
  close(): Promise<void>;
}

type Body = Readonly<Record<string, string>>;

class Transit {
  readonly versions = [randomBytes(32)];
  oldest = 1;

  encrypt({ plaintext = "", associated_data: aad = "" }: Body): object {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.key(this.versions.length), iv).setAAD(Buffer.from(aad, "base64"));
    const sealed = Buffer.concat([iv, cipher.update(plaintext, "base64"), cipher.final(), cipher.getAuthTag()]);
    return { ciphertext: `vault:v${this.versions.length}:${sealed.toString("base64")}` };
  }

  decrypt({ ciphertext = "", associated_data: aad = "" }: Body): object {
    const [, version = "", sealed = ""] = ciphertext.split(":");
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.key(Number(version.slice(1))), bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(aad, "base64")).setAuthTag(bytes.subarray(-16));
    const plain = Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    return { plaintext: plain.toString("base64") };
  }

  hmac({ input = "" }: Body): object {
    const { length } = this.versions;
    const mac = createHmac("sha256", this.key(length)).update(input, "base64").digest("base64");
    return { hmac: `vault:v${length}:${mac}` };
  }

  keys(): object {
    return { latest_version: this.versions.length, min_decryption_version: this.oldest };
  }

  private key(version: number): Buffer {
    const key = version < this.oldest ? undefined : this.versions[version - 1];
    if (key === undefined) throw new Error("ciphertext or signature version is disallowed by policy (too old)");
    return key;
  }
}

const OPERATIONS = ["encrypt", "decrypt", "hmac", "keys"] as const;

/** A small vault on a loopback port. */
export async function startVault(): Promise<Vault> {
  const transit = new Transit();
  const token = randomBytes(16).toString("hex");
  const calls = new Map<string, number>();
  let isSealed = false;

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<ServerResponse> {
    const send = (status: number, body: object): ServerResponse =>
      res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    const [, , mount, name, key] = (req.url ?? "").split("/");
    const operation = OPERATIONS.find((each) => each === name);
    if (isSealed) return send(503, { errors: ["Vault is sealed"] });
    if (req.headers["x-vault-token"] !== token) return send(403, { errors: ["permission denied"] });
    if (mount !== "transit" || key !== "second-factor" || operation === undefined) return send(404, { errors: [] });
    calls.set(operation, (calls.get(operation) ?? 0) + 1);
    const body = JSON.parse((await text(req)) || "{}") as Body;
    try {
      return send(200, { data: transit[operation](body) });
    } catch (error) {
      return send(400, { errors: [String(error)] });
    }
  }

  const server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    calls,
    rotate: () => void transit.versions.push(randomBytes(32)),
    forgetBefore(version) {
      transit.oldest = version;
    },
    seal(sealed) {
      isSealed = sealed;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
