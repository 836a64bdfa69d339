import { describe, expect, test } from "@jest/globals";
import express from "express";
import fc from "fast-check";
import type { Response } from "supertest";
import { CANARY, parseAtLoginOnly, testApp, type TestApp } from "../support/app.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { NO_LIMITS, trusted } from "../support/attack.js";
import { stateRoutes } from "../support/routes.js";
import { expectProblem } from "../support/problems.js";

const RUNS = 100;
const PARSERS = {
  "the application": [express.json({ strict: false }), express.urlencoded({ extended: true })],
  nobody: parseAtLoginOnly,
};

/** A visitor somewhere on the way in. */
interface Stage {
  readonly name: string;
  readonly policy: "required" | "optional";
  /** What `req.secondFactor.status` says there. */
  readonly status: string;
  readonly isIn: boolean;
  /** Posts that may do something for a visitor who proves nothing by them. */
  readonly allowed: RegExp;
  arrive(target: TestApp): Promise<Jar>;
}

const STAGES: readonly Stage[] = [
  {
    name: "without a login",
    policy: "optional",
    status: "anonymous",
    isIn: false,
    allowed: /\/passkey\/options$/,
    arrive: async (target) => new Jar(target),
  },
  {
    name: "with a second factor due",
    policy: "optional",
    status: "pending",
    isIn: false,
    allowed: /\/(cancel|passkey\/options)$/,
    arrive: async (target) => {
      await enrolled(target, "alice");
      return pending(target, "alice");
    },
  },
  {
    name: "with an enrollment due",
    policy: "required",
    status: "must-enroll",
    isIn: false,
    allowed: /\/(cancel|totp\/enroll|passkey\/enroll\/options|devices\/revoke-all|sessions\/revoke-others)$/,
    arrive: (target) => pending(target, "carol"),
  },
  {
    name: "with a fresh proof",
    policy: "optional",
    status: "verified",
    isIn: true,
    allowed:
      /\/(cancel|totp\/enroll|passkey\/options|passkey\/enroll\/options|rename|remove|backup-codes|revoke|revoke-all|revoke-others|disable)$/,
    arrive: async (target) => full(target, "alice", (await enrolled(target, "alice")).phone),
  },
  {
    name: "in a trusted browser",
    policy: "optional",
    status: "trusted-device",
    isIn: true,
    allowed: /\/(cancel|passkey\/options)$/,
    arrive: async (target) => {
      const jar = await trusted(target, "alice", (await enrolled(target, "alice")).phone);
      await jar.post("/logout");
      await jar.login("alice");
      return jar;
    },
  },
];

interface Posted {
  readonly path: string;
  readonly type: string;
  readonly text: string;
  readonly isPage: boolean;
}

const member = fc.oneof(
  fc.constantFrom("code", "factorId", "label", "codes", "trustDevice", "password", "__proto__", "toString"),
  fc.string(),
);
const value = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.stringMatching(/^[0-9]{6}$/),
  fc.stringMatching(/^[0-9A-Z]{16}$/),
  fc.jsonValue(),
);
const part = fc.oneof(
  fc.base64String().map((text) => text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")),
  value,
);
const response = fc.record(
  {
    clientDataJSON: part,
    authenticatorData: part,
    signature: part,
    userHandle: part,
    attestationObject: part,
    transports: value,
  },
  { requiredKeys: [] },
);
const credential = fc.record({ id: part, rawId: part, type: fc.oneof(fc.constant("public-key"), value), response });
const members = fc.oneof(
  { weight: 3, arbitrary: fc.dictionary(member, value, { maxKeys: 6 }) },
  {
    weight: 1,
    arbitrary: fc.record({
      credential: fc.oneof(
        credential,
        credential.map((each) => JSON.stringify(each)),
      ),
    }),
  },
);

const json = fc
  .oneof(members, fc.jsonValue(), fc.array(value))
  .map((body) => ({ type: "application/json", text: JSON.stringify(body) }));
const form = fc.array(fc.tuple(member, fc.string()), { maxLength: 8 }).map((pairs) => ({
  type: "application/x-www-form-urlencoded",
  text: new URLSearchParams(pairs.map(([name, text]): [string, string] => [name, text])).toString(),
}));
const broken = fc.record({
  type: fc.constantFrom("application/json", "application/x-www-form-urlencoded", "text/plain"),
  text: fc.string(),
});

const path = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...stateRoutes().map((route) => route.path)) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.string({ unit: "grapheme" }), fc.constantFrom("rename", "remove"))
      .map(([id, act]) => `/2fa/factors/${encodeURIComponent(id)}/${act}`),
  },
  { weight: 1, arbitrary: fc.webPath().map((tail) => `/2fa${tail}`) },
);

