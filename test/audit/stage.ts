import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "@jest/globals";
import type { AuditEvent } from "express-second-factor";
import {
  auditFile,
  type AuditFile,
  type AuditFileOptions,
  type AuditVerdict,
  verifyAudit,
} from "express-second-factor/audit";
import { testApp, type TestApp } from "../support/app.js";
import { enrolled, full, pending } from "../support/browser.js";
import { MINUTE } from "../support/attack.js";

export const KEY = `test:${randomBytes(32).toString("base64")}`;
export const OTHER_KEY = `test:${randomBytes(32).toString("base64")}`;

const folder = mkdtempSync(join(tmpdir(), "audit-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
export function newPath(): string {
  files += 1;
  return join(folder, `audit-${files}.jsonl`);
}

/** What a file was given, and what it told. */
export interface Written {
  readonly path: string;
  readonly audit: AuditFile;
  readonly anchors: string[];
  readonly errors: unknown[];
}

export function writing(options: Partial<AuditFileOptions> = {}, path = newPath()): Written {
  const [anchors, errors]: [string[], unknown[]] = [[], []];
  const told = { onAnchor: (anchor: string) => anchors.push(anchor), onError: (error: unknown) => errors.push(error) };
  return { path, anchors, errors, audit: auditFile(path, { key: KEY, ...told, ...options }) };
}

export function event(more: Partial<AuditEvent> = {}): AuditEvent {
  const common = { time: "2026-11-27T12:00:00.000Z", action: "factor-verified", outcome: "success" } as const;
  return { ...common, userId: "u1", actor: "u1", method: "totp", ...more };
}

/** A file with so many events in it, closed. */
export async function closedFile(count: number, options: Partial<AuditFileOptions> = {}): Promise<Written> {
  const written = writing(options);
  for (let index = 0; index < count; index += 1) written.audit(event({ requestId: `r${index}` }));
  await written.audit.close();
  return written;
}

export function linesOf(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").slice(0, -1);
}

export function rewrite(path: string, change: (lines: string[]) => readonly string[]): void {
  writeFileSync(
    path,
    change(linesOf(path))
      .map((line) => `${line}\n`)
      .join(""),
  );
}

export function verdictOf({ anchors, path }: Pick<Written, "path"> & Partial<Written>): Promise<AuditVerdict> {
  return verifyAudit([path], { key: KEY, ...(anchors && { anchors }) });
}

/** What was done, as line and name: `["3 gap"]`. */
export function damagesIn({ problems }: AuditVerdict): string[] {
  return problems.map(({ damage, line }) => `${line} ${damage}`);
}

/** Events as they were written, without what is around them. */
export function eventsIn(path: string): AuditEvent[] {
  const records = linesOf(path).map((line) => JSON.parse(line) as { kind: string; event: AuditEvent });
  return records.filter(({ kind }) => kind === "event").map((record) => record.event);
}

/** Somebody's whole run: enrolled, signed in, guessed at, locked, a factor removed. */
export async function wholeRun(target: TestApp): Promise<void> {
  const { factorId, phone } = await enrolled(target, "alice");
  target.clock.advance(MINUTE);
  const jar = await full(target, "alice", phone);
  await jar.enroll();
  await jar.post(`/2fa/factors/${factorId}/remove`);
  await jar.post("/logout");
  const guessing = await pending(target, "alice");
  for (let guess = 0; guess < 7; guess += 1) await guessing.verify("000000");
  await target.mfa.accounts.reset("u1", { actor: "support:7" });
}

export function heardBy(audit: AuditFile): TestApp {
  const target = testApp();
  target.mfa.events.on("audit", audit);
  return target;
}
