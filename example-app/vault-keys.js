// @ts-check
// Keys that never leave a HashiCorp Vault (or OpenBao): a KeyProvider over its transit engine, with nothing but fetch.
//
//   vault secrets enable transit && vault write -f transit/keys/second-factor
//   secondFactor({ ..., keys: vaultKeys({ address: process.env.VAULT_ADDR, token: process.env.VAULT_TOKEN }) })
//
// Each code that is checked costs one call. Vault keeps the versions of a key apart, so `vault write -f
// transit/keys/second-factor/rotate` and then `mfa.rotateKeys()` is the whole rotation.

/** How long this process may go on sealing with a version that is not the newest any more. */
const MINUTE = 60_000;

/** @param {string | Uint8Array} bytes */
function base64(bytes) {
  return Buffer.from(bytes).toString("base64");
}

/** Owner and purpose, as one text that can be cut in one way only. @param {import("express-second-factor").KeyContext} context */
function associated({ owner, purpose }) {
  return JSON.stringify([purpose, owner]);
}

/** Calls Vault; what is no answer rejects, and the request at hand is then refused. */
class Transit {
  /** @param {{ address: string, token: string, mount: string }} place */
  constructor({ address, token, mount }) {
    this.base = `${address}/v1/${mount}`;
    this.headers = { "X-Vault-Token": token, "Content-Type": "application/json" };
  }

  /** @param {string} path @param {object} [body] @returns {Promise<Record<string, any>>} */
  async call(path, body) {
    const response = await fetch(`${this.base}/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: this.headers,
      signal: AbortSignal.timeout(2_000),
      ...(body && { body: JSON.stringify(body) }),
    });
    // The body of a failure may repeat what was sent; the status is enough.
    if (!response.ok) throw new Error(`Vault answered ${response.status} to ${path}`);
    const { data } = await response.json();
    return data;
  }
}

/**
 * @param {{ address: string, token: string, key?: string, mount?: string }} options
 * @returns {import("express-second-factor").KeyProvider}
 */
export function vaultKeys({ address, token, key = "second-factor", mount = "transit" }) {
  const transit = new Transit({ address, token, mount });
  let newest = { id: "", until: 0 };

  async function newestId() {
    if (Date.now() < newest.until) return newest.id;
    const { latest_version: version } = await transit.call(`keys/${key}`);
    newest = { id: `v${version}`, until: Date.now() + MINUTE };
    return newest.id;
  }

  return {
    async encrypt(plaintext, context) {
      const body = { plaintext: base64(plaintext), associated_data: base64(associated(context)) };
      const { ciphertext } = await transit.call(`encrypt/${key}`, body);
      return ciphertext;
    },
    async decrypt(sealed, context) {
      const body = { ciphertext: sealed, associated_data: base64(associated(context)) };
      const { plaintext } = await transit.call(`decrypt/${key}`, body);
      return new Uint8Array(Buffer.from(plaintext, "base64"));
    },
    async mac(text, context) {
      const { hmac } = await transit.call(`hmac/${key}`, { input: base64(associated(context) + text) });
      return hmac;
    },
    // vault:v3:... is sealed by version 3.
    keyId: (sealed) => (sealed === undefined ? newestId() : (sealed.split(":")[1] ?? "")),
  };
}
