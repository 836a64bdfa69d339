import { problemText } from "./fragments.js";
import type { MethodWords } from "./messages.js";
import { allDrawn } from "./method-page.js";
import type { PageContext, PageProblem } from "./views.js";

/** What a method says of a reason of its own, in its group `problems`; undefined where none does. */
export function reasonText(words: readonly (MethodWords | undefined)[], reason: unknown): string | undefined {
  if (typeof reason !== "string") return undefined;
  for (const each of words) {
    const problems = each?.problems as Readonly<Record<string, unknown>> | undefined;
    const text = problems !== undefined && Object.hasOwn(problems, reason) ? problems[reason] : undefined;
    if (typeof text === "string") return text;
  }
  return undefined;
}

/** What happened, in the words of the method that it happened to, where that has some. */
export function reasonedText(context: PageContext, problem: PageProblem): string {
  const words = allDrawn(context).map(({ drawing }) => drawing.words);
  return reasonText(words, problem.reason) ?? problemText(context.messages, problem);
}
