import * as v from "valibot";
import { DECISIONS } from "../../core/device-lines.js";
import { checkbox, optional, reader, text } from "../../http/schemas.js";
import { empty, filled, time } from "./enrollment-schemas.js";

/** No id of ours is longer. */
const requestId = v.pipe(v.string(), v.maxLength(4096));
/** ASCII alone: whoever types other digits on a device has an app that turns them into these. */
const number = v.pipe(v.string(), v.regex(/^[0-9]{2}$/));

export const readStatus = reader(
  v.object({ requestId, trustDevice: checkbox, peek: checkbox, operation: optional(text), shown: optional(text) }),
);
export const readClaim = reader(v.object({ factorId: filled, time, signature: filled }));
const readAnswer = reader(
  v.object({
    requestId,
    number: optional(v.union([empty, number])),
    decision: v.picklist(DECISIONS),
    signature: filled,
  }),
);

/** Nothing is approved without a number. */
export function readDecision(body: unknown): ReturnType<typeof readAnswer> {
  const read = readAnswer(body);
  return read?.decision === "approve" && read.number === undefined ? undefined : read;
}
