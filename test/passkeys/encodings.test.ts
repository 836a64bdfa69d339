// Signatures, statements and client data in the one form the specifications give them, and in others that say the same.
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import { isoCBOR } from "@simplewebauthn/server/helpers";
import { describe, expect, test } from "@jest/globals";
import {
  type SoftwareAuthenticator,
  softwareAuthenticator,
  type SoftwareAuthenticatorOptions,
} from "express-second-factor/testing";
import { ORIGIN } from "../support/app.js";
import { attested, byU2f, madeBy, maker, selfSigned, sha256, type Statement } from "./attested.js";
import { base64url } from "./lies.js";
import {
  answerWith,
  creationOptions,
  expectRefused,
  type Holder,
  holder,
  passkeyApp,
  passwordGiven,
  requestOptions,
  storedPasskeys,
} from "./stage.js";

type Change = (bytes: Uint8Array) => Uint8Array;

function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));
}

/** The two numbers of a signature in DER, as they are written there. */
function numbersOf(der: Uint8Array): readonly [r: Uint8Array, s: Uint8Array] {
  const end = 4 + der[3]!;
  return [der.subarray(4, end), der.subarray(end + 2)];
}

function sequence(...content: readonly Uint8Array[]): Uint8Array {
  const whole = join(...content);
  return join([0x30, whole.length], whole);
}

function integer(bytes: Uint8Array): Uint8Array {
  return join([0x02, bytes.length], bytes);
}

/** A signature written otherwise, with its numbers as they were. */
function rewritten(write: (r: Uint8Array, s: Uint8Array) => Uint8Array): Change {
  return (der) => write(...numbersOf(der));
}

const NUL = Uint8Array.of(0x05, 0x00);

/** What a lenient reader of BER takes for the signature it was; the verifier library is one. */
const TAKEN_BY_VERIFIER: readonly (readonly [says: string, change: Change])[] = [
  ["with a byte after its end", (der) => join(der, [0])],
  ["with another signature after its end", (der) => join(der, der)],
  ["with a third element in the sequence", rewritten((r, s) => sequence(integer(r), integer(s), NUL))],
  ["with its length in the long form", (der) => join([0x30, 0x81], der.subarray(1))],
  ["with its length in two long bytes", (der) => join([0x30, 0x82, 0], der.subarray(1))],
  ["of indefinite length", (der) => join([0x30, 0x80], der.subarray(2), [0, 0])],
  ["with r's length in the long form", rewritten((r, s) => sequence(join([2, 0x81, r.length], r), integer(s)))],
  ["with s's length in the long form", rewritten((r, s) => sequence(integer(r), join([2, 0x81, s.length], s)))],
];

const OTHER_WORDS: readonly (readonly [says: string, change: Change])[] = [
  ...TAKEN_BY_VERIFIER,
  ["with a zero byte before r", rewritten((r, s) => sequence(integer(join([0], r)), integer(s)))],
  ["with a zero byte before s", rewritten((r, s) => sequence(integer(r), integer(join([0], s))))],
  ["in a set", (der) => join([0x31], der.subarray(1))],
  ["of an application's class", (der) => join([0x70], der.subarray(1))],
  ["with r as an octet string", rewritten((r, s) => sequence(join([4, r.length], r), integer(s)))],
  ["cut short by a byte", (der) => der.subarray(0, -1)],
  ["without s", rewritten((r) => sequence(integer(r)))],
  ["with an r of no bytes", rewritten((_r, s) => sequence(Uint8Array.of(2, 0), integer(s)))],
  ["with an r of zero", rewritten((_r, s) => sequence(Uint8Array.of(2, 1, 0), integer(s)))],
  ["of nothing but its length", () => Uint8Array.of(0x30, 0)],
  ["of one byte", () => Uint8Array.of(0x30)],
];

/** Positive numbers whose first bit is set have a zero byte in front; without it they are negative. */
function negative(which: 0 | 1): Change {
  return (der) => {
    const numbers = numbersOf(der).map((bytes, index) => (index === which ? bytes.subarray(1) : bytes));
    return sequence(...numbers.map(integer));
  };
}

