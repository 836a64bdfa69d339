// What happened, in a file that nobody changes unnoticed: beside the other data, one for all processes.
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { auditFile, verifyAudit } from "express-second-factor/audit";

/** @param {string} file */
async function lines(file) {
  const text = await readFile(file, "utf8").catch((error) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").filter((line) => line !== "");
}

/**
 * Rejects where the file cannot be written: better not to start than to start unseen.
 *
 * @param {object} options
 * @param {string} options.folder
 * @param {string} options.key of its own, as `npx express-second-factor new-key` prints it
 * @param {() => number} [options.clock]
 */
export async function openAuditTrail({ folder, key, clock }) {
  const file = join(folder, "audit.jsonl");
  // How far the file has come, and so whether its end was cut off. Yours are kept where whoever changes the file cannot change them.
  const anchorFile = join(folder, "audit-anchors.txt");
  const onAnchor = (anchor) => appendFile(anchorFile, `${anchor}\n`, { mode: 0o600 });
  const listener = auditFile(file, { key, onAnchor, ...(clock && { clock }) });
  await listener.flush();
  return {
    file,
    listener,
    /** What the file says of itself, with all that has happened until now. */
    async verdict() {
      await listener.flush();
      const anchors = await lines(anchorFile);
      return { ...(await verifyAudit([file], { key, anchors })), anchors: anchors.length };
    },
    close: () => listener.close(),
  };
}
