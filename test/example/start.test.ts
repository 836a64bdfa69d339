import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { DEMO_PASSWORD } from "../../example-app/operators.js";
import { lastingSecrets } from "../../example-app/secrets.js";
import { openStorage } from "../../example-app/storage.js";
import { phone } from "../support/phone.js";
import { freePort } from "../support/programs.js";
import { endAll, Person, type Running, start } from "./stage.js";

// Many processes start here, and a busy machine takes its time.
jest.setTimeout(60_000);

async function expectRefusal(program: Running, line: string): Promise<void> {
  expect([await program.ended(), program.complaints()]).toEqual([1, `Not started: ${line}\n`]);
}

describe("the example application", () => {
  let folder = "";
  let settings: Record<string, string> = {};
  let address = "";

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "example-"));
    settings = { DATA_FOLDER: join(folder, "data"), PORT: String(await freePort()) };
    address = await start("server.js", settings).address();
  });

  afterAll(async () => {
    await endAll();
    await rm(folder, { recursive: true, force: true });
  });

  test("prints its address and serves the start page there, and the pages of the second factor", async () => {
    expect(address).toBe(`http://localhost:${settings["PORT"]}`);
    const home = await fetch(address);
    expect(home.status).toBe(200);
    expect(await home.text()).toContain("Accounts are kept in a file, mails and texts in the");
    const answer = await fetch(`${address}/2fa/settings`, { headers: { accept: "text/html" } });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain("Sign in first");
  });

  test("keeps its keys and its session secret for its owner's eyes", async () => {
    const places = ["", "keys", "session-secret", "audit-key", "audit.jsonl", "vapid"].map((name) =>
      stat(join(folder, "data", name)),
    );
    const modes = (await Promise.all(places)).map(({ mode }) => (mode & 0o777).toString(8));
    expect(modes).toEqual(["700", "600", "600", "600", "600", "600"]);
  });

  test("takes the keys for push messages from the environment, both of them, else those it has made", async () => {
    const data = join(folder, "data");
    const made = await lastingSecrets({}, data);
    expect(made.vapid).toEqual({ publicKey: expect.any(String), privateKey: expect.any(String) });
    expect(await lastingSecrets({}, data)).toEqual(made);
    const given = { VAPID_PUBLIC_KEY: "one", VAPID_PRIVATE_KEY: "another" };
    expect((await lastingSecrets(given, data)).vapid).toEqual({ publicKey: "one", privateKey: "another" });
    const half = start("server.js", { ...settings, PORT: "0", VAPID_PUBLIC_KEY: made.vapid.publicKey ?? "" });
    expect([await half.ended(), half.complaints()]).toEqual([1, expect.stringContaining("vapid.privateKey must be")]);
  });

  test("sends mails and texts to its outbox, which anybody at the machine reads, and keeps them for its owner's eyes", async () => {
    const person = new Person(address, "ada@example.com");
    expect(await person.outbox()).toContain("Nothing yet.");
    await person.register();
    await person.receiveAt({ address: "ada@home.example" });
    await person.receiveAt({ phone: "+49 1512 3456789" });
    const text = await new Person(address, "").outbox();
    expect(text).toMatch(/To \+4915123456789[^]*@localhost #\d{6}[^]*Confirm your address[^]*To ada@home\.example/);
    // The mail is a document in an attribute, and no part of the page.
    expect(text).toMatch(/srcdoc="&lt;!doctype html&gt;/);
    const outbox = join(folder, "data", "outbox");
    const names = await readdir(outbox);
    const places = [outbox, ...names.map((name) => join(outbox, name))];
    const modes = (await Promise.all(places.map((place) => stat(place)))).map(({ mode }) => (mode & 0o777).toString(8));
    expect(modes).toEqual(["700", "600", "600"]);
  });

  test("has a login and a transfer approved on a device that no message reaches: its list of requests is enough", async () => {
    const person = new Person(address, "grace@example.com");
    const cookies = (await person.register()).get("Set-Cookie") ?? [];
    const device = await phone(address);
    await device.enroll({ cookie: cookies.map((cookie) => cookie.split(";", 1)[0]).join("; ") });
    const later = new Person(address, person.email);
    await later.logIn();
    expect(await later.isIn()).toBe(false);
    const asked = await later.ask();
    await device.approve(asked.number);
    expect([(await later.finish(asked)).status, await later.isIn()]).toEqual([200, true]);

    const operation = await later.transfer("120", "Ann Bell");
    const second = await later.ask(operation);
    expect((await device.request()).text).toBe("Pay 120 EUR to Ann Bell");
    await device.approve(second.number);
    await later.finish(second);
    expect(await later.transfer("120", "Ann Bell")).toBeUndefined();
    expect(await later.transfer("120", "Ann Bell")).toEqual(expect.any(String));
  });

  test("has a clock that its own form moves, for all that falls due, and no other site's", async () => {
    const move = (headers: Record<string, string>): Promise<globalThis.Response> =>
      fetch(`${address}/outbox/clock`, { method: "POST", body: new URLSearchParams({ move: "+3 days" }), headers });
    const ahead = async (): Promise<number> => {
      const [, time = ""] = /class="time"><time datetime="([^"]+)"/.exec(await new Person(address, "").outbox()) ?? [];
      return Math.round((Date.parse(time) - Date.now()) / 3_600_000) + 0;
    };
    expect([(await move({ "sec-fetch-site": "cross-site" })).status, await ahead()]).toEqual([403, 0]);
    expect([(await move({ origin: "https://evil.example" })).status, await ahead()]).toEqual([403, 0]);
    expect([(await move({ "sec-fetch-site": "same-origin" })).status, await ahead()]).toEqual([200, 72]);
    // Cookies of sessions go by the clock of the browser, which is not ahead: logins from then on last all the same.
    const person = new Person(address, "linus@example.com");
    await person.register();
    expect(await person.isIn()).toBe(true);
  });

  test("has in production neither that clock nor the operators whose password is in the README", async () => {
    const production = { NODE_ENV: "production", ORIGIN: "https://demo.example" };
    const port = String(await freePort());
    await start("server.js", { DATA_FOLDER: join(folder, "production"), PORT: port, ...production }).address();
    const there = `http://localhost:${port}`;
    expect(await new Person(there, "").outbox()).not.toContain("The time here");
    expect((await fetch(`${there}/outbox/clock`, { method: "POST" })).status).toBe(404);
    const form = new URLSearchParams({ email: "dora@acme.example", password: DEMO_PASSWORD });
    const { headers } = await fetch(`${there}/login`, { method: "POST", body: form, redirect: "manual" });
    expect(headers.get("location")).toBe("/login?failed");
  });

  test("says in one line that the port is taken, alone and balanced", async () => {
    const line = `port ${settings["PORT"]} is taken, choose another with PORT=3001`;
    await expectRefusal(start("server.js", settings), line);
    await expectRefusal(start("balanced.js", settings), line);
  });

  test("says in one line which server does not answer", async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const redis = start("server.js", { ...settings, REDIS_URL: `redis://:secret@${nobody}` });
    await expectRefusal(redis, `Redis at ${nobody}: connect ECONNREFUSED ${nobody}`);
    const postgres = start("server.js", { ...settings, DATABASE_URL: `postgres://me:secret@${nobody}/demo` });
    await expectRefusal(postgres, `PostgreSQL at ${nobody}: connect ECONNREFUSED ${nobody}`);
  });

  test.each([
    [{ REDIS_URL: "redis://127.0.0.1", DATABASE_URL: "postgres://127.0.0.1/demo" }, "not both"],
    [{ REDIS_URL: "127.0.0.1:6379" }, "REDIS_URL must look like redis://127.0.0.1:6379"],
    [{ DATABASE_URL: "mysql://127.0.0.1/demo" }, "DATABASE_URL must look like postgres://"],
  ])("refuses %j", async (environment, reason) => {
    await expect(openStorage(environment, folder)).rejects.toThrow(reason);
  });
});
