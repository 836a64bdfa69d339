import { brotliCompressSync, gzipSync } from "node:zlib";
import { once } from "node:events";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "@jest/globals";
import express from "express";
import { authenticatorApp } from "express-second-factor/testing";
import { parseAtLoginOnly, testApp, type TestApp } from "../support/app.js";
import { type Enrolled, enrolled, full, Jar, pending } from "../support/browser.js";
import {
  ask,
  cookies,
  deviceCookie,
  harmless,
  MODES,
  putCookie,
  send,
  SESSION_COOKIE,
  storedAccount,
  wrongCodes,
} from "../support/attack.js";
import { overHttp, type RawAnswer } from "../support/raw.js";
import { NOBODYS_ID, PROOF_ROUTES, stateRoutes } from "../support/routes.js";
import { expectProblem } from "../support/problems.js";

const READERS = {
  "after the application's own parsers": [
    express.json({ limit: "1mb", strict: false }),
    express.urlencoded({ extended: true, limit: "1mb" }),
  ],
  "read by nobody before": parseAtLoginOnly,
};

interface Prepared {
  readonly target: TestApp;
  readonly factor: Enrolled;
}

async function prepared(parsers = parseAtLoginOnly): Promise<Prepared> {
  const target = testApp({ parsers });
  return { target, factor: await enrolled(target, "alice") };
}

/** No attempt was counted: of the five there are, four more may be wrong before the right one opens. */
async function expectNothingCounted({ target, factor: { phone } }: Prepared, jar: Jar): Promise<void> {
  for (const code of wrongCodes(4, phone, target.clock())) expect((await jar.verify(code)).status).toBe(401);
  expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  expect(await jar.isIn()).toBe(true);
}

/** Posts bytes as they are, which the client library would not, to the route of TOTP codes. */
function rawly(
  { app }: TestApp,
  jar: Jar,
  posts: readonly { readonly headers?: Record<string, string>; readonly body: Buffer }[],
): Promise<RawAnswer[]> {
  const own = { Cookie: `${SESSION_COOKIE}=${cookies(jar)[SESSION_COOKIE]!}`, "Content-Type": "application/json" };
  return overHttp(app, (send) =>
    Promise.all(
      posts.map(({ headers, body }) => send("/2fa/totp", { method: "POST", headers: { ...own, ...headers }, body })),
    ),
  );
}

const NO_TEXT: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  123456,
  Number.MAX_SAFE_INTEGER,
  [],
  ["123456"],
  [["123456"]],
  {},
  { code: "123456" },
  { toString: "123456" },
  "x".repeat(1_025),
];

const NO_CODE: readonly string[] = [
  "",
  " ",
  "12345",
  "1234567",
  "12345a",
  "1.2345",
  "+12345",
  "-12345",
  "1e5000",
  "0x1234",
  "123456\u0000",
  "\u0000123456",
  "123\u0000456",
  "\u0661\u0662\u0663\u0664\u0665\u0666",
  "\uff11\uff12\uff13\uff14\uff15\uff16",
  "\u{1d7cf}\u{1d7d0}\u{1d7d1}\u{1d7d2}\u{1d7d3}\u{1d7d4}",
  "\u00b9\u00b2\u00b3456",
  "123456\u0301",
  "123\u3164456",
  "12345\ud800",
  "123456;",
  "123456' OR '1'='1",
  "${7*7}1234",
  "../../1",
];

