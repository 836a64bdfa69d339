import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "@jest/globals";
import webpush from "web-push";
import { webPush } from "express-second-factor/web-push";
import { built } from "../support/built.js";
import { SubscribedBrowser } from "../support/web-push-decrypt.js";
import { problemsOf } from "../senders/stage.js";

const [keys, others] = [webpush.generateVAPIDKeys(), webpush.generateVAPIDKeys()];
const vapid = { subject: "mailto:security@acme.test", ...keys };
const MEND = "npx web-push generate-vapid-keys makes a pair";
const NO_SUBJECT = expect.stringMatching(/^webPush: vapid\.subject must be "mailto:" and one address, or an https/);
const NO_PUBLIC_KEY = expect.stringMatching(/^webPush: vapid\.publicKey must be a point on P-256, .*: npx web-push/);
const NO_PRIVATE_KEY = expect.stringMatching(/^webPush: vapid\.privateKey must be a number of P-256, .*: npx web-push/);

function found(options: object): readonly string[] {
  return problemsOf(() => webPush(options as never));
}

describe("what is wrong with the options is said at start", () => {
  test("nothing, where all is right", () => {
    expect(found({ vapid })).toEqual([]);
    expect(found({ vapid, hosts: ["push.acme.test", "*.acme.test:8443", "[::1]"], agent: new Agent() })).toEqual([]);
  });

  test("all of it at once, each with its mend and without its value", () => {
    const secret = "a secret that is no key";
    const wrong = { subject: "security@acme.test", publicKey: secret, privateKey: secret, key: 1 };
    const problems = found({ vapid: wrong, hosts: ["*.test"], agents: 1, agent: {} });
    expect(problems).toEqual([
      'webPush: agents: there is no such option; did you mean "agent"?',
      "webPush: vapid: key: there is no such option; there are subject, publicKey, privateKey",
      NO_SUBJECT,
      NO_PUBLIC_KEY,
      NO_PRIVATE_KEY,
      'webPush: hosts: "*.test" is no host: write it in small letters, as "push.acme.example", "*.acme.example" or "push.acme.example:8443"',
      "webPush: agent must be one of node:https: new https.Agent()",
    ]);
    expect(problems.join()).not.toContain(secret);
  });

  test.each([undefined, null, "keys", 1])("vapid: %p", (given) => {
    expect(found({ vapid: given })).toEqual([
      `webPush: vapid is { subject: "mailto:security@acme.example", publicKey, privateKey }: ${MEND}`,
    ]);
  });

  test("variables of the environment that are not set", () => {
    const { VAPID_PUBLIC: publicKey, VAPID_PRIVATE: privateKey, VAPID_SUBJECT: subject } = process.env;
    const problems = found({ vapid: { subject, publicKey, privateKey } });
    expect(problems).toEqual([NO_SUBJECT, NO_PUBLIC_KEY, NO_PRIVATE_KEY]);
    expect(problems.every((problem) => problem.endsWith(", and is undefined"))).toBe(true);
  });

  test("no options at all", () => {
    expect(problemsOf(() => webPush(undefined as never))).toHaveLength(1);
    expect(problemsOf(() => webPush("keys" as never)).length).toBeGreaterThan(1);
  });

  test("keys of two pairs", () => {
    expect(found({ vapid: { ...vapid, privateKey: others.privateKey } })).toEqual([
      `webPush: vapid.publicKey and privateKey are not of one pair: ${MEND}`,
    ]);
  });

  test("keys that stand in each other's place", () => {
    const swapped = { publicKey: keys.privateKey, privateKey: keys.publicKey };
    expect(found({ vapid: { ...vapid, ...swapped } })).toEqual([
      "webPush: vapid.publicKey and privateKey stand in each other's place: exchange them",
    ]);
  });

  test.each([
    ["as base64", { publicKey: `${keys.publicKey}=`, privateKey: `${keys.privateKey}=` }],
    ["zeros", { publicKey: "A".repeat(87), privateKey: "A".repeat(43) }],
    ["beyond the curve's order", { publicKey: `B${"_".repeat(86)}`, privateKey: `${"_".repeat(42)}8` }],
  ])("keys that are none: %s", (_what, pair) => {
    expect(found({ vapid: { ...vapid, ...pair } })).toEqual([NO_PUBLIC_KEY, NO_PRIVATE_KEY]);
  });

  test.each(["mailto:security@acme.test", "https://acme.test/contact", "https://acme.test"])(
    "subject %s",
    (subject) => {
      expect(found({ vapid: { ...vapid, subject } })).toEqual([]);
    },
  );

  test.each([
    ...[
      "security@acme.test",
      "mailto:",
      "mailto:security",
      "mailto: security@acme.test",
      "mailto:<security@acme.test>",
    ],
    ...["mailto:security@localhost", "mailto:Acme <security@acme.test>", "http://acme.test", "https://", "acme.test"],
    ...[
      "https://localhost",
      "https://localhost:3000/contact",
      "https://acme.localhost",
      "https://acme.test/a b",
      "",
      7,
    ],
  ])("no subject: %p", (subject) => {
    expect(found({ vapid: { ...vapid, subject } })).toEqual([NO_SUBJECT]);
  });

  test.each([
    ...[
      "https://push.acme.test",
      "push.acme.test/",
      "push.acme.test:443",
      "Push.acme.test",
      "push acme",
      "*",
      "*.",
      "",
    ],
    ...[
      "*.test",
      "*.127.0.0.1",
      "**.acme.test",
      "a.*.test",
      "ann@push.acme.test",
      "::1",
      "0x7f.1",
      "bücher.test",
      7,
      null,
    ],
  ])("no host: %p", (host) => {
    expect(found({ vapid, hosts: [host] })).toEqual([expect.stringContaining("is no host: write it in small letters")]);
  });

  test("hosts that are no list", () => {
    expect(found({ vapid, hosts: "push.acme.test" })).toEqual([
      'webPush: hosts must be a list of names of hosts, such as ["push.acme.example"]',
    ]);
  });

  test("an agent that speaks no TLS", () => {
    expect(found({ vapid, agent: new HttpAgent() })).toEqual([
      "webPush: agent must be one of node:https: new https.Agent()",
    ]);
  });
});

