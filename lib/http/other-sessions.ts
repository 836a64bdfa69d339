import * as v from "valibot";
import type { Settings } from "./settings.js";

/** A form sends `false` in a hidden field, and `true` beside it where the box is ticked. */
const ticked = v.pipe(
  v.strictTuple([v.literal("false"), v.literal("true")]),
  v.transform(() => true),
);
const word = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((value) => value === "true"),
);

/** The member `endOtherSessions` of a body that sets a factor up; undefined where it does not say. */
export const endOtherSessions = v.nullish(v.union([v.boolean(), word, ticked]));

const readChoice = v.object({ endOtherSessions });

/** What a body says, as far as it can be read. */
export function choiceIn(body: unknown): boolean | undefined {
  const read = v.safeParse(readChoice, body);
  return read.success ? (read.output.endOtherSessions ?? undefined) : undefined;
}

/** Whether the others stay, and are asked for the new factor. */
export function keepsOthers({ endOtherSessions: rule }: Settings, chosen: boolean | null | undefined): boolean {
  return rule === "never" || (rule === "ask" && chosen === false);
}
