import * as v from "valibot";

// Nobody types a code or a label this long; what is longer is not looked at.
const text = v.pipe(v.string(), v.maxLength(1024));

/** What a checkbox sends, and what JSON would. */
const checkbox = v.optional(
  v.pipe(
    v.union([v.boolean(), v.picklist(["true", "false", "on", ""])]),
    v.transform((value) => value === true || value === "true" || value === "on"),
  ),
  false,
);

export const nothing = v.object({});
export const proof = v.object({ code: text, trustDevice: checkbox });
export const enrollment = v.object({ label: v.optional(text), password: v.optional(text) });
export const enrollmentProof = v.object({ factorId: text, code: text });
export const resync = v.object({ factorId: text, codes: v.tuple([text, text]) });
export const renaming = v.object({ label: text });

/** A body checked, or undefined where it has another shape. */
export function check<Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(schema, body);
  return result.success ? result.output : undefined;
}