describe.each(Object.entries(READERS))("bodies of another shape, %s", (_name, parsers) => {
  test("a code that is no text, or no code of any kind, is 400 and counts nothing", async () => {
    const ready = await prepared(parsers);
    const jar = await pending(ready.target, "alice");
    const before = await storedAccount(ready.target, "alice");
    for (const code of [...NO_TEXT, ...NO_CODE]) {
      for (const path of PROOF_ROUTES) expectProblem(await jar.post(path, { code }), "invalid-request");
    }
    expect(await storedAccount(ready.target, "alice")).toBe(before);
    expect(await jar.isIn()).toBe(false);
    await expectNothingCounted(ready, jar);
  });

  test("a right code beside something of a wrong type is 400, and is still good afterwards", async () => {
    const ready = await prepared(parsers);
    const jar = await pending(ready.target, "alice");
    const code = ready.factor.phone.code(ready.target.clock());
    for (const trustDevice of ["yes", "1", 1, [], {}, [true], "TRUE"]) {
      expectProblem(await jar.verify(code, { trustDevice }), "invalid-request");
    }
    expect(await jar.isIn()).toBe(false);
    await expectNothingCounted(ready, jar);
  });

  test("management of a wrong shape is 400 and changes nothing", async () => {
    const { target, factor } = await prepared(parsers);
    const jar = await full(target, "alice", factor.phone);
    const { factorId } = factor;
    const before = await storedAccount(target, "alice");
    for (const value of NO_TEXT) {
      expectProblem(await jar.post(`/2fa/factors/${factorId}/rename`, { label: value }), "invalid-request");
      expectProblem(await jar.post("/2fa/totp/enroll/confirm", { factorId: value, code: "000000" }), "invalid-request");
      expectProblem(await jar.post("/2fa/totp/enroll/confirm", { factorId, code: value }), "invalid-request");
      expectProblem(await jar.post("/2fa/totp/resync", { factorId, codes: value }), "invalid-request");
      expectProblem(await jar.post("/2fa/totp/resync", { factorId, codes: ["000000", value] }), "invalid-request");
      // Nothing is nothing: it may be left out.
      if (value !== undefined && value !== null) {
        expectProblem(await jar.post("/2fa/totp/enroll", { label: value }), "invalid-request");
        expectProblem(await jar.post("/2fa/totp/enroll", { password: value }), "invalid-request");
      }
    }
    for (const label of ["", " ", "\u0000", "\u200b\u202e", "\n\t"]) {
      expectProblem(await jar.post(`/2fa/factors/${factorId}/rename`, { label }), "invalid-request");
    }
    for (const codes of [["000000"], ["0", "1"], "000000,000001", { 0: "000000", 1: "000001" }]) {
      expectProblem(await jar.post("/2fa/totp/resync", { factorId, codes }), "invalid-request");
    }
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("a body that is no object is 400 at every route, and changes nothing", async () => {
    const { target, factor } = await prepared(parsers);
    const jar = await full(target, "alice", factor.phone);
    const before = await storedAccount(target, "alice");
    for (const text of ["[]", "[1]", '[{"code":"123456"}]', "null", "true", "1", '"code"']) {
      for (const { path } of stateRoutes({ factorId: factor.factorId })) {
        expectProblem(await jar.post(path, text).type("json"), "invalid-request");
      }
    }
    expect(await storedAccount(target, "alice")).toBe(before);
    expect(await jar.isIn()).toBe(true);
  });

  test("keys that reach for a prototype reach nothing", async () => {
    const ready = await prepared(parsers);
    const jar = await pending(ready.target, "alice");
    const code = ready.factor.phone.code(ready.target.clock());
    const bodies = [
      `{"__proto__":{"code":"${code}"}}`,
      `{"constructor":{"prototype":{"code":"${code}"}}}`,
      `{"__proto__":{"polluted":true},"prototype":{"polluted":true}}`,
      `{"code":{"__proto__":{"length":6}}}`,
    ];
    const forms = [
      `__proto__[code]=${code}`,
      `constructor[prototype][polluted]=true`,
      "__proto__.polluted=true",
      "hasOwnProperty=1",
    ];
    for (const text of bodies) expectProblem(await jar.post("/2fa/totp", text).type("json"), "invalid-request");
    for (const text of forms) {
      expectProblem(
        await jar.post("/2fa/totp", text).type("form").set("Sec-Fetch-Site", "same-origin"),
        "invalid-request",
      );
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(({} as { code?: unknown }).code).toBeUndefined();
    expect(await jar.isIn()).toBe(false);
    await expectNothingCounted(ready, jar);
  });

  test("a form with a repeated key, a thousand keys or broken escapes is 400 or 413, and counts nothing", async () => {
    const ready = await prepared(parsers);
    const jar = await pending(ready.target, "alice");
    const many = Array.from({ length: 900 }, (_none, index) => `k${index}=1`).join("&");
    for (const text of [
      "code=123456&code=123456",
      "code[]=123456",
      "code[a]=1",
      "code=%zz",
      "=123456",
      "&&&",
      "%",
      many,
    ]) {
      const sent = jar.post("/2fa/totp", text).type("form").set("Sec-Fetch-Site", "same-origin");
      expectProblem(await sent, "invalid-request", "too-large");
    }
    expect(await jar.isIn()).toBe(false);
    await expectNothingCounted(ready, jar);
  });

  test("content of another type is 415 at every route, whatever it holds", async () => {
    const { target, factor } = await prepared(parsers);
    const jar = await full(target, "alice", factor.phone);
    const before = await storedAccount(target, "alice");
    const types = [
      "text/plain",
      "text/json",
      "application/xml",
      "application/octet-stream",
      "application/jsonp",
      "application/json-patch+json",
      "multipart/form-data; boundary=x",
      "image/png",
      "x",
      "application/json, text/plain",
    ];
    for (const type of types) {
      for (const { path, body } of stateRoutes({ factorId: factor.factorId })) {
        const answer = await jar.post(path, `${JSON.stringify(body)} `).set("Content-Type", type);
        expectProblem(answer, "unsupported-media-type");
      }
    }
    expect(await storedAccount(target, "alice")).toBe(before);
  });

  test("ids of nobody, of somebody else and of no possible shape are one and the same 404", async () => {
    const { target, factor } = await prepared(parsers);
    const foreign = await enrolled(target, "mallory");
    const jar = await full(target, "alice", factor.phone);
    const before = [await storedAccount(target, "alice"), await storedAccount(target, "mallory")];
    const ids = [
      NOBODYS_ID,
      foreign.factorId,
      "0",
      "__proto__",
      "constructor",
      "toString",
      "%00",
      "%2e%2e",
      "..%2f..",
      "%20",
      "'",
      "\u{1F511}",
      "x".repeat(4_000),
    ];
    const told = new Set<string>();
    for (const id of ids) {
      const encoded = id.startsWith("%") || id.includes("%2f") ? id : encodeURIComponent(id);
      for (const path of [`factors/${encoded}/rename`, `factors/${encoded}/remove`, `devices/${encoded}/revoke`]) {
        const answer = await jar.post(`/2fa/${path}`, { label: "mine" });
        expectProblem(answer, "not-found");
        told.add(answer.text);
      }
      for (const path of ["totp/enroll/confirm", "totp/resync"]) {
        const answer = await jar.post(`/2fa/${path}`, {
          factorId: id.slice(0, 1_000),
          code: "000000",
          codes: ["000000", "000001"],
        });
        expectProblem(answer, "not-found");
        told.add(answer.text);
      }
    }
    expect(told.size).toBe(1);
    expect([await storedAccount(target, "alice"), await storedAccount(target, "mallory")]).toEqual(before);
  });
});

describe("requests nobody's client sends", () => {
  test("an id whose escapes are broken is 404 or 400 of the table, never the application's error", async () => {
    const { target, factor } = await prepared();
    const jar = await full(target, "alice", factor.phone);
    const answers = await overHttp(target.app, async (send) => {
      const Cookie = `${SESSION_COOKIE}=${cookies(jar)[SESSION_COOKIE]!}`;
      const paths = ["/2fa/factors/%zz/remove", "/2fa/factors/%c0%ae/remove", "/2fa/devices/%/revoke", "/2fa/%ff"];
      return Promise.all(
        paths.map(async (path) => ({ path, answer: await send(path, { method: "POST", headers: { Cookie } }) })),
      );
    });
    for (const { path, answer } of answers) {
      expect([path, answer.headers["content-type"]]).toEqual([
        path,
        expect.stringContaining("application/problem+json"),
      ]);
      expect([path, [400, 404]]).toEqual([path, expect.arrayContaining([answer.status])]);
    }
  });

  test("methods and paths that do not exist are 404 in every state", async () => {
    const { target, factor } = await prepared();
    const carol = new Jar(target);
    await carol.login("carol");
    const jars = [new Jar(target), await pending(target, "alice"), await full(target, "alice", factor.phone), carol];
    const paths = [
      "/2fa/email-code",
      "/2fa/sms-code/send",
      "/2fa/backup-code/enroll",
      "/2fa/backup-code/resync",
      "/2fa/toString",
      "/2fa/__proto__",
      "/2fa/constructor/enroll",
      "/2fa/totp/enroll/confirm/more",
      "/2fa//totp",
      "/2fa/./totp",
      "/2fa/assets/../settings",
      "/2fa/assets/%2e%2e%2f%2e%2e%2fpackage.json",
      "/2fa/assets/missing.js",
    ];
    for (const jar of jars) {
      for (const path of paths) {
        const answers = await overHttp(target.app, (send) => {
          const headers = {
            Cookie: `${SESSION_COOKIE}=${cookies(jar)[SESSION_COOKIE] ?? ""}`,
            Accept: "application/json",
          };
          return Promise.all(
            (["GET", "POST", "PUT", "DELETE", "PROPFIND", "TRACE"] as const).map((method) =>
              send(path, { method, headers }),
            ),
          );
        });
        for (const { status, body } of answers)
          expect([path, status, JSON.parse(body).code]).toEqual([path, 404, "not-found"]);
      }
    }
  });

  test("JSON that is none is 400 and counts nothing", async () => {
    const ready = await prepared();
    const jar = await pending(ready.target, "alice");
    const code = ready.factor.phone.code(ready.target.clock());
    const texts = [
      `{"code":"${code}"`,
      `{"code":"${code}",}`,
      `{code:"${code}"}`,
      `{'code':'${code}'}`,
      `{"code":"${code}"}{"code":"${code}"}`,
      `{"code":"${code}"}x`,
      `\u0000{"code":"${code}"}`,
      "{",
      "}",
      "\ufeff",
      " ",
      "undefined",
      "[".repeat(30_000),
      `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`,
      `{"code":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    ];
    for (const text of texts) expectProblem(await jar.post("/2fa/totp", text).type("json"), "invalid-request");
    const noText = Buffer.concat([Buffer.from(`{"code":"${code}`), Buffer.from([0xff, 0xfe, 0x80]), Buffer.from('"}')]);
    const [bytes] = await rawly(ready.target, jar, [{ body: noText }]);
    expect([bytes!.status, JSON.parse(bytes!.body).code]).toEqual([400, "invalid-request"]);
    expect(await jar.isIn()).toBe(false);
    await expectNothingCounted(ready, jar);
  });

  test("compressed, oversized and oddly encoded bodies are refused before they can do harm", async () => {
    const ready = await prepared();
    const jar = await pending(ready.target, "alice");
    const bomb = Buffer.from(`{"code":"${"0".repeat(30_000_000)}"}`);
    const bodies: readonly (readonly [Record<string, string>, Buffer])[] = [
      [{ "Content-Encoding": "gzip" }, gzipSync(bomb)],
      [{ "Content-Encoding": "br" }, brotliCompressSync(bomb.subarray(0, 1_000_000))],
      [{ "Content-Encoding": "deflate" }, Buffer.from("no deflate")],
      [{ "Content-Encoding": "gzip" }, Buffer.from("no gzip")],
      [{ "Content-Encoding": "gzip" }, gzipSync('{"code":"123456"}').subarray(0, 20)],
      [{ "Content-Encoding": "zip" }, Buffer.from("{}")],
      [{ "Content-Encoding": "gzip, gzip" }, gzipSync(gzipSync("{}"))],
      [{ "Content-Type": "application/json; charset=klingon" }, Buffer.from("{}")],
      [{ "Content-Type": "application/json; charset=utf-16le" }, Buffer.from('{"code":"123456"}')],
      [{}, bomb.subarray(0, 70_000)],
      [{ "Transfer-Encoding": "chunked" }, bomb.subarray(0, 70_000)],
    ];
    const answers = await rawly(
      ready.target,
      jar,
      bodies.map(([own, body]) => ({ headers: own, body })),
    );
    for (const [index, { status, body, headers: answered }] of answers.entries()) {
      expect([index, answered["content-type"]]).toEqual([index, expect.stringContaining("application/problem+json")]);
      expect([index, [400, 413, 415]]).toEqual([index, expect.arrayContaining([status])]);
      expect(["invalid-request", "too-large", "unsupported-media-type"]).toContain(JSON.parse(body).code);
    }
    expect(answers[0]!.status).toBe(413);
    expect(answers.slice(-2).map(({ status }) => status)).toEqual([413, 413]);
    await expectNothingCounted(ready, jar);
  });

  test("the same bytes without a fault in them do open", async () => {
    const { target, factor } = await prepared();
    const jar = await pending(target, "alice");
    const body = Buffer.from(`{"code":"${factor.phone.code(target.clock())}"}`);
    const [answer] = await rawly(target, jar, [{ headers: { "Content-Encoding": "gzip" }, body: gzipSync(body) }]);
    expect([answer!.status, JSON.parse(answer!.body).status]).toEqual([200, "verified"]);
  });

  test("a request cut off half-way harms nobody and counts nothing", async () => {
    const ready = await prepared();
    const jar = await pending(ready.target, "alice");
    const server = ready.target.app.listen(0, "127.0.0.1");
    await once(server, "listening");
    for (const lines of [
      'Content-Length: 1000\r\n\r\n{"code":',
      'Transfer-Encoding: chunked\r\n\r\n5\r\n{"co',
      "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ]) {
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
      const Cookie = `Cookie: ${SESSION_COOKIE}=${cookies(jar)[SESSION_COOKIE]!}`;
      socket.write(
        `POST /2fa/totp HTTP/1.1\r\nHost: localhost\r\n${Cookie}\r\nContent-Type: application/json\r\n${lines}`,
      );
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
      await once(socket, "close");
    }
    server.close();
    server.closeAllConnections();
    await expectNothingCounted(ready, jar);
  });

  test.each(MODES)("headers and cookies full of nonsense change no verdict (%s)", async (mode) => {
    const { target, factor } = await prepared();
    const owner = await full(target, "alice", factor.phone);
    await send(owner, "JSON", "/2fa/totp", { code: factor.phone.code(target.clock()), trustDevice: true });
    const [name] = deviceCookie(owner);
    for (const value of [
      ".",
      "a.b",
      "..",
      "%zz",
      "%00.%00",
      "x".repeat(6_000),
      '"',
      "__proto__.x",
      "null",
      "[object Object]",
    ]) {
      const jar = new Jar(target);
      putCookie(jar, name, value);
      await send(jar, mode, "/login", { username: "alice", password: "alice-password" });
      expect([value, await jar.isIn()]).toEqual([value, false]);
    }
    const jar = await pending(target, "alice");
    const odd: Readonly<Record<string, string>>[] = [
      { Accept: ";;;q=,,*/;q=x" },
      { Accept: "text/html;q=NaN,application/json;q=Infinity" },
      { Accept: "text/html,".repeat(800) },
      { "User-Agent": "(".repeat(6_000) },
      { "User-Agent": "\u00ff\u00fe" },
      { "X-Request-Id": "x".repeat(6_000) },
      { "X-Forwarded-For": "not, an, address" },
    ];
    for (const headers of odd) {
      const answer = harmless(await jar.get("/account").set(headers));
      expect([401, 303]).toContain(answer.status);
      harmless(await jar.post("/2fa/totp", { code: "000000" }).set(headers));
    }
    for (const query of [
      "?method[]=totp",
      "?method=__proto__",
      "?method=totp&method=x",
      "?%",
      "?method=%zz",
      `?${"a".repeat(6_000)}`,
    ]) {
      expect([query, harmless(await ask(jar, mode, `/2fa${query}`)).status]).toEqual([query, 200]);
    }
    expect(
      target.events.every(({ userAgent = "", requestId = "" }) => userAgent.length <= 255 && requestId.length <= 255),
    ).toBe(true);
  });

  test("labels and browser names lose what could break a line or turn it round", async () => {
    const { target, factor } = await prepared();
    const jar = await full(target, "alice", factor.phone);
    const label = `<script>\u0000\r\n\u202e\u200bPhone${"!".repeat(100)}`;
    const renamed = await jar.post(`/2fa/factors/${factor.factorId}/rename`, { label });
    expect(renamed.status).toBe(200);
    expect(renamed.body.factor.label).toMatch(/^<script> Phone!+$/);
    expect(renamed.body.factor.label.length).toBe(64);
    expect((await jar.page("/2fa/settings")).text).not.toContain("<script> Phone");
    expect((await jar.page("/2fa/settings")).text).toContain("&lt;script&gt; Phone");
  });

  test("enrolling past the limit of factors is a conflict, not a bigger and bigger record", async () => {
    const { target, factor } = await prepared();
    const jar = await full(target, "alice", factor.phone);
    const answers = [];
    for (let count = 0; count < 22; count += 1) {
      const begun = await jar.post("/2fa/totp/enroll", { label: `Phone ${count}` });
      answers.push(begun);
      if (begun.status !== 201) continue;
      const code = authenticatorApp(begun.body.uri).code(target.clock());
      await jar.post("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code });
    }
    expectProblem(answers.at(-1)!, "conflict");
    expect((await target.mfa.accounts.factors("u1")).length).toBeLessThanOrEqual(20);
  });
});
