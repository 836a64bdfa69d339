// The application's own users. Yours are in a database; these are forgotten at restart.
import { randomBytes, randomUUID, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(scrypt);
const KEY_BYTES = 32;
// 32 MiB of memory for each password tried: N * r * 128 bytes.
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };

/** @param {string} password */
async function hash(password, salt = randomBytes(16)) {
  return { salt, key: await derive(password.normalize("NFKC"), salt, KEY_BYTES, COST) };
}

/** An address is one account, however it is written. @param {string} email */
function keyOf(email) {
  return email.trim().toLowerCase();
}

/** People who can log in with an e-mail address and a password. */
export class Users {
  #byEmail = new Map();
  #byId = new Map();
  // Compared with where nobody has the address, so that the answer takes as long.
  #nobody = hash(randomBytes(16).toString("hex"));

  /** Answers the new user, or undefined where the address is taken. */
  async register(email, password) {
    const secret = await hash(password);
    const key = keyOf(email);
    if (this.#byEmail.has(key)) return undefined;
    const user = { id: randomUUID(), email: key };
    this.#byEmail.set(key, { user, secret });
    this.#byId.set(user.id, user);
    return user;
  }

  /** Answers the user, or undefined where address and password do not belong together. */
  async verify(email, password) {
    const entry = this.#byEmail.get(keyOf(email));
    const { salt, key } = entry?.secret ?? (await this.#nobody);
    const isRight = timingSafeEqual((await hash(password, salt)).key, key);
    return isRight ? entry?.user : undefined;
  }

  find(id) {
    return this.#byId.get(id);
  }
}
