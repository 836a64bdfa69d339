import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Stop {
  readonly file: string;
  /** Lines to read: from the first that begins so, up to and without the next that does. Default: the whole file. */
  readonly from?: string;
  readonly to?: string;
}

/** A reader's way in, in order. */
const TOUR: readonly Stop[] = [
  { file: "README.md", to: "## Install" },
  { file: "package.json", from: '  "exports"', to: '  "scripts"' },
  { file: "lib/index.ts", to: "// Pages" },
  { file: "lib/second-factor.ts", from: "export function secondFactor" },
  { file: "lib/engine/engine.ts", from: "/** The product without HTTP" },
  { file: "lib/engine/authentication.ts" },
  { file: "lib/engine/verification.ts" },
  { file: "lib/methods/backup-codes/backup-codes.ts" },
  { file: "lib/methods/backup-codes/method.ts" },
  { file: "lib/methods/backup-codes/routes.ts" },
  { file: "lib/methods/backup-codes/page.ts" },
  { file: "lib/core/errors.ts", from: "export const ERRORS", to: "/** Something a visitor did" },
];

function text(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

function linesOf({ file, from, to }: Stop): number {
  const lines = text(file).trimEnd().split("\n");
  const start = from === undefined ? 0 : lines.findIndex((line) => line.startsWith(from));
  const length = to === undefined ? -1 : lines.slice(start).findIndex((line) => line.startsWith(to));
  expect([file, start >= 0, to === undefined || length > 0]).toEqual([file, true, true]);
  return length < 0 ? lines.length - start : length;
}

describe("a reader's way in", () => {
  const rows = [...text("CONTRIBUTING.md").matchAll(/^\| \d\. [^|]*\| `([^`]+)`[^|]*\| +(\d+) +\|$/gm)];

  test("is listed in CONTRIBUTING, with as many lines as there are", () => {
    expect(rows.map(([, file, lines]) => [file, Number(lines)])).toEqual(
      TOUR.map((stop) => [stop.file, linesOf(stop)]),
    );
  });

  test("has seven stops, and is under a thousand lines", () => {
    const stops = [...text("CONTRIBUTING.md").matchAll(/^\| (\d)\. /gm)].map(([, stop]) => stop);
    expect([...new Set(stops)]).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(TOUR.map(linesOf).reduce((sum, lines) => sum + lines, 0)).toBeLessThan(1_000);
  });
});
