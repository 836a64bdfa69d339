import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, createReadStream, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { verifyAudit } from "express-second-factor/audit";
import { built } from "../support/built.js";
import { runCommand } from "../support/command.js";
import {
  closedFile,
  damagesIn,
  event,
  KEY,
  linesOf,
  newPath,
  OTHER_KEY,
  rewrite,
  verdictOf,
  writing,
} from "./stage.js";

/** A process that writes, and says each anchor and error that it is told. */
function writerProcess(path: string, body: string, shell = ""): ChildProcess {
  const code = `
    import { auditFile } from ${JSON.stringify(built("esm/audit/index.js"))};
    import { readFileSync, renameSync } from "node:fs";
    const [path, key] = [${JSON.stringify(path)}, process.env.AUDIT_KEY];
    const audit = auditFile(path, { key, onError: ({ code, message }) => console.log("error", code ?? message)});
    const event = (more) => ({ time: new Date().toISOString(), action: "factor-verified", outcome: "success", userId: "u1", ...more });
    ${body}`;
  const call = [process.execPath, "--input-type=module", "-e", code];
  const [program = "", ...args] = shell === "" ? call : ["bash", "-c", `${shell}; exec "$@"`, "bash", ...call];
  return spawn(program, args, { env: { ...process.env, AUDIT_KEY: KEY }, stdio: ["ignore", "pipe", "inherit"] });
}

async function said(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.on("data", (chunk) => (text += String(chunk)));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code).toBe(0);
  return text;
}

describe("two processes", () => {
  test("write one file at once, and each line of either is whole", async () => {
    const path = newPath();
    const body = `
      const begun = () => readFileSync(path, "utf8").split('"kind":"start"').length > 2;
      await audit.flush();
      while (!begun()) await new Promise((resolve) => setTimeout(resolve, 1));
      for (let index = 0; index < 300; index += 1) {
        audit(event({ requestId: String(index), userAgent: "x".repeat(index) }));
        if (index % 7 === 0) await audit.flush();
      }
      await audit.close();`;
    await Promise.all([said(writerProcess(path, body)), said(writerProcess(path, body))]);
    const verdict = await verdictOf({ path });
    expect(verdict).toMatchObject({ isComplete: true, notes: [] });
    expect(verdict.chains.map(({ records }) => records)).toEqual([302, 302]);
    const order = linesOf(path).map((line) => line.slice(11, 33));
    const turns = order.filter((writer, index) => index > 0 && writer !== order[index - 1]).length;
    expect(turns).toBeGreaterThan(2);
    rewrite(path, (lines) => lines.toSpliced(200, 1));
    expect((await verdictOf({ path })).problems).toMatchObject([{ damage: "gap" }]);
  });
});

describe("a writer", () => {
  // What has gone into a pipe and not come out of it, and what found no room in it, is a line written in part.
  test("that is killed in the middle of its line is told apart from one whose line was cut", async () => {
    const [pipe, path] = [newPath(), newPath()];
    execFileSync("mkfifo", [pipe]);
    const body = `
      for (let index = 0; index < 256; index += 1) audit(event({ requestId: String(index), userAgent: "x".repeat(1000) }));
      setInterval(() => undefined, 1_000);`;
    const child = writerProcess(pipe, body);
    const reading = createReadStream(pipe);
    for await (const chunk of reading) {
      appendFileSync(path, chunk as Buffer);
      if (child.exitCode === null && !child.killed) child.kill("SIGKILL");
    }
    const torn = readFileSync(path, "utf8");
    expect(torn.endsWith("\n")).toBe(false);

    const next = writing({}, path);
    next.audit(event());
    await next.audit.close();
    const verdict = await verdictOf({ path });
    expect(verdict).toMatchObject({ isComplete: true, problems: [] });
    expect(verdict.notes).toMatchObject([
      { text: expect.stringContaining("its writer wrote no more: it was stopped") },
    ]);
    expect(verdict.chains).toMatchObject([{ isClosed: false }, { isClosed: true, records: 3 }]);

    rewrite(path, (lines) => lines.with(-1, lines.at(-1)!.slice(0, 60)));
    expect((await verdictOf({ path, anchors: next.anchors })).problems).toMatchObject([{ damage: "cut" }]);
  });

  test("that finds the disk full in the middle of its line goes on where there is room, and loses nothing", async () => {
    const path = newPath();
    // Files of 16 kB at most. What is full is renamed away, as whoever makes room would.
    const body = `
      for (let index = 0; index < 200; index += 1) audit(event({ requestId: String(index), userAgent: "x".repeat(200) }));
      let full = 0;
      const isWritten = () => audit.close().then(() => true, () => false);
      while (!(await isWritten())) {
        full += 1;
        renameSync(path, path + "." + full);
      }
      console.log(full);`;
    const full = Number((await said(writerProcess(path, body, "ulimit -f 16"))).replace(/^error.*$/gm, ""));
    expect(full).toBeGreaterThan(3);
    const files = [...Array.from({ length: full }, (_, index) => `${path}.${index + 1}`), path];
    const verdict = await verifyAudit(files, { key: KEY });
    expect(verdict.problems).toEqual([]);
    expect(verdict.notes.length).toBeGreaterThan(0);
    const written = files.flatMap((file) => readFileSync(file, "utf8").split("\n"));
    const whole = written.filter((line) => line.includes('"kind":"event"') && line.endsWith('"}'));
    expect(whole).toHaveLength(200);
  });
});