async function waiting(options: SoftwareAuthenticatorOptions = {}): Promise<Holder> {
  const target = passkeyApp();
  return { ...(await holder(target, "alice", options)), jar: await passwordGiven(target, "alice") };
}

describe("a signature of ECDSA is DER, and nothing that only reads like it", () => {
  test.each(OTHER_WORDS)("%s it opens nothing", async (_says, signature) => {
    const { device, jar } = await waiting();
    expectRefused(await answerWith(jar, device, { signature }));
    expect(await jar.isIn()).toBe(false);
    expect((await answerWith(jar, device)).status).toBe(200);
  });

  test.each([
    ["r", 0],
    ["s", 1],
  ] as const)("with a negative %s it opens nothing", async (_says, which) => {
    const { device, jar } = await waiting();
    // Half of all numbers have the first bit set.
    for (let lie: Uint8Array | undefined; lie === undefined;) {
      const credential = device.get(await requestOptions(jar));
      const genuine = Buffer.from(credential.response.signature, "base64url");
      if (numbersOf(genuine)[which][0] !== 0) continue;
      lie = negative(which)(genuine);
      const response = { ...credential.response, signature: base64url(lie) };
      expectRefused(await jar.post("/2fa/passkey", { credential: { ...credential, response } }));
    }
    expect(await jar.isIn()).toBe(false);
  });

  test.each(TAKEN_BY_VERIFIER)(
    "%s the verifier library takes it: it is this library that refuses",
    async (_says, lie) => {
      const { device, jar } = await waiting();
      const options = await requestOptions(jar);
      const { id, key } = device.passkeys[0]!;
      const { verified } = await verifyAuthenticationResponse({
        response: device.get(options, { signature: lie }),
        expectedChallenge: options.challenge,
        expectedOrigin: [ORIGIN],
        expectedRPID: "localhost",
        credential: { id, publicKey: isoCBOR.encode(new Map(key.publicKey)), counter: 0 },
      });
      expect(verified).toBe(true);
    },
  );

  test("and of every length that numbers can have", async () => {
    const { device, jar } = await waiting();
    const lengths = new Set<number>();
    for (let times = 0; times < 60 || lengths.size < 3; times += 1) {
      const measured = (der: Uint8Array): Uint8Array => {
        lengths.add(der.length);
        return der;
      };
      expect((await answerWith(jar, device, { signature: measured })).status).toBe(200);
    }
    expect([...lengths].sort()).toEqual(expect.arrayContaining([70, 71, 72]));
  });
});

describe("a signature of RSA or EdDSA has one form, which Node's verification keeps", () => {
  test.each(["RS256", "EdDSA"] as const)("%s with a byte more, before or after, or one less", async (algorithm) => {
    const { device, jar } = await waiting({ algorithm });
    const changes: Change[] = [
      (bytes) => join(bytes, [0]),
      (bytes) => join([0], bytes),
      (bytes) => bytes.subarray(0, -1),
    ];
    for (const signature of changes) expectRefused(await answerWith(jar, device, { signature }));
    expect((await answerWith(jar, device)).status).toBe(200);
  });

  test("EdDSA with the order of the group added to it", async () => {
    const { device, jar } = await waiting({ algorithm: "EdDSA" });
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const signature: Change = (bytes) => {
      const number = BigInt(`0x${Buffer.from(bytes.subarray(32).toReversed()).toString("hex")}`) + order;
      return join(bytes.subarray(0, 32), Buffer.from(number.toString(16).padStart(64, "0"), "hex").reverse());
    };
    expectRefused(await answerWith(jar, device, { signature }));
  });
});

const EMPTY = new Map<string, unknown>();
const SIGNED = selfSigned(-7);

function also(statement: Statement, more: Readonly<Record<string, unknown>>): Statement {
  return (signed, device) =>
    new Map([...(statement(signed, device) as ReadonlyMap<string, unknown>), ...Object.entries(more)]);
}

interface StatementRow {
  readonly says: string;
  readonly format: string;
  readonly statement: Statement;
  readonly algorithm?: "ES256" | "EdDSA" | "RS256";
  /** The verifier library refuses it by itself. */
  readonly byVerifier?: true;
}

