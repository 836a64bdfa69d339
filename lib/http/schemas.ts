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
export const passkeyEnrollment = v.object({ conditional: v.optional(v.boolean(), false), password: v.optional(text) });
export const declining = v.object({ forever: checkbox });
export const enrollmentProof = v.object({ factorId: text, code: text });
const base64url = v.pipe(v.string(), v.maxLength(65_536), v.regex(/^[A-Za-z0-9_-]+$/));

const envelope = { id: base64url, rawId: base64url, type: v.literal("public-key") };

/** From a form the credential comes as JSON text; from a script as an object. */
const given = v.pipe(
  v.unknown(),
  v.transform((value) => (typeof value === "string" ? parsed(value) : value)),
);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const assertionResponse = v.pipe(
  v.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: v.optional(v.nullable(v.string())),
  }),
  v.transform(({ userHandle, ...response }) => ({ ...response, ...(userHandle ? { userHandle } : {}) })),
);

const attestationResponse = v.pipe(
  v.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(32))), v.maxLength(10))),
  }),
  v.transform(({ transports, ...response }) => ({ ...response, ...(transports ? { transports } : {}) })),
);

/** Extensions are not used, so none is looked at. */
function withoutExtensions<T extends object>(credential: T): T & { clientExtensionResults: Record<string, never> } {
  return { ...credential, clientExtensionResults: {} };
}

const asserted = v.pipe(given, v.object({ ...envelope, response: assertionResponse }), v.transform(withoutExtensions));
const attested = v.pipe(
  given,
  v.object({ ...envelope, response: attestationResponse }),
  v.transform(withoutExtensions),
);

export const assertion = v.object({ credential: asserted, trustDevice: checkbox });
export const attestation = v.object({
  credential: attested,
  label: v.optional(text),
  password: v.optional(text),
});
export const resync = v.object({ factorId: text, codes: v.strictTuple([text, text]) });
export const renaming = v.object({ label: text });

/** A body checked, or undefined where it has another shape. */
export function check<Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
): v.InferOutput<Schema> | undefined {
  const result = v.safeParse(schema, body);
  return result.success ? result.output : undefined;
}
