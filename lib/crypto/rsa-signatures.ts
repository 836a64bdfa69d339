import { createPrivateKey, sign } from "node:crypto";

/** RFC 7518 section 3.3: a key of 2048 bits or larger must be used. */
const SMALLEST = 2048;

/** Whether this PEM text is a private key that signs `RS256`. */
export function isRsaKey(pem: string): boolean {
  try {
    const { asymmetricKeyDetails = {}, asymmetricKeyType } = createPrivateKey(pem);
    return asymmetricKeyType === "rsa" && (asymmetricKeyDetails.modulusLength ?? 0) >= SMALLEST;
  } catch {
    return false;
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Makes JSON Web Tokens (RFC 7519) of claims, signed with RSA and SHA-256. */
export function jwtSigner(pem: string): (claims: object) => string {
  const key = createPrivateKey(pem);
  return (claims) => {
    const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  };
}
