import * as v from "valibot";
import { NEW_PHONE } from "../pages/new-phone-way.js";
import { endOtherSessions } from "./other-sessions.js";

// Nobody types a code or a label this long; what is longer is not looked at.
export const text = v.pipe(v.string(), v.maxLength(1024));

/** A member that may be left out. Many a client writes `null` for what it has not got; that says no more than leaving it out. */
export function optional<Schema extends v.GenericSchema>(schema: Schema) {
  return v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  );
}

/** What a checkbox sends, and what JSON would. */
export const checkbox = v.nullish(
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

/** The factor whose place a new one is to take. A form's empty field says no more than leaving it out. */
export const replaces = v.pipe(
  optional(text),
  v.transform((id) => (id === "" ? undefined : id)),
);

/** It is sent by a form of the page for a new phone, and leads back there. */
export const fromNewPhone = v.pipe(
  v.optional(v.unknown()),
  v.transform((from) => from === NEW_PHONE),
);

/** For routes that need nothing but where they were asked from. */
export function readFrom(body: unknown): { readonly from: boolean } {
  return { from: (body as { readonly from?: unknown } | undefined)?.from === NEW_PHONE };
}

/** Id of the operation that is confirmed, where it is one. */
const operation = optional(text);

export const readProving = reader(v.object({ trustDevice: checkbox, operation }));
export const readSending = reader(v.object({ factorId: optional(text), operation, shown: optional(text) }));
/** For routes that need nothing but which operation they are about, if any. */
export const readOperation = reader(v.object({ operation }));
export const readEnrollment = reader(
  v.object({ from: fromNewPhone, label: optional(text), password: optional(text), replaces }),
);
export const readEnrollmentProof = reader(v.object({ factorId: text, code: text, endOtherSessions }));
export const readResync = reader(v.object({ factorId: text, codes: v.strictTuple([text, text]) }));
export const readPreference = reader(v.object({ type: text }));
export const readRenaming = reader(v.object({ label: text }));
