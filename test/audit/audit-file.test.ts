import { execFileSync } from "node:child_process";
import { createReadStream, existsSync, renameSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, expect, jest, test } from "@jest/globals";
import { memoryStore, type Store } from "express-second-factor";
import { auditFile, verifyAudit } from "express-second-factor/audit";
import { Jar, full, enrolled } from "../support/browser.js";
import { testApp } from "../support/app.js";
import { closedFile, event, eventsIn, heardBy, KEY, linesOf, newPath, verdictOf, wholeRun, writing } from "./stage.js";

/** A path that leads to a disk that is full, and can be led elsewhere. */
function fullDisk(): string {
  const path = newPath();
  symlinkSync("/dev/full", path);
  return path;
}

function makeRoom(path: string): void {
  rmSync(path);
}

describe("no value can forge a line:", () => {
  const BREAKS = "\n\r\u0085\u2028\u2029\u000b\u000c";

  test.each([
    ["line breaks of every kind", `a${BREAKS}{"writer":"x"}`],
    ["quotes and backslashes", '","digest":"x"}\\"'],
    ["what turns the reading direction or moves the cursor", "\u202e\u200f\u001b[2K\u009b"],
    ["half of a character", "\ud800x"],
  ])("%s", async (_what, value) => {
    const written = writing();
    for (const member of ["userAgent", "reason", "actor", "userId", "requestId", "ip"]) {
      written.audit(event({ [member]: value }));
    }
    await written.audit.close();
    const lines = linesOf(written.path);
    expect(lines).toHaveLength(8);
    expect(lines.every((line) => /^[\x20-\x7e]+$/.test(line))).toBe(true);
    expect(eventsIn(written.path)[0]?.userAgent).toBe(value);
    expect((await verdictOf(written)).isComplete).toBe(true);
  });

  test("those that come with a request, too", async () => {
    const written = writing();
    const target = heardBy(written.audit);
    const client = { userAgent: `Fire\r\nfox${BREAKS}{"writer":"x"}`, requestId: "a\nb" };
    await target.mfa.accounts.verify("u1\n{}", { method: "totp", code: "000000", actor: "x\u2028y", client });
    await written.audit.close();
    expect(eventsIn(written.path)).toEqual(target.events);
    expect((await verdictOf(written)).isComplete).toBe(true);
  });

  test("what is long is cut, so that what waits has an end, and its line too", async () => {
    const written = writing();
    written.audit(event({ reason: "\u2028".repeat(2_000_000), requestId: "x".repeat(8_192) }));
    await written.audit.close();
    expect(eventsIn(written.path)).toEqual([event({ reason: "\u2028".repeat(8_192), requestId: "x".repeat(8_192) })]);
    expect((await verdictOf(written)).isComplete).toBe(true);
  });

  test("what is no text, number or boolean is left out, and stops nothing", async () => {
    const written = writing();
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    written.audit({ ...event(), extra: circle, big: 10n, more: () => 1 } as never);
    await written.audit.close();
    expect(eventsIn(written.path)).toEqual([event()]);
  });
});

