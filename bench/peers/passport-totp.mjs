// What applications make by hand today: Passport, express-session, passport-totp as its README shows it.
import { Strategy as TotpStrategy } from "passport-totp";
import { connectRedis, createApplication, createPassport, loggedIn } from "../servers/application.mjs";
import { secretOf } from "../servers/secrets.mjs";

const PERIOD = 30;

/** Secrets in this process, or in Redis where the sessions are, in clear. */
async function secretsIn(store) {
  if (store?.kind !== "redis") {
    const rows = new Map();
    return { read: async (name) => rows.get(name), write: async (name, secret) => void rows.set(name, secret) };
  }
  const client = await connectRedis(store.url);
  const keyOf = (name) => `totp:${name}`;
  return { read: (name) => client.get(keyOf(name)), write: (name, secret) => client.set(keyOf(name), secret) };
}

/** @type {import("../servers/main.mjs").BuildStack} */
export async function passportTotp({ sessions, store }) {
  const secrets = await secretsIn(store);
  const authenticator = createPassport();
  authenticator.use(
    new TotpStrategy((user, done) => {
      secrets.read(user.id).then((secret) => done(null, Buffer.from(secret, "hex"), PERIOD), done);
    }),
  );
  const app = await createApplication({ sessions, authenticator });
  app.post("/verify", authenticator.authenticate("totp"), (req, res) => {
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