// Dots lead out of /2fa before they are sent.
const sendable = path.filter((text) => /^\/2fa(\/|$)/.test(new URL(text, "http://localhost").pathname));

const posted: fc.Arbitrary<Posted> = fc
  .tuple(sendable, fc.oneof({ weight: 3, arbitrary: json }, { weight: 2, arbitrary: form }, broken), fc.boolean())
  .map(([to, body, isPage]) => ({ path: to, ...body, isPage }));

function send(jar: Jar, { path: to, type, text, isPage }: Posted): Promise<Response> {
  const accept = isPage ? "text/html" : "application/json";
  const asked = jar.agent.post(to).set({ Accept: accept, "Content-Type": type, "Sec-Fetch-Site": "same-origin" });
  return asked.send(text);
}

function expectShape(answer: Response, { isPage }: Posted): void {
  expect(answer.status).toBeLessThan(500);
  if (answer.status < 400) return;
  if (isPage) expect(answer.type).toBe("text/html");
  else expectProblem(answer);
}

describe.each(STAGES)("arbitrary posts of a visitor $name", (stage) => {
  test.each(Object.entries(PARSERS))(
    "never make an error of the server, are told in the one shape, and open nothing (bodies read by %s)",
    async (_name, parsers) => {
      const arrive = async (): Promise<Jar> => {
        const target = testApp({ parsers, options: { policy: stage.policy, limits: NO_LIMITS } });
        const jar = await stage.arrive(target);
        expect(await look(jar)).toEqual({ status: stage.status, isOpen: stage.isIn });
        return jar;
      };
      let jar = await arrive();
      await fc.assert(
        fc.asyncProperty(posted, async (post) => {
          // What the application's own parser cannot read is the application's to answer.
          fc.pre(parsers === parseAtLoginOnly || isReadable(post));
          const answer = await send(jar, post);
          expectShape(answer, post);
          const isDone = answer.status < 400;
          if (isDone) expect(post.path.split("?")[0]!.toLowerCase()).toMatch(stage.allowed);
          const { status, isOpen } = await look(jar);
          if (!stage.isIn) expect(isOpen).toBe(false);
          if (status === stage.status) return;
          // Only a post that did something may have moved the visitor.
          expect(isDone).toBe(true);
          jar = await arrive();
        }),
        { numRuns: RUNS },
      );
    },
  );
});

test.each([
  ["application/json", (code: string) => JSON.stringify({ code })],
  ["application/x-www-form-urlencoded", (code: string) => new URLSearchParams({ code }).toString()],
])("what these posts hold does arrive: the right code as %s opens", async (type, write) => {
  for (const parsers of Object.values(PARSERS)) {
    const target = testApp({ parsers });
    const { phone } = await enrolled(target, "alice");
    const jar = await pending(target, "alice");
    const text = write(phone.code(target.clock()));
    const answer = await send(jar, { path: "/2fa/totp", type, text, isPage: false });
    expect([answer.status, await jar.isIn()]).toEqual([200, true]);
  }
});

/** Where the visitor stands, and whether what is guarded is open to them. */
async function look(jar: Jar): Promise<{ readonly status: string; readonly isOpen: boolean }> {
  const { body, status, text } = await jar.get("/");
  const isOpen = text.includes(CANARY);
  if (status === 200) return { status: body.status, isOpen };
  return { status: status === 403 ? "must-enroll" : "pending", isOpen };
}

function isReadable({ type, text }: Posted): boolean {
  if (type !== "application/json") return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return text === "";
  }
}
