import { expect } from "@jest/globals";
import { type ErrorCode, ERRORS } from "express-second-factor";
import type { Response } from "supertest";

/** What an answer to something wrong must be (RFC 9457), with the status and title its code stands for. */
export function expectProblem(answer: Response, ...codes: readonly ErrorCode[]): void {
  const { body, headers, status, type, request } = answer;
  const where = `${request.method} ${request.url} answered ${status}: ${answer.text.slice(0, 200)}`;
  expect([where, type]).toEqual([where, "application/problem+json"]);
  const code = body.code as ErrorCode;
  if (codes.length > 0)
    expect({ where, code, expected: codes.includes(code) }).toEqual({ where, code, expected: true });
  expect(Object.keys(ERRORS)).toContain(code);
  expect([where, body]).toEqual([
    where,
    expect.objectContaining({
      type: expect.stringMatching(/^[a-z][a-z0-9+.-]*:\S+$/),
      title: ERRORS[code].title,
      status: ERRORS[code].status,
      detail: expect.stringMatching(/\S/),
      code,
    }),
  ]);
  expect([where, status]).toEqual([where, ERRORS[code].status]);
  expect([where, headers["cache-control"]]).toEqual([where, "no-store"]);
}
