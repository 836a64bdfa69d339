import * as v from "valibot";
import { endOtherSessions } from "./other-sessions.js";

// Nobody types a code or a label this long; what is longer is not looked at.
export const text = v.pipe(v.string(), v.maxLength(1024));

/** What a checkbox sends, and what JSON would. */
export const checkbox = v.optional(
  v.pipe(
    v.union([v.boolean(), v.picklist(["true", "false", "on", ""])]),
    v.transform((value) => value === true || value === "true" || value === "on"),
  ),
  false,
);

/** Reads bodies of one shape; undefined for any other. */
export function reader<Schema extends v.GenericSchema>(
  schema: Schema,
): (body: unknown) => v.InferOutput<Schema> | undefined {
  return function readBody(body) {
    const result = v.safeParse(schema, body);
    return result.success ? result.output : undefined;
  };
}

/** Id of the operation that is confirmed, where it is one. */
const operation = v.optional(text);

export const readProving = reader(v.object({ trustDevice: checkbox, operation }));
export const readSending = reader(v.object({ factorId: v.optional(text), operation, shown: v.optional(text) }));
/** For routes that need nothing but which operation they are about, if any. */
export const readOperation = reader(v.object({ operation }));
export const readEnrollment = reader(v.object({ label: v.optional(text), password: v.optional(text) }));
export const readEnrollmentProof = reader(v.object({ factorId: text, code: text, endOtherSessions }));
export const readResync = reader(v.object({ factorId: text, codes: v.strictTuple([text, text]) }));
export const readRenaming = reader(v.object({ label: text }));
