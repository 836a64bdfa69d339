import { milliseconds, notADuration } from "../policy/durations.js";

// Options arrive from JavaScript too, so nothing is believed because its type says so.

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function durationProblem(name: string, value: unknown): string[] {
  if (value === undefined || milliseconds(value) !== undefined) return [];
  return [`${name}: ${notADuration(JSON.stringify(value), '"15m" or "30d"')}`];
}

export function wholeProblem(name: string, value: unknown): string[] {
  const isWhole = value === undefined || (Number.isInteger(value) && (value as number) > 0);
  return isWhole ? [] : [`${name}: must be a whole number from 1`];
}

export function functionProblem(name: string, value: unknown): string[] {
  return value === undefined || typeof value === "function" ? [] : [`${name}: must be a function`];
}

/** A path of this site, written as Express matches it: no pattern, no query, nothing a browser reads as another host. */
export function isPath(value: unknown): value is string {
  return typeof value === "string" && /^\/(?![/\\])[A-Za-z0-9._~!$&',;=@%/-]*$/.test(value);
}
