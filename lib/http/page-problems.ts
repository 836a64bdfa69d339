import type { Problem } from "../core/errors.js";
import type { PageProblem } from "../pages/views.js";

/** What a page is told of a problem: nothing but what it says. */
export function pageProblem({ code, retryAfter, members }: Problem): PageProblem {
  const { clockOffMinutes: minutes, reason } = members ?? {};
  return {
    code,
    ...(typeof reason === "string" ? { reason } : {}),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(typeof minutes === "number" ? { clockOffMinutes: minutes } : {}),
  };
}

export function problemMember(problem: Problem | undefined): { problem?: PageProblem } {
  return problem === undefined ? {} : { problem: pageProblem(problem) };
}