/** How a program of either format loads the channel that lies beside it. */
const LOADED = {
  esm: { ending: "mjs", line: 'import { webPush } from "./channel.mjs";' },
  cjs: { ending: "cjs", line: 'const { webPush } = require("./channel.cjs");' },
} as const;

/** Runs where the channel is, and what the package depends on, and no package web-push. Answers what it prints. */
async function printedWithout(format: keyof typeof LOADED, program: string): Promise<string[]> {
  const { ending, line } = LOADED[format];
  const folder = await mkdtemp(join(tmpdir(), "web-push-"));
  try {
    const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
    await mkdir(join(folder, "node_modules"));
    await symlink(join(modules, "fastest-levenshtein"), join(folder, "node_modules/fastest-levenshtein"));
    await cp(join(built(), format, "web-push/index.js"), join(folder, `channel.${ending}`));
    await writeFile(join(folder, `main.${ending}`), line + program);
    const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", join(folder, `main.${ending}`)]);
    return stdout.trim().split("\n").sort();
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("without the package web-push", () => {
  test.each(["esm", "cjs"] as const)(
    "the process is told at start what to install, and so is whoever sends: %s",
    async (format) => {
      const problem = 'webPush: the package "web-push" is not installed: npm install web-push@3';
      const subscription = new SubscribedBrowser().subscription("https://web.push.apple.com/x");
      const printed = await printedWithout(
        format,
        `
        process.on("warning", ({ code, message }) => console.log(code, message));
        webPush(${JSON.stringify({ vapid })})
          .send(${JSON.stringify(subscription)}, { requestId: "x" }, {})
          .catch((error) => console.log(error.name, ...error.problems));
      `,
      );
      expect(printed).toEqual([
        `ConfigurationError ${problem}`,
        `SECOND_FACTOR_PACKAGE ${problem}. No message can be sent.`,
      ]);
    },
  );
});
