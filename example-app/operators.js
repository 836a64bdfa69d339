// Who works at the help desk of the demonstration. In yours that is a role of the user's, given by those who may.
import { Users } from "./users.js";

/** Anybody can read it in the README: `server.js` makes no such users in production. */
export const DEMO_PASSWORD = "demonstration";

/** By their addresses. */
export const DEMO_OPERATORS = {
  "dora@acme.example": { id: "operator-dora", name: "support:dora" },
  "otto@acme.example": { id: "operator-otto", name: "support:otto" },
};

/**
 * Makes the users where they are missing. An address that somebody else has taken is no operator's: the id counts.
 *
 * @param {import("./users.js").UserRecords} records
 * @returns {Promise<ReadonlyMap<string, string>>} how the audit trail names them, and the mails to users do, by the ids of their users
 */
export async function demoOperators(records) {
  const users = new Users(records);
  const all = Object.entries(DEMO_OPERATORS);
  const make = async ([email, { id }]) => (await users.find(id)) ?? users.register(email, DEMO_PASSWORD, id);
  await Promise.all(all.map(make));
  return new Map(all.map(([, { id, name }]) => [id, name]));
}
