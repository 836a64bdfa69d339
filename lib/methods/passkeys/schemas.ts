import * as v from "valibot";
import { endOtherSessions } from "../../http/other-sessions.js";
import { checkbox, fromNewPhone, optional, reader, replaces, text } from "../../http/schemas.js";

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
    userHandle: optional(v.string()),
  }),
  v.transform(({ userHandle, ...response }) => ({ ...response, ...(userHandle ? { userHandle } : {}) })),
);

const attestationResponse = v.pipe(
  v.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(32))), v.maxLength(10))),
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

export const readAssertion = reader(v.object({ credential: asserted }));
export const readAttestation = reader(
  v.object({
    credential: attested,
    endOtherSessions,
    from: fromNewPhone,
    label: optional(text),
    password: optional(text),
    replaces,
  }),
);
export const readCreation = reader(
  v.object({ conditional: v.nullish(v.boolean(), false), password: optional(text), replaces }),
);
export const readDeclining = reader(v.object({ forever: checkbox }));