function verifyCommand(args: readonly string[], key = KEY): ReturnType<typeof runCommand> {
  return runCommand(["verify-audit", ...args], { env: { SECOND_FACTOR_AUDIT_KEY: key } });
}

describe("express-second-factor verify-audit", () => {
  test("says that files are complete, and exits with 0", async () => {
    const [one, other] = [await closedFile(3), await closedFile(4)];
    const anchors = newPath();
    writeFileSync(anchors, `${one.anchors.join("\n")}\n`);
    const args = [one.path, other.path, "--anchor", anchors, "--anchor", other.anchors.at(-1)!];
    const { code, stderr, stdout } = await verifyCommand(args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Complete: 11 records of 2 chains are as they were written\n");
    expect(stdout).toContain(`${one.path}: 5 records`);
    expect(stdout).toContain(one.anchors.at(-1)!);
  });

  test("names the first line that something was done to, and exits with 1", async () => {
    const { path } = await closedFile(5);
    rewrite(path, (lines) => lines.toSpliced(3, 1));
    const { code, stdout } = await verifyCommand([path]);
    expect(code).toBe(1);
    expect(stdout.split("\n")[0]).toBe(`${path}:4: gap: record 4 is missing`);
    expect(stdout).toContain("NOT complete");
  });

  test("finds a cut end by an anchor, and says that without one it cannot", async () => {
    const { anchors, path } = await closedFile(5);
    rewrite(path, (lines) => lines.slice(0, 4));
    const without = await verifyCommand([path]);
    expect([without.code, without.stdout.includes("without --anchor, the end of a file may be missing")]).toEqual([
      0,
      true,
    ]);
    const { code, stdout } = await verifyCommand(["--anchor", anchors.at(-1)!, path]);
    expect([code, stdout.split("\n")[0]]).toEqual([1, expect.stringMatching(/:4: cut: the end is cut off/)]);
  });

  test("takes the key from a file, and never from the command line, where others read it", async () => {
    const { path } = await closedFile(1);
    const [right, wrong] = [newPath(), newPath()];
    writeFileSync(right, `${KEY}\n`);
    writeFileSync(wrong, OTHER_KEY);
    expect((await verifyCommand([path, "--key", right], "")).code).toBe(0);
    expect((await verifyCommand([path, "--key", wrong], "")).stdout).toMatch(/:1: forged/);
    const refused = await verifyCommand([path, "--key", KEY]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("others on this machine can read it")]);
    expect(refused.stderr).not.toContain(KEY);
    const keyless = await verifyCommand([path], "");
    expect([keyless.code, keyless.stderr]).toEqual([2, expect.stringContaining("Set SECOND_FACTOR_AUDIT_KEY")]);
  });

  test("tells a call that it does not understand, 2, from files that cannot be read, 1", async () => {
    const { path } = await closedFile(1);
    const nothing = newPath();
    writeFileSync(nothing, "\n");
    expect(await verifyCommand([newPath()])).toMatchObject({ code: 1, stderr: expect.stringContaining("ENOENT") });
    const calls: readonly [string[], string][] = [
      [[], "Name the files"],
      [[path, "--anchors", "x"], "'--anchors'"],
      [[path, "--anchor", "x"], '--anchor: "x" is neither an anchor nor a file'],
      [[path, "--anchor", nothing], "has no anchor in it"],
      [[path, "--key", "x"], '--key: "x" cannot be read'],
    ];
    for (const [call, says] of calls) {
      const told = await verifyCommand(call);
      expect([call, told.code, told.stderr]).toEqual([call, 2, expect.stringContaining(says)]);
      expect(told.stderr).toContain("Usage:");
    }
    expect(await verifyCommand(["--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage:") });
    expect(damagesIn(await verdictOf({ path }))).toEqual([]);
  });
});
