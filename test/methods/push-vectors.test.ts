// The vectors that apps in other languages are built by, checked with node:crypto and against what this package signs.
import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import {
  decideLines,
  enrollLines,
  type PushDecision,
  requestsLines,
  subscriptionLines,
} from "../../lib/core/device-lines.js";
import { deviceIdOf } from "../../lib/browser/push-keys.js";

interface Vector {
  readonly name: string;
  readonly route: string;
  readonly text?: string;
  readonly lines: string;
  readonly bytes: string;
  readonly signature: string;
  readonly der: string;
  readonly body: Readonly<Record<string, string>>;
}

interface Vectors {
  readonly key: JsonWebKey;
  readonly publicKey: string;
  readonly factorId: string;
  readonly vectors: readonly Vector[];
}

const file = fileURLToPath(new URL("../../docs/push-vectors.json", import.meta.url));
const { factorId, key, publicKey, vectors } = JSON.parse(readFileSync(file, "utf8")) as Vectors;
const spki = Buffer.from(publicKey, "base64url");
const named = vectors.map((vector): [string, Vector] => [vector.name, vector]);

/** What this package signs for the body. */
const LINES: Readonly<Record<string, (vector: Vector) => string>> = {
  "/push/enroll": ({ body }) => enrollLines(body["challenge"]!),
  "/push/requests": ({ body }) => requestsLines(body["factorId"]!, body["time"]!),
  "/push/subscription": ({ body }) =>
    subscriptionLines(body["factorId"]!, body["time"]!, body["channel"]!, body["subscription"]!),
  "/push/decide": ({ body, text }) =>
    decideLines({
      requestId: body["requestId"]!,
      decision: body["decision"] as PushDecision,
      number: body["number"],
      text: text!,
    }),
};

describe("docs/push-vectors.json", () => {
  test("its public key is that of its private one, and its id that of its key", async () => {
    const made = createPublicKey(createPrivateKey({ key, format: "jwk" }));
    expect(made.export({ format: "der", type: "spki" })).toEqual(spki);
    expect(createHash("sha256").update(spki).digest().subarray(0, 16).toString("base64url")).toBe(factorId);
    expect(await deviceIdOf(new Uint8Array(spki).buffer)).toBe(factorId);
  });

  test("has a vector for everything a device signs", () => {
    expect([...new Set(vectors.map(({ route }) => route))].sort()).toEqual(Object.keys(LINES).sort());
    const decisions = vectors.map(({ body }) => body["decision"]).filter((each) => each !== undefined);
    expect([...new Set(decisions)].sort()).toEqual(["approve", "deny", "not-me"]);
  });

  test.each(named)("%s: the lines are what this package signs, and their bytes are theirs", (_name, vector) => {
    expect(vector.lines).toBe(LINES[vector.route]!(vector));
    expect(vector.bytes).toBe(Buffer.from(vector.lines).toString("hex"));
  });

  test.each(named)("%s: the signature is good, raw and in DER, and the body carries it", (_name, vector) => {
    const publicOne = createPublicKey({ key: spki, format: "der", type: "spki" });
    const bytes = Buffer.from(vector.bytes, "hex");
    const [raw, der] = [vector.signature, vector.der].map((text) => Buffer.from(text, "base64url")) as [Buffer, Buffer];
    expect(raw).toHaveLength(64);
    expect(verify("sha256", bytes, { key: publicOne, dsaEncoding: "ieee-p1363" }, raw)).toBe(true);
    expect(verify("sha256", bytes, { key: publicOne, dsaEncoding: "der" }, der)).toBe(true);
    expect(vector.body["signature"]).toBe(vector.signature);
  });

  test("some signature is shorter in DER, as conversions from it have to expect", () => {
    const shorter = vectors.filter(({ der }) => Buffer.from(der, "base64url")[3]! < 32);
    expect(shorter.length).toBeGreaterThan(0);
  });
});