const acme = maker();

const WRONG: readonly StatementRow[] = [
  { says: "none, with a member", format: "none", statement: () => new Map([["x", 1]]), byVerifier: true },
  ...[[], [1], "text", "", 1, 0, true, new Uint8Array([1]), new Uint8Array()].map((statement) => ({
    says: `none, with ${statement instanceof Uint8Array ? "bytes" : JSON.stringify(statement)} for a statement`,
    format: "none",
    statement: () => statement,
  })),
  { says: "none, with null for a statement", format: "none", statement: () => null, byVerifier: true },
  { says: "packed, with a list for a statement", format: "packed", statement: () => [], byVerifier: true },
  // Signed with the hash that the algorithm named goes with: the library asks for no more.
  { says: "packed, signed as RS256 by a key of ES256", format: "packed", statement: selfSigned(-257) },
  { says: "packed, signed as PS256 by a key of ES256", format: "packed", statement: selfSigned(-37) },
  { says: "packed, signed as EdDSA by a key of ES256", format: "packed", statement: selfSigned(-8), byVerifier: true },
  { says: "packed, signed as ES256 by a key of RS256", format: "packed", statement: SIGNED, algorithm: "RS256" },
  { says: "packed, signed as ES256 by a key of EdDSA", format: "packed", statement: SIGNED, algorithm: "EdDSA" },
  { says: "packed, signed as ES384 by a key of ES256", format: "packed", statement: selfSigned(-35), byVerifier: true },
  ...TAKEN_BY_VERIFIER.map(([says, change]) => ({
    says: `packed, with a signature ${says}`,
    format: "packed",
    statement: selfSigned(-7, change),
  })),
  { says: "packed, with a member more", format: "packed", statement: also(SIGNED, { ver: "2.0" }) },
  {
    says: "packed, with an empty list of certificates",
    format: "packed",
    statement: also(SIGNED, { x5c: [] }),
    byVerifier: true,
  },
  ...[null, 0, "", false].map((x5c) => ({
    says: `packed, with ${JSON.stringify(x5c)} for certificates`,
    format: "packed",
    statement: also(SIGNED, { x5c }),
  })),
  {
    says: "packed by its maker, as RS256 with a key of P-256",
    format: "packed",
    statement: madeBy(acme, { alg: -257 }),
  },
  {
    says: "packed by its maker, with a byte after the signature",
    format: "packed",
    statement: madeBy(acme, { change: (der) => join(der, [0]) }),
  },
  {
    says: "U2F by its maker, with a byte after the signature",
    format: "fido-u2f",
    statement: byU2f(acme, (der) => join(der, [0])),
  },
  { says: "U2F by its maker, with a second certificate", format: "fido-u2f", statement: byU2f(acme, undefined, 2) },
  { says: "U2F by its maker, with a member more", format: "fido-u2f", statement: also(byU2f(acme), { alg: -7 }) },
  { says: "packed by its maker, with a member more", format: "packed", statement: also(madeBy(acme), { ver: "2.0" }) },
];

const RIGHT: readonly StatementRow[] = [
  { says: "none", format: "none", statement: () => EMPTY },
  { says: "U2F by its maker", format: "fido-u2f", statement: byU2f(acme) },
  ...(
    [
      ["ES256", -7],
      ["EdDSA", -8],
      ["RS256", -257],
    ] as const
  ).map(([algorithm, alg]) => ({
    says: `packed, signed by the new key of ${algorithm}`,
    format: "packed",
    statement: selfSigned(alg),
    algorithm,
  })),
  { says: "packed by its maker", format: "packed", statement: madeBy(acme) },
  { says: "packed by its maker, with a key of EdDSA", format: "packed", statement: madeBy(acme), algorithm: "EdDSA" },
];

function deviceFor({ algorithm = "ES256" }: StatementRow): SoftwareAuthenticator {
  return softwareAuthenticator({ algorithm });
}