describe("a disk that is full", () => {
  test("opens nothing and refuses nothing: people sign in, and are kept out, as ever", async () => {
    const written = writing({}, fullDisk());
    const target = heardBy(written.audit);
    const { phone } = await enrolled(target, "alice");
    target.clock.advance(60_000);
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
    const without = new Jar(target);
    await without.login("alice");
    await without.verify("000000");
    expect(await without.isIn()).toBe(false);
    await expect(written.audit.flush()).rejects.toThrow(/ENOSPC/);
    expect(written.errors).toHaveLength(1);
  });

  test("loses nothing that there is room for, and counts the rest where it would stand", async () => {
    const path = fullDisk();
    const written = writing({ mostWaiting: 5 }, path);
    for (let index = 0; index < 12; index += 1) {
      written.audit(event({ requestId: `r${index}`, time: `2026-11-27T12:00:${10 + index}.000Z` }));
    }
    await expect(written.audit.flush()).rejects.toThrow(/ENOSPC/);
    makeRoom(path);
    await written.audit.flush();
    written.audit(event({ requestId: "later" }));
    await written.audit.close();
    const records = linesOf(path).map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ kind }) => kind)).toEqual([
      "start",
      ...Array<string>(5).fill("event"),
      "audit-lost",
      "event",
      "end",
    ]);
    expect(records[6]).toMatchObject({
      count: 7,
      since: "2026-11-27T12:00:15.000Z",
      until: "2026-11-27T12:00:21.000Z",
    });
    const verdict = await verdictOf(written);
    expect([verdict.isComplete, verdict.chains[0]?.lost]).toEqual([true, 7]);
  });

  test("is told of once, and once more when it is full again", async () => {
    const path = fullDisk();
    const written = writing({}, path);
    for (let times = 0; times < 3; times += 1) {
      written.audit(event());
      await expect(written.audit.flush()).rejects.toThrow(/ENOSPC/);
    }
    expect(written.errors).toHaveLength(1);
    makeRoom(path);
    await written.audit.flush();
    rmSync(path);
    symlinkSync("/dev/full", path);
    written.audit(event());
    await expect(written.audit.flush()).rejects.toThrow(/ENOSPC/);
    expect(written.errors).toHaveLength(2);
  });

  test("is warned of where nobody is to be told", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const audit = auditFile(fullDisk(), { key: KEY });
    audit(event());
    await expect(audit.flush()).rejects.toThrow(/ENOSPC/);
    await new Promise((resolve) => setImmediate(resolve));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining("ENOSPC"),
      expect.objectContaining({ code: "SECOND_FACTOR_AUDIT" }),
    );
    warn.mockRestore();
  });
});

describe("whoever is told and throws, or rejects,", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("the safe is shut");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the safe is shut"))],
  ])("%s, loses nothing of the file and is told of", async (_what, onAnchor) => {
    const errors: unknown[] = [];
    const path = newPath();
    const audit = auditFile(path, { key: KEY, onAnchor, onError: (error) => errors.push(error) });
    audit(event());
    await audit.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect((await verdictOf({ path })).isComplete).toBe(true);
    expect(errors.map(String)).toEqual(["Error: the safe is shut", "Error: the safe is shut"]);
  });

  test("of errors, disturbs nobody", async () => {
    const warn = jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const path = fullDisk();
    const audit = auditFile(path, { key: KEY, onError: () => Promise.reject(new Error("nobody listens")) });
    audit(event());
    await expect(audit.flush()).rejects.toThrow(/ENOSPC/);
    await new Promise((resolve) => setImmediate(resolve));
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("nobody listens"), expect.anything());
    warn.mockRestore();
  });
});

describe("a disk that takes its time", () => {
  // A pipe that nobody reads takes nothing at all.
  test("is waited for by no request, and has everything in the end", async () => {
    const path = newPath();
    execFileSync("mkfifo", [path]);
    const written = writing({}, path);
    const target = heardBy(written.audit);
    await wholeRun(target);
    expect(target.events.length).toBeGreaterThan(10);
    const read = text(createReadStream(path));
    await written.audit.close();
    const lines = (await read).trim().split("\n");
    expect(lines).toHaveLength(target.events.length + 2);
    expect(written.errors).toEqual([]);
  });
});

