// What has to outlast a restart beside the data: the key ring of the second factor, the secret of the session cookie, the key of the audit
// trail, and the keys that browsers know the application's push messages by.
import { randomBytes, randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import webpush from "web-push";

/** What is in the file. Where there is none it is made; of several processes that start at once, one makes it. */
async function kept(file, make) {
  const draft = `${file}.${randomUUID()}`;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    await writeFile(draft, make(), { mode: 0o600 });
    // Never half written, and never in the place of another's.
    await link(draft, file).catch((linkError) => {
      if (linkError.code !== "EEXIST") throw linkError;
    });
    return await readFile(file, "utf8");
  } finally {
    await rm(draft, { force: true });
  }
}

const random = () => randomBytes(32).toString("base64");

/** A pair belongs together: both from the environment, or both from the file. */
async function vapidKeys({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey }, folder) {
  if (publicKey || privateKey) return { publicKey, privateKey };
  return JSON.parse(await kept(join(folder, "vapid"), () => JSON.stringify(webpush.generateVAPIDKeys())));
}

/**
 * From the environment, else from files in the folder, made at the first start.
 *
 * @param {Record<string, string | undefined>} environment
 * @param {string} folder
 */
export async function lastingSecrets(environment, folder) {
  const { SECOND_FACTOR_AUDIT_KEY, SECOND_FACTOR_KEYS, SESSION_SECRET } = environment;
  return {
    keys: SECOND_FACTOR_KEYS || (await kept(join(folder, "keys"), () => `demo:${random()}`)),
    sessionSecret: SESSION_SECRET || (await kept(join(folder, "session-secret"), random)),
    // Not one of the others: whoever verifies the trail has it, and opens no secret with it.
    auditKey: SECOND_FACTOR_AUDIT_KEY || (await kept(join(folder, "audit-key"), () => `audit:${random()}`)),
    vapid: await vapidKeys(environment, folder),
  };
}
