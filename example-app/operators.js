// Who works at the help desk of the demonstration. In yours that is a role of the user's, given by those who may.
import { Users } from "./users.js";

/** Anybody can read it in the README: `server.js` makes no such users in production. */
export const DEMO_PASSWORD = "demonstration";

/** By their addresses, how the audit trail and the mails to users name them. */
export const DEMO_OPERATORS = { "dora@acme.example": "support:dora", "otto@acme.example": "support:otto" };

/**
 * Makes the users where they are missing. An address that somebody else has taken is no operator's, whoever that is.
 *
 * @param {import("./users.js").UserRecords} records
 * @returns {Promise<ReadonlyMap<string, string>>} names of the operators by the ids of their users
 */
export async function demoOperators(records) {
  const users = new Users(records);
  const found = Object.entries(DEMO_OPERATORS).map(async ([email, name]) => {
    const user = (await users.verify(email, DEMO_PASSWORD)) ?? (await users.register(email, DEMO_PASSWORD));
    return user ? [[user.id, name]] : [];
  });
  return new Map((await Promise.all(found)).flat());
}
