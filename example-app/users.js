// The application's own users. They are kept where everything else is: storage.js decides.
import { randomBytes, randomUUID, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(scrypt);
const KEY_BYTES = 32;
// 32 MiB of memory for each password tried: N * r * 128 bytes.
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };
const EMAIL_LENGTH = 254;
// Compared with where nobody has the address, so that the answer takes as long.
const NOBODY = { salt: randomBytes(16), key: randomBytes(KEY_BYTES) };

/** @param {string} password */
async function hash(password, salt = randomBytes(16)) {
  return { salt, key: await derive(password.normalize("NFKC"), salt, KEY_BYTES, COST) };
}

/** An address is one account, however it is written. @param {string} email */
function keyOf(email) {
  return email.trim().toLowerCase();
}

/** Without control characters, which databases refuse. */
export function isAddress(email) {
  return typeof email === "string" && email.length <= EMAIL_LENGTH && /^[^@\s\p{C}]+@[^@\s\p{C}]+$/u.test(email.trim());
}

/**
 * @typedef {{ id: string, email: string, salt: string, key: string }} UserRecord the password as salt and key, in base64
 * @typedef {object} UserRecords
 * @property {(user: UserRecord) => Promise<boolean>} add false, and nothing is kept, where the address or the id is taken
 * @property {(email: string) => Promise<UserRecord | undefined>} withEmail
 * @property {(id: string) => Promise<UserRecord | undefined>} withId
 */

/** People who can log in with an e-mail address and a password; of operators of the help desk, under which name they work there. */
export class Users {
  #records;
  #operators;

  /** @param {UserRecords} records @param {ReadonlyMap<string, string>} [operators] names by the ids of their users */
  constructor(records, operators = new Map()) {
    this.#records = records;
    this.#operators = operators;
  }

  /** Answers the new user, or undefined where the address is taken. Whoever registers is given an id that nobody can choose. */
  async register(email, password, id = randomUUID()) {
    const { salt, key } = await hash(password);
    const user = { id, email: keyOf(email) };
    const secret = { salt: salt.toString("base64"), key: key.toString("base64") };
    return (await this.#records.add({ ...user, ...secret })) ? user : undefined;
  }

  /** Answers the user, or undefined where address and password do not belong together. */
  async verify(email, password) {
    const record = isAddress(email) ? await this.#records.withEmail(keyOf(email)) : undefined;
    const { salt, key } = record ? secretOf(record) : NOBODY;
    const isRight = timingSafeEqual((await hash(String(password), salt)).key, key);
    return isRight && record ? this.#user(record) : undefined;
  }

  async find(id) {
    return this.#user(await this.#records.withId(id));
  }

  async withEmail(email) {
    return isAddress(email) ? this.#user(await this.#records.withEmail(keyOf(email))) : undefined;
  }

  #user(record) {
    return record && { id: record.id, email: record.email, operator: this.#operators.get(record.id) };
  }
}

/** @param {UserRecord} record */
function secretOf({ salt, key }) {
  return { salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") };
}
