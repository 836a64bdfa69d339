import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { verifyAudit } from "express-second-factor/audit";
import {
  closedFile,
  damagesIn,
  event,
  eventsIn,
  heardBy,
  KEY,
  linesOf,
  newPath,
  OTHER_KEY,
  rewrite,
  verdictOf,
  wholeRun,
  writing,
} from "./stage.js";

describe("an audit file", () => {
  test("of a whole run is complete, and has every event that listeners heard", async () => {
    const written = writing();
    const target = heardBy(written.audit);
    await wholeRun(target);
    await written.audit.close();
    const verdict = await verdictOf(written);
    expect(verdict).toMatchObject({ isComplete: true, problems: [], notes: [] });
    expect(verdict.chains).toMatchObject([{ isClosed: true, lost: 0, records: target.events.length + 2 }]);
    expect(eventsIn(written.path)).toEqual(target.events);
    expect(target.events.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["factor-enrolled", "factor-verified", "factor-failed", "locked", "factor-removed"]),
    );
    expect(written.errors).toEqual([]);
  });

  test("is for its owner's eyes alone", async () => {
    const { path } = await closedFile(1);
    const { statSync } = await import("node:fs");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("that is still being written is complete, and said not to be closed", async () => {
    const written = writing();
    written.audit(event());
    await written.audit.flush();
    const { chains, isComplete } = await verdictOf(written);
    expect([isComplete, chains[0]?.isClosed]).toEqual([true, false]);
    await written.audit.close();
  });

  test("has anchors after so many records, the first at once and the last at its end", async () => {
    const written = await closedFile(25, { anchorEvery: 10 });
    const numbers = written.anchors.map((anchor) => Number(anchor.split(".")[1]));
    expect(numbers).toEqual([1, 12, 23, 29]);
    expect(linesOf(written.path).filter((line) => line.includes('"kind":"anchor"'))).toHaveLength(2);
    expect((await verdictOf(written)).isComplete).toBe(true);
  });

  test("has the anchor that its verifier will answer again", async () => {
    const written = await closedFile(3);
    const { chains } = await verdictOf(written);
    expect(chains[0]?.anchor).toBe(written.anchors.at(-1));
  });
});

describe("is told of: the first line where", () => {
  // Line 1 is the start, 2 to 11 are the events, 12 the end.
  const done: [string, (lines: string[]) => readonly string[], string][] = [
    ["a line was taken out", (lines) => lines.toSpliced(4, 1), "5 gap"],
    ["two lines were taken out", (lines) => lines.toSpliced(4, 2), "5 gap"],
    ["two neighbours were swapped", (lines) => lines.toSpliced(4, 2, lines[5]!, lines[4]!), "5 swapped"],
    ["two others were swapped", (lines) => lines.with(4, lines[8]!).with(8, lines[4]!), "5 swapped"],
    ["a byte was changed", (lines) => lines.with(4, lines[4]!.replace("success", "succesz")), "5 changed"],
    ["a number was changed", (lines) => lines.with(4, lines[4]!.replace('"number":5', '"number":6')), "5 changed"],
    ["a digest was changed", (lines) => lines.with(4, lines[4]!.replace(/.{3}"\}$/, 'abc"}')), "5 changed"],
    ["the JSON was broken", (lines) => lines.with(4, lines[4]!.replace('"event":{', '"event":')), "5 changed"],
    ["the end of a line was taken off", (lines) => lines.with(4, lines[4]!.slice(0, 90)), "5 changed"],
    ["a line was written twice", (lines) => lines.toSpliced(5, 0, lines[4]!), "6 repeated"],
    ["the beginning was cut off", (lines) => lines.slice(3), "1 cut"],
    [
      "the end is gone, and the last line before it",
      (lines) => [...lines.slice(0, 4), lines[6]!.slice(0, 90)],
      "5 gap",
    ],
    ["a line was begun again", (lines) => lines.toSpliced(6, 0, lines[4]!.slice(0, 90)), "7 repeated"],
    ["its last line ends otherwise", (lines) => lines.with(11, `${lines[11]!.slice(0, -1)}0`), "12 changed"],
    ["its last digest is too long", (lines) => lines.with(11, lines[11]!.replace('"}', "0")), "12 changed"],
    ["something else was put in", (lines) => lines.toSpliced(4, 0, "all is well"), "5 forged"],
  ];

  test.each(done)("%s", async (_what, change, damage) => {
    const written = await closedFile(10);
    rewrite(written.path, change);
    const verdict = await verdictOf(written);
    expect([damagesIn(verdict)[0], verdict.isComplete]).toEqual([damage, false]);
  });

  test("a line was forged with another key, in the place of one", async () => {
    const [written, forged] = [await closedFile(10), writing({ key: OTHER_KEY })];
    for (let count = 0; count < 5; count += 1) forged.audit(event({ requestId: "forged" }));
    await forged.audit.close();
    const [, , , , , line = ""] = linesOf(forged.path);
    const writer = JSON.parse(line) as { writer: string };
    const own = (JSON.parse(linesOf(written.path)[0]!) as { writer: string }).writer;
    rewrite(written.path, (lines) => lines.with(5, line.replace(writer.writer, own)));
    expect(damagesIn(await verdictOf(written))).toEqual(["6 forged"]);
  });

  test("any one byte was changed, of which there is not one that may be", async () => {
    const { anchors, path } = await closedFile(2);
    const bytes = readFileSync(path);
    const unnoticed: number[] = [];
    const changed = newPath();
    for (let at = 0; at < bytes.length - 1; at += 1) {
      const copy = Buffer.from(bytes);
      copy[at] = bytes[at]! ^ 1;
      writeFileSync(changed, copy);
      if ((await verdictOf({ path: changed, anchors })).isComplete) unnoticed.push(at);
    }
    expect(unnoticed).toEqual([]);
  });

  test("a whole chain was forged with another key", async () => {
    const forged = await closedFile(2, { key: OTHER_KEY });
    expect(damagesIn(await verdictOf(forged))).toEqual(["1 forged"]);
  });

  test("a key is needed that is not there, and no more than that", async () => {
    const written = await closedFile(2, { key: KEY.replace("test", "earlier") });
    const { problems } = await verdictOf(written);
    expect(problems).toMatchObject([{ damage: "unknown-key", line: 1, text: expect.stringContaining('"earlier"') }]);
    const keys = `${OTHER_KEY},${KEY.replace("test", "earlier")}`;
    expect((await verifyAudit([written.path], { key: keys })).isComplete).toBe(true);
  });
});

describe("the end of a file", () => {
  test("that was cut off is found by an anchor, and by nothing else", async () => {
    const written = await closedFile(10);
    rewrite(written.path, (lines) => lines.slice(0, 8));
    expect((await verdictOf({ path: written.path })).isComplete).toBe(true);
    const verdict = await verdictOf(written);
    expect(damagesIn(verdict)).toEqual(["8 cut"]);
    expect(verdict.problems[0]?.text).toContain("12 records");
  });

  test("that was cut off is found by an anchor in the middle of what was", async () => {
    const written = await closedFile(20, { anchorEvery: 5 });
    rewrite(written.path, (lines) => lines.slice(0, 8));
    const [, , second = ""] = written.anchors;
    expect(damagesIn(await verdictOf({ ...written, anchors: [second] }))).toEqual(["8 cut"]);
  });

  test("is not taken for cut off where later records than the anchor are there", async () => {
    const written = await closedFile(20, { anchorEvery: 5 });
    for (const anchor of written.anchors) {
      expect((await verdictOf({ ...written, anchors: [anchor] })).isComplete).toBe(true);
    }
  });

  test("and all before it, of one writer, is missed by an anchor", async () => {
    const [written, other] = [await closedFile(2), await closedFile(2)];
    const verdict = await verdictOf({ path: written.path, anchors: [...written.anchors, ...other.anchors] });
    expect(verdict.problems).toMatchObject(other.anchors.map(() => ({ damage: "cut", line: 1 })));
  });

  test("must be as an anchor says", async () => {
    const [written, other] = [await closedFile(2), await closedFile(2)];
    const [writer] = written.anchors[0]!.split(".");
    const [, number, digest] = other.anchors[0]!.split(".");
    const verdict = await verdictOf({ path: written.path, anchors: [`${writer}.${number}.${digest}`] });
    expect(damagesIn(verdict)).toEqual(["4 forged"]);
  });

  test("of a chain that was taken out as a whole is missed by what was written after it", async () => {
    const first = await closedFile(10);
    const second = writing({}, first.path);
    second.audit(event());
    await second.audit.close();
    rewrite(first.path, (lines) => lines.slice(12));
    const verdict = await verdictOf({ path: first.path });
    expect(damagesIn(verdict)).toEqual(["1 cut"]);
    expect(verdict.problems[0]?.text).toContain("bytes that stood before this record are gone");
  });
});

describe("what is put where a chain was taken out", () => {
  async function replaced(by: (length: number, first: readonly string[]) => string): Promise<string[]> {
    const first = await closedFile(10);
    const second = writing({}, first.path);
    second.audit(event());
    await second.audit.close();
    const lines = linesOf(first.path);
    const gone = lines.slice(0, 12);
    writeFileSync(first.path, `${by(gone.join("\n").length + 1, gone)}${lines.slice(12).join("\n")}\n`);
    const verdict = await verdictOf({ path: first.path });
    return [...damagesIn(verdict), ...verdict.notes.map(({ line, text }) => `${line} note: ${text}`)];
  }

  test("is not the bytes that stood there: empty lines", async () => {
    const told = await replaced((length) => "\n".repeat(length));
    expect(told[0]).toMatch(/^\d+ cut$/);
    expect(told[1]).toMatch(/^\d+ note: \d+ empty lines stand here/);
  });

  test("nor are lines that say of nothing whose they were", async () => {
    expect(await replaced((length) => `{"writer":"${"A".repeat(length - 12)}\n`)).toEqual(["1 forged"]);
    const start = `{"writer":"${"A".repeat(22)}","number":1,"kind":"start","time":"`;
    expect((await replaced((length) => `${start.padEnd(length - 1, "2")}\n`))[0]).toBe("1 changed");
  });

  test("nor the beginning of one of its records", async () => {
    const told = await replaced((length, first) => `${first[5]!.slice(0, 100).padEnd(length - 1, "x")}\n`);
    expect(told[0]).toBe("1 cut");
  });
});

describe("several chains in one file", () => {
  test("are told apart, whatever stands between their records", async () => {
    const path = newPath();
    const writers = [writing({}, path), writing({}, path), writing({}, path)];
    for (let round = 0; round < 10; round += 1) {
      for (const { audit } of writers) {
        audit(event({ requestId: `r${round}` }));
        await audit.flush();
      }
    }
    for (const { audit } of writers) await audit.close();
    const verdict = await verdictOf({ path, anchors: writers.flatMap(({ anchors }) => anchors) });
    expect([verdict.isComplete, verdict.chains.map(({ records }) => records)]).toEqual([true, [12, 12, 12]]);
    rewrite(path, (lines) => lines.toSpliced(15, 1));
    expect((await verdictOf({ path })).problems[0]).toMatchObject({ damage: "gap" });
  });

  test("are told apart where one was stopped in the middle of its line", async () => {
    const [written, later] = [await closedFile(5), await closedFile(3)];
    const torn = readFileSync(written.path, "utf8").slice(0, -200);
    const path = newPath();
    writeFileSync(path, `${torn}${readFileSync(later.path, "utf8").replace('"bytes":0', '"bytes":0')}`);
    const verdict = await verdictOf({ path });
    expect(verdict).toMatchObject({ isComplete: true, problems: [] });
    expect(verdict.notes).toMatchObject([{ text: expect.stringContaining("its writer wrote no more") }]);
    expect(verdict.chains.map(({ isClosed }) => isClosed)).toEqual([false, true]);
    // What is torn may not be what an anchor has seen whole.
    expect((await verdictOf({ path, anchors: written.anchors })).isComplete).toBe(false);
  });

  test("are told apart at whichever byte it was stopped", async () => {
    const written = writing();
    written.audit(event({ reason: 'a "brace": {"}, \\ and \u2028' }));
    written.audit(event({ reason: "}" }));
    await written.audit.flush();
    const bytes = readFileSync(written.path);
    const accused: number[] = [];
    const path = newPath();
    for (let end = 0; end < bytes.length; end += 1) {
      writeFileSync(path, bytes.subarray(0, end));
      if (!(await verdictOf({ path })).isComplete) accused.push(end);
    }
    expect(accused).toEqual([]);
    await written.audit.close();
  });

  test("begin on a line of their own behind what is torn", async () => {
    const written = await closedFile(2);
    writeFileSync(written.path, readFileSync(written.path, "utf8").slice(0, -30));
    const next = writing({}, written.path);
    next.audit(event());
    await next.audit.close();
    expect(
      linesOf(written.path)
        .filter((line) => line.includes('"kind":"start"'))
        .every((line) => line.startsWith("{")),
    ).toBe(true);
    expect((await verdictOf({ path: written.path })).isComplete).toBe(true);
  });
});

describe("verifyAudit", () => {
  test("says what is wrong with a key and with anchors, and does not repeat them", async () => {
    const { path } = await closedFile(1);
    await expect(verifyAudit([path], { key: "short" })).rejects.toThrow(/verifyAudit: key: entry 1 has no valid id/);
    await expect(verifyAudit([path], { key: KEY, anchors: ["x"] })).rejects.toThrow(/anchor 1 is none/);
  });

  test.each<[string, unknown[], RegExp]>([
    ["one path", ["audit.jsonl", { key: KEY }], /the first argument is a list of paths: \["audit\.jsonl"\]/],
    ["no path", [[], { key: KEY }], /the first argument is a list of paths/],
    ["nothing but paths", [["audit.jsonl"]], /verifyAudit: key is missing/],
    ["one anchor", [["audit.jsonl"], { key: KEY, anchors: "x" }], /anchors must be a list of texts/],
    ["a misspelled option", [["audit.jsonl"], { key: KEY, anchor: ["x"] }], /anchor: [^]*did you mean "anchors"/],
  ])("says what is wrong with its arguments: %s", async (_name, call, says) => {
    const given = call as Parameters<typeof verifyAudit>;
    await expect(verifyAudit(...given)).rejects.toThrow(says);
  });

  test("rejects where a file is not there, and takes an empty one for what it is, and says so", async () => {
    await expect(verifyAudit([newPath()], { key: KEY })).rejects.toThrow(/ENOENT/);
    const path = newPath();
    appendFileSync(path, "");
    const verdict = await verifyAudit([path], { key: KEY });
    expect(verdict).toMatchObject({ isComplete: true, chains: [], notes: [{ file: path, line: 1 }] });
    expect(verdict.notes[0]?.text).toBe("No record is in this file");
  });

  test("names the file that cannot be read, of many", async () => {
    const { path } = await closedFile(3);
    const folder = dirname(path);
    await expect(verifyAudit([path, folder], { key: KEY })).rejects.toThrow(`${folder} cannot be read`);
  });

  test("keeps no line that is longer than any record, and reads on after it", async () => {
    const written = await closedFile(2);
    rewrite(written.path, (lines) => [lines[0]!, `{"writer":"${"x".repeat(3_000_000)}`, ...lines.slice(1)]);
    const verdict = await verdictOf(written);
    expect([damagesIn(verdict), verdict.chains[0]?.records]).toEqual([["2 forged"], 4]);
    // Nor more lines that are nobody's than anybody reads of.
    writeFileSync(written.path, "x\n".repeat(100_000));
    expect(damagesIn(await verdictOf({ path: written.path }))).toHaveLength(1_000);
    writeFileSync(written.path, "\n");
    expect((await verdictOf({ path: written.path })).notes).toMatchObject([{ text: "No record is in this file" }]);
  });
});
