// Where links in mails lead is configured: nothing that a request names is believed.
import { describe, expect, test } from "@jest/globals";
import type { Notice } from "express-second-factor";
import { testApp, type TestApp } from "../support/app.js";
import { MINUTE } from "../support/attack.js";
import { overHttp, type RawAnswer, type RawClient } from "../support/raw.js";
import { enrolled, type Enrolled } from "../support/browser.js";

const EVIL = "evil.test";

type Lie = readonly [target: (path: string) => string, headers: Readonly<Record<string, string>>];

const LIES: Readonly<Record<string, Lie>> = {
  "the Host header": [(path) => path, { Host: EVIL }],
  "X-Forwarded-Host": [(path) => path, { "X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https" }],
  Forwarded: [(path) => path, { Forwarded: `host=${EVIL};proto=https` }],
  "an absolute request line": [(path) => `http://${EVIL}${path}`, {}],
  "X-Original-URL and X-Forwarded-Prefix": [
    (path) => path,
    { "X-Original-URL": `https://${EVIL}/`, "X-Forwarded-Prefix": `//${EVIL}`, "X-Forwarded-Server": EVIL },
  ],
};

interface Here extends Enrolled {
  readonly target: TestApp;
  readonly notices: Notice[];
}

async function alice(): Promise<Here> {
  const notices: Notice[] = [];
  const target = testApp({
    options: { notify: (notice) => void notices.push(notice) },
    before: (app) => void app.set("trust proxy", true),
  });
  return { target, notices, ...(await enrolled(target, "alice")) };
}

/** Speaks for one browser that lies with every request. */
function liar(send: RawClient, [target, headers]: Lie): (path: string, body: object) => Promise<RawAnswer> {
  let cookie = "";
  return async (path, body) => {
    const answer = await send(target(path), {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json", Accept: "application/json", Cookie: cookie },
      body: JSON.stringify(body),
    });
    const set = answer.headers["set-cookie"]?.map((line) => line.split(";")[0]) ?? [];
    if (set.length > 0) cookie = set.join("; ");
    return answer;
  };
}

describe("B45: a link in a mail leads to the configured origin, whatever is said in", () => {
  test.each(Object.entries(LIES))("%s", async (_name, lie) => {
    const { backupCodes, notices, phone, target } = await alice();
    await overHttp(target.app, async (send) => {
      const first = liar(send, lie);
      await first("/login", { username: "alice", password: "alice-password" });
      for (let count = 0; count < 5; count += 1) await first("/2fa/totp", { code: "000000" });
      await first("/2fa/backup-code", { code: backupCodes[0] });
      target.clock.advance(16 * MINUTE);
      const second = liar(send, lie);
      await second("/login", { username: "alice", password: "alice-password" });
      await second("/2fa/totp", { code: phone.code(target.clock()), trustDevice: true });
      await second("/2fa/backup-codes", {});
      await liar(send, lie)("/login", { username: "alice", password: "alice-password" });
    });
    target.clock.advance(11 * MINUTE);
    await target.mfa.runDue();
    await target.mfa.accounts.reset("u1");
    await new Promise((resolve) => setImmediate(resolve));
    const kinds = new Set(notices.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(
      [
        ...["admin-reset", "backup-code-used", "backup-codes-regenerated", "device-trusted", "factor-enrolled"],
        ...["locked", "login-unfinished", "new-browser"],
      ].sort(),
    );
    for (const { links } of notices) expect(links.report).toMatch(/^http:\/\/localhost:3000\/2fa\/report\?token=/);
    expect(JSON.stringify(notices)).not.toContain(EVIL);
  });
});
