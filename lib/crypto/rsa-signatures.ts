import { createPrivateKey, type KeyObject, sign } from "node:crypto";

/** RFC 7518 section 3.3: a key of 2048 bits or larger must be used. */
const SMALLEST = 2048;

/** The private RSA key of this PEM text, where it is one that signs `RS256`. */
function rsaKey(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
    return key.asymmetricKeyType === "rsa" && modulusLength >= SMALLEST ? key : undefined;
  } catch {
    return undefined;
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Makes JSON Web Tokens (RFC 7519) of claims, signed with RSA and SHA-256; undefined where the text is no key for that. */
export function jwtSigner(pem: string): ((claims: object) => string) | undefined {
  const key = rsaKey(pem);
  if (key === undefined) return undefined;
  return (claims) => {
    const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  };
}
