import { optionsProblems } from "../../core/option-names.js";

const NAMES = ["channels", "timeout"] as const;

/** Everything wrong with what `push()` was given. */
export function pushProblems(given: unknown): string[] {
  return optionsProblems(given, NAMES, "push: ");
}