describe("a file that is moved away", () => {
  test("ends its chain, and the new one says which it goes on from", async () => {
    const written = writing();
    written.audit(event({ requestId: "before" }));
    await written.audit.flush();
    const old = `${written.path}.1`;
    renameSync(written.path, old);
    written.audit(event({ requestId: "after" }));
    await written.audit.close();
    const verdict = await verifyAudit([old, written.path], { key: KEY, anchors: written.anchors });
    expect(verdict).toMatchObject({ isComplete: true, notes: [], chains: [{ isClosed: true }, { isClosed: true }] });
    const alone = await verdictOf({ path: written.path });
    expect([alone.isComplete, alone.notes.map(({ text: note }) => note)]).toEqual([
      true,
      ["This goes on from a file that is not here"],
    ]);
    truncateSync(old, linesOf(old).slice(0, 2).join("\n").length + 1);
    const cut = await verifyAudit([written.path, old], { key: KEY });
    expect(cut.problems).toMatchObject([{ file: old, damage: "cut", line: 2 }]);
  });

  test("and one that is emptied, begin anew", async () => {
    const written = writing();
    written.audit(event());
    await written.audit.flush();
    truncateSync(written.path);
    written.audit(event());
    await written.audit.close();
    expect(await verdictOf({ path: written.path })).toMatchObject({ isComplete: true, chains: [{ records: 3 }] });
  });

  test("is there again even if its folder was away for a time", async () => {
    const path = `${newPath()}-folder/audit.jsonl`;
    const written = writing({}, path);
    written.audit(event());
    await expect(written.audit.flush()).rejects.toThrow(/ENOENT/);
    execFileSync("mkdir", [path.replace(/\/[^/]+$/, "")]);
    await written.audit.close();
    expect((await verdictOf(written)).chains).toMatchObject([{ records: 3 }]);
  });
});

describe("what is closed", () => {
  test("may be closed again, and what comes later is told to be lost", async () => {
    const written = await closedFile(1);
    await written.audit.close();
    await written.audit.flush();
    written.audit(event());
    await new Promise((resolve) => setImmediate(resolve));
    expect(written.errors.map(String)).toEqual([expect.stringContaining("after the audit file was closed")]);
    expect(linesOf(written.path)).toHaveLength(3);
  });
});

