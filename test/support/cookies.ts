import type { Response } from "supertest";

/** The `Set-Cookie` lines of an answer. */
export function setCookies({ headers }: Response): string[] {
  return (headers["set-cookie"] as unknown as string[] | undefined) ?? [];
}

/** The line that gives a browser its trusted-device token, or takes it away. */
export function deviceLine(answer: Response): string | undefined {
  return setCookies(answer).find((line) => /^(__Host-)?2fa-device-/.test(line));
}

/** The line that gives a browser its session id. */
export function sessionLine(answer: Response): string | undefined {
  return setCookies(answer).find((line) => line.startsWith("connect.sid="));
}
