// What the server says and what `navigator.credentials` takes, each from the other (WebAuthn Level 3 section 5.1). Browsers do
// it themselves since 2023 to 2025; for the others it is done here.

type Descriptors = readonly PublicKeyCredentialDescriptorJSON[] | undefined;

export function toBase64url(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function fromBase64url(text: string): ArrayBuffer {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0)).buffer;
}

function descriptors(list: Descriptors): PublicKeyCredentialDescriptor[] {
  return (list ?? []).map(({ id, transports, type }) => ({
    id: fromBase64url(id),
    type: type as PublicKeyCredentialType,
    ...(transports === undefined ? {} : { transports: transports as AuthenticatorTransport[] }),
  }));
}

/** The static methods as older browsers have them: perhaps. */
function statics(): Partial<typeof PublicKeyCredential> {
  return PublicKeyCredential;
}

export function requestOptionsOf(json: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  const native = statics().parseRequestOptionsFromJSON;
  if (native !== undefined) return native.call(PublicKeyCredential, json);
  const { allowCredentials, challenge, rpId, timeout, userVerification } = json;
  return {
    challenge: fromBase64url(challenge),
    allowCredentials: descriptors(allowCredentials),
    ...(rpId === undefined ? {} : { rpId }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(userVerification === undefined ? {} : { userVerification: userVerification as UserVerificationRequirement }),
  };
}

export function creationOptionsOf(json: PublicKeyCredentialCreationOptionsJSON): PublicKeyCredentialCreationOptions {
  const native = statics().parseCreationOptionsFromJSON;
  if (native !== undefined) return native.call(PublicKeyCredential, json);
  const { attestation, authenticatorSelection, challenge, excludeCredentials, pubKeyCredParams, rp, timeout, user } =
    json;
  return {
    challenge: fromBase64url(challenge),
    excludeCredentials: descriptors(excludeCredentials),
    pubKeyCredParams,
    rp,
    user: { ...user, id: fromBase64url(user.id) },
    ...(attestation === undefined ? {} : { attestation: attestation as AttestationConveyancePreference }),
    ...(authenticatorSelection === undefined ? {} : { authenticatorSelection }),
    ...(timeout === undefined ? {} : { timeout }),
  };
}

function responseOf(response: AuthenticatorResponse): object {
  const clientDataJSON = toBase64url(response.clientDataJSON);
  if ("attestationObject" in response) {
    const { attestationObject } = response as AuthenticatorAttestationResponse;
    const transports = (response as Partial<AuthenticatorAttestationResponse>).getTransports?.() ?? [];
    return { clientDataJSON, attestationObject: toBase64url(attestationObject), transports };
  }
  const { authenticatorData, signature, userHandle } = response as AuthenticatorAssertionResponse;
  return {
    clientDataJSON,
    authenticatorData: toBase64url(authenticatorData),
    signature: toBase64url(signature),
    ...(userHandle === null ? {} : { userHandle: toBase64url(userHandle) }),
  };
}

/** The credential as the routes take it. */
export function credentialJson(credential: PublicKeyCredential): object {
  try {
    const json = (credential as Partial<PublicKeyCredential>).toJSON?.() as object | undefined;
    if (json !== undefined) return json;
  } catch {
    // Extensions and password managers that answer in the browser's place do not always bring a working toJSON.
  }
  const { id, response, type } = credential;
  return { id, rawId: id, type, response: responseOf(response), clientExtensionResults: {} };
}