describe("with names in the place of ids", () => {
  function named(store: Store = memoryStore(), more: object = {}) {
    return { store, ...writing({ subjects: { store, ...more } }) };
  }

  test("no id of a user stands in the file or the store, and one user has one name", async () => {
    const { audit, path, store } = named();
    audit(event({ userId: "alice-7", actor: "alice-7" }));
    audit(event({ userId: "alice-7", actor: "support-3" }));
    audit(event({ userId: "bob-9", actor: "support-3" }));
    await audit.close();
    const [first, second, third] = eventsIn(path);
    expect(linesOf(path).join()).not.toMatch(/alice-7|bob-9|support-3/);
    expect(first?.userId).toMatch(/^~[\w-]{22}$/);
    expect([first?.actor, second?.userId]).toEqual([first?.userId, first?.userId]);
    expect([second?.actor, third?.userId === first?.userId]).toEqual([third?.actor, false]);
    expect(await audit.nameOf("alice-7")).toBe(first?.userId);
    for await (const key of store.list!("audit-subject")) expect(key).not.toMatch(/alice-7|bob-9|support-3/);
  });

  test("erasing a user leaves the chain whole, and the name leads to nobody", async () => {
    const target = testApp();
    const { audit, path, anchors } = named(target.store);
    target.mfa.events.on("audit", audit);
    await wholeRun(target);
    await audit.flush();
    const before = await audit.nameOf("u1");
    await target.mfa.accounts.erase("u1", { actor: "deletion-job" });
    await audit.flush();
    expect(await audit.nameOf("u1")).toBeUndefined();
    audit(event({ userId: "u1" }));
    await audit.close();
    const events = eventsIn(path);
    expect(events.at(-2)).toMatchObject({ action: "account-erased", userId: before });
    expect(events.at(-1)?.userId).not.toBe(before);
    expect((await verdictOf({ path, anchors })).isComplete).toBe(true);
  });

  test("erasing a user finds room where nothing else does", async () => {
    const store = memoryStore();
    const path = fullDisk();
    const { audit } = writing({ subjects: { store }, mostWaiting: 1 }, path);
    audit(event());
    await expect(audit.flush()).rejects.toThrow(/ENOSPC/);
    expect(await audit.nameOf("u1")).toMatch(/^~/);
    for (let index = 0; index < 3; index += 1) audit(event());
    audit(event({ action: "account-erased", actor: "system" }));
    makeRoom(path);
    await audit.close();
    expect(await audit.nameOf("u1")).toBeUndefined();
    expect(eventsIn(path).map(({ action }) => action)).toEqual(["factor-verified", "account-erased"]);
  });

  test("whoever never had an account can be forgotten, too", async () => {
    const target = testApp();
    const { audit } = named(target.store);
    target.mfa.events.on("audit", audit);
    audit(event({ userId: "nobody-7" }));
    await audit.flush();
    expect(await audit.nameOf("nobody-7")).toMatch(/^~/);
    expect(await target.mfa.accounts.erase("nobody-7")).toBe(false);
    await audit.forget("nobody-7");
    expect(await audit.nameOf("nobody-7")).toBeUndefined();
    await audit.close();
  });

  test("an erased user's other members are digests of a secret that is gone, where that was asked for", async () => {
    const { audit, path } = named(memoryStore(), { hide: ["ip", "userAgent"] });
    const seen = { ip: "192.0.2.7", userAgent: "Firefox" };
    audit(event(seen));
    audit(event(seen));
    audit(event({ ...seen, userId: "u2", actor: "u2" }));
    await audit.close();
    const [first, second, other] = eventsIn(path);
    expect(linesOf(path).join()).not.toMatch(/192\.0\.2\.7|Firefox/);
    expect([first?.ip, first?.userAgent]).toEqual([second?.ip, second?.userAgent]);
    expect(other?.ip).not.toBe(first?.ip);
  });

  test("two processes that meet somebody for the first time call them the same", async () => {
    const store = memoryStore();
    const writers = [named(store), named(store), named(store)];
    for (const { audit } of writers) audit(event());
    for (const { audit } of writers) await audit.close();
    expect(new Set(writers.map(({ path }) => eventsIn(path)[0]?.userId)).size).toBe(1);
  });

  test("a user is called the same, and forgotten, after the key was rotated", async () => {
    const store = memoryStore();
    const before = named(store);
    before.audit(event());
    await before.audit.close();
    const key = `new:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")},${KEY}`;
    const after = writing({ key, subjects: { store } });
    after.audit(event());
    await after.audit.flush();
    expect(eventsIn(after.path)[0]?.userId).toBe(eventsIn(before.path)[0]?.userId);
    after.audit(event({ action: "account-erased" }));
    await after.audit.close();
    expect(await before.audit.nameOf("u1")).toBeUndefined();
  });

  test("nothing is written of a user whose name cannot be had, and all of it later", async () => {
    const memory = memoryStore();
    let isAway = true;
    const read = (key: string) => (isAway ? Promise.reject(new Error("away")) : memory.read(key));
    const { audit, errors, path } = named({
      read,
      write: (key, value, options) => memory.write(key, value, options),
      remove: (key, options) => memory.remove(key, options),
    });
    audit(event({ userId: "alice-7" }));
    await expect(audit.flush()).rejects.toThrow(/store failed/);
    expect([errors.length, existsSync(path)]).toEqual([1, true]);
    isAway = false;
    await audit.close();
    expect(eventsIn(path)).toHaveLength(1);
    expect(linesOf(path).join()).not.toContain("alice-7");
  });
});

test("auditFile says at once everything that is wrong with its options", () => {
  const options = {
    key: "short",
    anchorEvery: 0,
    anchorAfter: "soon",
    onAnchor: 1,
    subjects: { store: {}, hide: ["userId"] },
    keep: 1,
  };
  const make = (): unknown => auditFile("", options as never);
  for (const problem of [
    "auditFile: the first argument is the path of the file",
    "auditFile: keep: there is no such option",
    "auditFile: key: entry 1 has no valid id",
    "auditFile: anchorEvery must be",
    "auditFile: anchorAfter must be",
    "auditFile: onAnchor must be a function",
    "auditFile: subjects: store must be",
    "auditFile: subjects: hide is",
  ]) {
    expect(make).toThrow(problem);
  }
});
