// Each entry point has its own copy of the error classes in each module format; an application may hold them all at once.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import * as esm from "express-second-factor";
import * as esmRedis from "express-second-factor/redis";
import * as esmSql from "express-second-factor/sql";

const require = createRequire(import.meta.url);
const cjs = require("express-second-factor");
const cjsRedis = require("express-second-factor/redis");
const cjsSql = require("express-second-factor/sql");

function thrownBy(mistake) {
  try {
    mistake();
  } catch (error) {
    return error;
  }
  assert.fail("a mistake was taken");
}

assert.notEqual(esm.ConfigurationError, cjs.ConfigurationError, "there is one copy alone: nothing is tested here");

const mistakes = [
  () => esm.secondFactor({}),
  () => cjs.secondFactor({}),
  ...[esmRedis, cjsRedis].map(
    ({ redisStore }) =>
      () =>
        redisStore({}),
  ),
  ...[esmSql, cjsSql].map(
    ({ sqlStore }) =>
      () =>
        sqlStore({}),
  ),
];
for (const error of mistakes.map(thrownBy)) {
  for (const { ConfigurationError, UnavailableError } of [esm, cjs]) {
    assert.ok(error instanceof ConfigurationError, String(error));
    assert.ok(!(error instanceof UnavailableError), String(error));
  }
  assert.equal(error.name, "ConfigurationError");
  assert.ok(error.problems.length > 0);
}

const keys = `1:${randomBytes(32).toString("base64")}`;
// The same inside the package: an error of another copy is told as it is, not wrapped as a stranger's.
for (const [here, there] of [
  [esm, cjs],
  [cjs, esm],
]) {
  const failure = new there.UnavailableError("The store is being moved");
  const refuse = async () => {
    throw failure;
  };
  const store = Object.assign(here.memoryStore(), { read: refuse, write: refuse });
  const mfa = here.secondFactor({ issuer: "Acme", origin: "http://localhost:3000", store, keys });
  await assert.rejects(mfa.ready(), (error) => error === failure && error instanceof here.UnavailableError);
}

class OwnError extends esm.UnavailableError {}
assert.ok(new OwnError("own") instanceof cjs.UnavailableError, "what is derived is still what it is derived from");
assert.ok(!(new esm.UnavailableError("not own") instanceof OwnError), "and not the other way round");

console.log("copies agree");
