import * as v from "valibot";

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

export const proving = v.object({ trustDevice: checkbox });
export const sending = v.object({ factorId: v.optional(text) });
export const enrollment = v.object({ label: v.optional(text), password: v.optional(text) });
export const enrollmentProof = v.object({ factorId: text, code: text });
export const resync = v.object({ factorId: text, codes: v.strictTuple([text, text]) });
export const renaming = v.object({ label: text });

/** Reads bodies of one shape; undefined for any other. */
export function reader<Schema extends v.GenericSchema>(schema: Schema): (body: unknown) => v.InferOutput<Schema> | undefined {
  return function readBody(body) {
    const result = v.safeParse(schema, body);
    return result.success ? result.output : undefined;
  };
}