async function verifierAccepts(row: StatementRow): Promise<boolean> {
  const options = await creationOptions(await passwordGiven(passkeyApp(), "alice"));
  try {
    const { verified } = await verifyRegistrationResponse({
      response: attested(deviceFor(row), options, row.format, row.statement),
      expectedChallenge: options.challenge,
      expectedOrigin: [ORIGIN],
      expectedRPID: "localhost",
      supportedAlgorithmIDs: [-8, -7, -257],
    });
    return verified;
  } catch {
    return false;
  }
}

describe("an attestation statement is as its format says", () => {
  test.each(WRONG)("$says: refused", async (row) => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    const credential = attested(deviceFor(row), await creationOptions(jar), row.format, row.statement);
    expectRefused(await jar.post("/2fa/passkey/enroll", { credential }));
    expect(await storedPasskeys(target, "alice")).toEqual([]);
  });

  test.each(WRONG)("$says: who refuses it", async (row) => {
    expect(await verifierAccepts(row)).toBe(row.byVerifier !== true);
  });

  test.each(RIGHT)("$says: accepted, and opens", async (row) => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    const device = deviceFor(row);
    const credential = attested(device, await creationOptions(jar), row.format, row.statement);
    expect((await jar.post("/2fa/passkey/enroll", { credential })).status).toBe(201);
    const login = await passwordGiven(target, "alice");
    expect((await answerWith(login, device)).status).toBe(200);
  });
});

const BOM = [0xef, 0xbb, 0xbf];

/** The credential with other bytes for its client data, signed where that is signed. */
function withClientData<Credential extends { readonly response: { readonly clientDataJSON: string } }>(
  device: SoftwareAuthenticator,
  credential: Credential,
  change: (json: Uint8Array) => Uint8Array,
): Credential {
  const clientData = change(Buffer.from(credential.response.clientDataJSON, "base64url"));
  const response = { ...credential.response, clientDataJSON: base64url(clientData) };
  if (!("authenticatorData" in response)) return { ...credential, response };
  const signed = join(Buffer.from(String(response.authenticatorData), "base64url"), sha256(clientData));
  return { ...credential, response: { ...response, signature: base64url(device.passkeys[0]!.key.sign(signed)) } };
}

describe("client data is decoded as UTF-8, of which a byte order mark is no part (7.1 step 5, 7.2 step 9)", () => {
  const marked: Change = (json) => join(BOM, json);

  test("one in front is stripped, of a new passkey and of an answer", async () => {
    const target = passkeyApp();
    const jar = await passwordGiven(target, "alice");
    const device = softwareAuthenticator();
    const made = withClientData(device, device.create(await creationOptions(jar)), marked);
    expect((await jar.post("/2fa/passkey/enroll", { credential: made })).status).toBe(201);
    const login = await passwordGiven(target, "alice");
    const given = withClientData(device, device.get(await requestOptions(login)), marked);
    expect((await login.post("/2fa/passkey", { credential: given })).status).toBe(200);
    expect(await login.isIn()).toBe(true);
  });

  test.each<readonly [string, Change]>([
    ["a second one", (json) => join(BOM, BOM, json)],
    ["one at the end", (json) => join(json, BOM)],
    ["one of UTF-16", (json) => join([0xfe, 0xff], json)],
    ["half of one", (json) => join(BOM.slice(0, 2), json)],
  ])("%s is not", async (_says, change) => {
    const { device, jar } = await waiting();
    const given = withClientData(device, device.get(await requestOptions(jar)), change);
    expectRefused(await jar.post("/2fa/passkey", { credential: given }));
    expect(await jar.isIn()).toBe(false);
    const owner = await passwordGiven(passkeyApp(), "alice");
    const made = softwareAuthenticator().create(await creationOptions(owner));
    expectRefused(await owner.post("/2fa/passkey/enroll", { credential: withClientData(device, made, change) }));
  });

  test("one that was not signed along is refused", async () => {
    const { device, jar } = await waiting();
    const given = device.get(await requestOptions(jar));
    const { clientDataJSON } = given.response;
    const response = { ...given.response, clientDataJSON: base64url(marked(Buffer.from(clientDataJSON, "base64url"))) };
    expectRefused(await jar.post("/2fa/passkey", { credential: { ...given, response } }));
  });
});
