// What applications make by hand today: Passport, express-session, passport-totp as its README shows it. And the same behind
// express-rate-limit, without which its codes can be guessed.
import { rateLimit } from "express-rate-limit";
import { Strategy as TotpStrategy } from "passport-totp";
import { limitStore } from "../servers/address-limit.mjs";
import { connectRedis, createApplication, createPassport, loggedIn } from "../servers/application.mjs";
import { secretOf } from "../servers/secrets.mjs";

const PERIOD = 30;

/** Secrets in this process, or in Redis where the sessions are, in clear. */
function secretsIn(client) {
  if (client === undefined) {
    const rows = new Map();
    return { read: async (name) => rows.get(name), write: async (name, secret) => void rows.set(name, secret) };
  }
  const keyOf = (name) => `totp:${name}`;
  return { read: (name) => client.get(keyOf(name)), write: (name, secret) => client.set(keyOf(name), secret) };
}

/** As its README shows it, and so that users who log in are not counted. */
function createLimiter(client) {
  return rateLimit({
    windowMs: 15 * 60 * 1000,
    limit: 100,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    skipSuccessfulRequests: true,
    store: limitStore(client, "passport-totp:rl:"),
  });
}

async function build({ sessions, store }, createLimits) {
  const client = store?.kind === "redis" ? await connectRedis(store.url) : undefined;
  const secrets = secretsIn(client);
  const authenticator = createPassport();
  authenticator.use(
    new TotpStrategy((user, done) => {
      secrets.read(user.id).then((secret) => done(null, Buffer.from(secret, "hex"), PERIOD), done);
    }),
  );
  const app = await createApplication({ sessions, authenticator });
  app.post("/verify", ...createLimits(client), authenticator.authenticate("totp"), (req, res) => {
    req.session.secondFactor = "totp";
    loggedIn(req, res);
  });
  return {
    app,
    async enroll(name) {
      await secrets.write(name, secretOf(name).toString("hex"));
      return secretOf(name);
    },
  };
}

/** @type {import("../servers/main.mjs").BuildStack} */
export function passportTotp(setting) {
  return build(setting, () => []);
}

/** @type {import("../servers/main.mjs").BuildStack} */
export function passportTotpLimited(setting) {
  return build(setting, (client) => [createLimiter(client)]);
}
