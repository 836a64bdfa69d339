// What every consumer must be able to do: sign in, enroll an authenticator app, be stopped, and get through.
import assert from "node:assert/strict";

const LATER = 30_000;

/**
 * @param {import("node:http").RequestListener} app
 * @param {{ clock: { now: number }, authenticatorApp: (uri: string) => { code(at?: number): string } }} tools
 */
export async function journey(app, { clock, authenticatorApp }) {
  const { createServer } = await import("node:http");
  const server = createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    await walk(`http://127.0.0.1:${port}`, clock, authenticatorApp);
    console.log("journey complete");
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function walk(url, clock, authenticatorApp) {
  const first = visitor(url);
  assert.equal((await first.get("/account")).status, 401, "nobody has signed in yet");
  assert.equal((await first.signIn()).status, 200, "a user without a factor signs in as before");
  assert.equal((await first.get("/account")).status, 200, "and reaches the guarded route");

  const enrollment = await first.post("/2fa/totp/enroll", {});
  assert.equal(enrollment.status, 201, "enrollment begins");
  const { factorId, uri } = enrollment.body;
  const phone = authenticatorApp(uri);
  const confirmed = await first.post("/2fa/totp/enroll/confirm", { factorId, code: phone.code(clock.now) });
  assert.equal(confirmed.status, 201, "enrollment is proved");
  assert.equal(confirmed.body.backupCodes.length, 10, "the first factor brings backup codes");

  const second = visitor(url);
  await second.signIn();
  const stopped = await second.get("/account");
  assert.equal(stopped.status, 401, "the password alone no longer opens the route");
  assert.equal(stopped.body.code, "second-factor-required");

  clock.now += LATER; // the time step used for the enrollment is spent
  const verified = await second.post("/2fa/totp", { code: phone.code(clock.now) });
  assert.equal(verified.status, 200, "the code is accepted");
  assert.equal(verified.body.status, "verified");
  assert.equal((await second.get("/account")).status, 200, "and opens the route");
}

/**
 * Every further part of the package loads by itself: here no database, no Redis and no browser is installed.
 * @param {{ redis: object, sql: object, browser: object }} parts
 */
export function checkParts({ redis, sql, browser }) {
  const expected = [
    [redis, ["redisStore"]],
    [sql, ["sqlStore", "createTables"]],
    [browser, ["enrollPasskey", "signInWithPasskey", "upgradeToPasskey", "signalAccepted"]],
  ];
  for (const [part, names] of expected) {
    for (const name of names) assert.equal(typeof part[name], "function", name);
  }
}

/** A client with a cookie jar of its own. */
function visitor(url) {
  const jar = new Map();
  const send = async (path, init) => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { accept: "application/json", "content-type": "application/json", cookie };
    const response = await fetch(url + path, { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const text = await response.text();
    return { status: response.status, body: isJson(response) ? JSON.parse(text) : text };
  };
  const post = (path, body) => send(path, { method: "POST", body: JSON.stringify(body) });
  return {
    get: (path) => send(path, { method: "GET" }),
    post,
    signIn: () => post("/login", { username: "ann", password: "correct horse" }),
  };
}

function isJson(response) {
  return /json/.test(response.headers.get("content-type") ?? "");
}
