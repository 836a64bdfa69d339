// @ts-check
// Accounts that have been in use for years, made of the product's own operations; passkeys and logins come over its routes, see
// questions/large.mjs.
import { base32nopad } from "@scure/base";
import { secretOf } from "./secrets.mjs";

/** As many as pass under the limits of a quarter of an hour (5) and of an hour (10), and leave room for a right code. */
export const WRONG = { totp: 4, "backup-code": 6 };
/** What is right for nobody: in the alphabet of backup codes, and six digits. */
const GUESSES = { totp: "000000", "backup-code": "0000000000000000" };

/** @typedef {import("express-second-factor").Accounts} Accounts */

/** Who does all this. */
const actor = "bench";

/** @param {Accounts} accounts */
function authenticatorCommands(accounts) {
  return {
    /** @param {{ names: readonly string[] }} given */
    async erase({ names }) {
      for (const name of names) await accounts.erase(name, { actor });
    },
    /** So many authenticators, and backup codes unless there is but one; answers their secrets, user by user. @param {{ names: readonly string[], count: number }} given */
    async addAuthenticators({ names, count }) {
      /** @type {string[][]} */
      const secrets = [];
      for (const name of names) {
        const own = Array.from({ length: count }, (_, index) => secretOf(`${name}, ${index}`));
        for (const secret of own) await accounts.importTotp(name, { secret: base32nopad.encode(secret), actor });
        if (count > 1) await accounts.regenerateBackupCodes(name, { actor });
        secrets.push(own.map((secret) => secret.toString("hex")));
      }
      return secrets;
    },
    /** @param {{ names: readonly string[] }} given */
    async removeAuthenticators({ names }) {
      for (const name of names) {
        const own = (await accounts.factors(name)).filter(({ type }) => type === "totp");
        for (const { id } of own) await accounts.removeFactor(name, id, { actor });
      }
    },
  };
}

/** @param {Accounts} accounts */
export function growthCommands(accounts) {
  return {
    ...authenticatorCommands(accounts),
    /** Wrong codes of one kind; the backup codes are new, so that guessing never disables them. @param {{ names: readonly string[], method: "totp" | "backup-code" }} given */
    async guess({ names, method }) {
      for (const name of names) {
        if (method === "backup-code") await accounts.regenerateBackupCodes(name, { actor });
        for (let wrong = 0; wrong < WRONG[method]; wrong += 1) {
          const result = await accounts.verify(name, { method, code: GUESSES[method], actor });
          if (result.ok || result.code !== "invalid-code")
            throw new Error(`A wrong code was answered ${JSON.stringify(result)}`);
        }
      }
    },
    /** What one of them has. @param {{ name: string }} given */
    async count({ name }) {
      const { factors, devices, sessions } = await accounts.export(name);
      const ofType = (/** @type {string} */ type) => factors.filter((factor) => factor.type === type).length;
      return {
        authenticators: ofType("totp"),
        passkeys: ofType("passkey"),
        devices: devices.length,
        logins: sessions.length,
      };
    },
  };
}
