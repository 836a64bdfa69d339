import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "@jest/globals";
import {
  backupCodes,
  ConfigurationError,
  type Method,
  type MessageOverrides,
  type SecondFactorOptions,
  totp,
} from "express-second-factor";
import { CANARY, testApp, type TestAppOptions, type TestUser } from "../support/app.js";
import { copyOf, distantStore, expectDenied, HOUR, MINUTE, storedAccount, told } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { HANGS, REJECTS } from "../support/faults.js";
import { actions, happened } from "../support/observe.js";
import { colours } from "./colours/colours.js";
import {
  addColours,
  ADDRESS,
  BASE,
  type ColourApp,
  colourApp,
  coloursIn,
  MASKED,
  Outbox,
  sequenceFor,
  waitingForColours,
  waitingForKnock,
  withColours,
  wrongSequence,
} from "./colours/stage.js";
import { colourWords } from "./colours/words.js";
import { submit } from "../support/pages.js";

const FOLDER = new URL("colours/", import.meta.url);
const SHOWN = ["colours.ts", "method.ts", "page.ts", "routes.ts", "words.ts", "knock.ts"];

function textOf(file: string): string {
  return readFileSync(new URL(file, FOLDER), "utf8");
}

function secondsIn(answer: { headers: Record<string, string> }): number {
  return Number(answer.headers["retry-after"]);
}

async function factorsOf({ mfa }: ColourApp) {
  return mfa.accounts.factors("u1");
}

describe("a method from outside the package", () => {
  test.each(SHOWN)("%s imports the package by its name, and nothing of lib/", (file) => {
    const specifiers = [...textOf(file).matchAll(/from "([^"]+)"/g)].map(([, specifier]) => specifier);
    const foreign = specifiers.filter((each) => !/^(express-second-factor|node:crypto|\.\/[a-z]+\.js)$/.test(each!));
    expect([specifiers.length > 0, foreign]).toEqual([true, []]);
  });

  test("stands in docs/methods.md file by file, as it is", () => {
    const page = readFileSync(new URL("../../docs/methods.md", import.meta.url), "utf8");
    expect(SHOWN.filter((file) => !page.includes(textOf(file)))).toEqual([]);
    expect(readdirSync(FOLDER).toSorted()).toEqual([...SHOWN, "stage.ts"].toSorted());
  });
});

describe("setting colours up", () => {
  let target: ColourApp;
  let jar: Jar<ColourApp>;

  beforeEach(async () => {
    target = colourApp();
    jar = new Jar(target);
    await jar.login("alice");
  });

  test("sends a sequence to the address, and answers where it went, masked", async () => {
    const begun = await jar.post(`${BASE}/enroll`, { address: ADDRESS });
    expect([begun.status, begun.body]).toEqual([202, { factorId: expect.any(String), sentTo: MASKED }]);
    expect(target.outbox.messages).toEqual([{ to: ADDRESS, sequence: expect.stringMatching(/^([a-z]+-){6}[a-z]+$/) }]);
    expect(await factorsOf(target)).toEqual([]);
  });

  test("is proved by that sequence, however it is written; backup codes come with it", async () => {
    const { factorId } = (await jar.post(`${BASE}/enroll`, { address: ADDRESS })).body;
    const code = ` ${target.outbox.last.toUpperCase().replaceAll("-", ", ")} `;
    const done = await jar.post(`${BASE}/enroll/confirm`, { factorId, code });
    expect(done.status).toBe(201);
    expect(done.body).toMatchObject({ factor: { type: "colour-sequence", label: "Colours", hint: MASKED } });
    expect(done.body.backupCodes).toHaveLength(10);
  });

  test("keeps the address sealed: the store has neither it nor a sequence", async () => {
    await addColours(jar);
    const stored = await storedAccount(target, "alice");
    expect(stored).not.toContain(ADDRESS);
    expect(stored).not.toContain(target.outbox.last);
  });

  test.each([
    ["none", undefined],
    ["a word", "ann"],
    ["a list", [ADDRESS]],
    ["a long one", `${"a".repeat(255)}@acme.test`],
  ])("is refused with 400 for %s as an address; nothing is sent or counted", async (_name, address) => {
    for (let times = 0; times < 5; times += 1) {
      const answer = await jar.post(`${BASE}/enroll`, { address });
      expect([answer.status, answer.body.code]).toEqual([400, "invalid-request"]);
    }
    expect(target.outbox.messages).toEqual([]);
    expect((await jar.post(`${BASE}/enroll`, { address: ADDRESS })).status).toBe(202);
  });

  test("takes three wrong answers, then not even the right one", async () => {
    const { factorId } = (await jar.post(`${BASE}/enroll`, { address: ADDRESS })).body;
    const right = target.outbox.last;
    for (const code of [wrongSequence(right), wrongSequence(right), wrongSequence(right), right]) {
      const answer = await jar.post(`${BASE}/enroll/confirm`, { factorId, code });
      expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    }
  });

  test("is over with the sequence, five minutes later", async () => {
    const { factorId } = (await jar.post(`${BASE}/enroll`, { address: ADDRESS })).body;
    target.clock.advance(5 * MINUTE);
    expect((await jar.post(`${BASE}/enroll/confirm`, { factorId, code: target.outbox.last })).status).toBe(401);
  });

  test("counts with what is sent: a pause between two messages, and three in half an hour", async () => {
    const begin = () => jar.post(`${BASE}/enroll`, { address: ADDRESS });
    await begin();
    const paused = await begin();
    expect([paused.status, paused.body.code, secondsIn(paused)]).toEqual([429, "too-many-attempts", 60]);
    for (let times = 0; times < 2; times += 1) {
      target.clock.advance(MINUTE);
      expect((await begin()).status).toBe(202);
    }
    target.clock.advance(MINUTE);
    expect(secondsIn(await begin())).toBe(27 * 60);
  });

  test("costs nothing where the message is not taken: 503, and at once again", async () => {
    target.outbox.fault = REJECTS;
    const refused = await jar.post(`${BASE}/enroll`, { address: ADDRESS });
    expect([refused.status, refused.body.code]).toEqual([503, "delivery-failed"]);
    target.outbox.fault = undefined;
    await addColours(jar);
  });

  test("works on the pages, without a script", async () => {
    const settings = await jar.page("/2fa/settings");
    expect(settings.text).toContain(`action="${BASE}/enroll"`);
    expect(settings.text).toContain('name="address"');
    const { page: begun } = await submit(jar, `${BASE}/enroll`, { address: ADDRESS, label: "Work" });
    expect(begun.text).toContain(colourWords.enroll.codeTitle);
    const factorId = /name="factorId" value="([^"]+)"/.exec(begun.text)?.[1];
    const wrong = await jar.form(`${BASE}/enroll/confirm`, { factorId, code: wrongSequence(target.outbox.last) });
    expect([wrong.status, wrong.text.includes('aria-invalid="true"')]).toEqual([401, true]);
    const unreadable = await jar.form(`${BASE}/enroll/confirm`, { factorId, code: "red" });
    expect([unreadable.status, unreadable.text.includes(colourWords.challenge.unreadable)]).toEqual([400, true]);
    const { page: done } = await submit(jar, `${BASE}/enroll/confirm`, { factorId, code: target.outbox.last });
    expect(done.text).toContain("Save your backup codes");
    expect(await factorsOf(target)).toMatchObject([{ label: "Work", hint: MASKED }]);
  });

  test("is the first screen where the policy demands a factor", async () => {
    const strict = colourApp({ options: { policy: "required" } });
    const newcomer = new Jar(strict);
    await newcomer.login("carol");
    expect((await newcomer.page("/2fa")).text).toContain(`action="${BASE}/enroll"`);
    await addColours(newcomer);
    expect(await newcomer.isIn()).toBe(true);
  });
});

describe("a login", () => {
  let target: ColourApp;
  let jar: Jar<ColourApp>;

  beforeEach(async () => {
    target = colourApp();
    jar = await waitingForColours(target);
    happened(target);
  });

  test("is asked for colours, has them sent, and is complete with them", async () => {
    const asked = (await jar.get("/2fa")).body;
    const factor = { id: expect.any(String), label: "Colours", hint: MASKED };
    expect(asked).toMatchObject({ preferred: "colour-sequence", methods: [{ factors: [factor] }, expect.anything()] });
    const sent = await jar.post(`${BASE}/send`, { factorId: asked.methods[0].factors[0].id });
    expect([sent.status, sent.body]).toEqual([202, { sentTo: MASKED }]);
    await expectDenied(jar);
    const answer = await jar.post(BASE, { code: target.outbox.last });
    expect([answer.status, answer.body]).toMatchObject([200, { status: "verified", amr: ["mca", "mfa"] }]);
    expect(await jar.isIn()).toBe(true);
    expect(actions(target)).toEqual(["code-sent", "colours-matched"]);
  });

  test("works on the pages: a button that sends, a field, and on to where the user was going", async () => {
    await jar.page("/account");
    const page = await jar.page("/2fa");
    expect(page.text).toContain(colourWords.challenge.send(MASKED));
    const factorId = /name="factorId" value="([^"]+)"/.exec(page.text)?.[1];
    const sent = await jar.form(`${BASE}/send`, { factorId });
    expect([sent.status, sent.headers["location"]]).toEqual([303, "/2fa?method=colour-sequence"]);
    const wrong = await jar.form(BASE, { code: wrongSequence(target.outbox.last) });
    expect([wrong.status, wrong.text.includes('aria-invalid="true"')]).toEqual([401, true]);
    const paused = await jar.form(`${BASE}/send`, { factorId });
    expect([paused.status, paused.text.includes('role="alert"')]).toEqual([429, true]);
    const right = await jar.form(BASE, { code: target.outbox.last });
    expect([right.status, right.headers["location"]]).toEqual([303, "/account"]);
  });

  test("has a sequence of its own: another login's is worth nothing in it", async () => {
    const other = new Jar(target);
    await other.login("alice");
    const mine = await sequenceFor(jar);
    target.clock.advance(MINUTE);
    const theirs = await sequenceFor(other);
    expect((await jar.post(BASE, { code: theirs })).status).toBe(401);
    expect((await other.post(BASE, { code: mine })).status).toBe(401);
    expect((await jar.post(BASE, { code: mine })).status).toBe(200);
    expect((await other.post(BASE, { code: theirs })).status).toBe(200);
  });

  test("takes each sequence once, for five minutes, and only the newest", async () => {
    const first = await sequenceFor(jar);
    target.clock.advance(MINUTE);
    const second = await sequenceFor(jar);
    expect((await jar.post(BASE, { code: first })).status).toBe(401);
    expect((await jar.post(BASE, { code: second })).status).toBe(200);
    expect((await jar.post(BASE, { code: second })).status).toBe(401);
    target.clock.advance(MINUTE);
    const third = await sequenceFor(jar);
    target.clock.advance(5 * MINUTE);
    expect((await jar.post(BASE, { code: third })).status).toBe(401);
  });

  test("has three tries over the sequence's life, however they are spread", async () => {
    const right = await sequenceFor(jar);
    for (let times = 0; times < 3; times += 1) {
      expect((await jar.post(BASE, { code: wrongSequence(right) })).status).toBe(401);
      target.clock.advance(MINUTE);
    }
    const answer = await jar.post(BASE, { code: right });
    expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
    expect((await jar.post(BASE, { code: await sequenceFor(jar) })).status).toBe(200);
  });

  test("counts nothing for what cannot be a sequence", async () => {
    const right = await sequenceFor(jar);
    for (const code of ["", "red", "red-green-blue-red-pink-red-red", 5, "x".repeat(2000), undefined]) {
      expect((await jar.post(BASE, { code })).status).toBe(400);
    }
    expect((await jar.post(BASE, { code: right })).status).toBe(200);
  });

  test("is limited by the method's own budget, and by the one all codes share", async () => {
    const right = await sequenceFor(jar);
    for (let times = 0; times < 5; times += 1) await jar.post(BASE, { code: wrongSequence(right) });
    const answer = await jar.post(BASE, { code: right });
    expect([answer.status, secondsIn(answer)]).toEqual([429, 15 * 60]);
    expect(happened(target).filter(({ action }) => action === "locked")).toMatchObject([{ reason: "colourGuess" }]);
    for (let times = 0; times < 5; times += 1) await jar.post("/2fa/backup-code", { code: "0000-0000-0000-0000" });
    expect((await jar.post("/2fa/backup-code", { code: "0000-0000-0000-0000" })).status).toBe(429);
  });

  test("has three messages in half an hour, with a pause of a minute after each", async () => {
    await sequenceFor(jar);
    const paused = await jar.post(`${BASE}/send`);
    expect([paused.status, paused.body.code, secondsIn(paused)]).toEqual([429, "too-many-attempts", 60]);
    target.clock.advance(MINUTE);
    await sequenceFor(jar);
    target.clock.advance(MINUTE);
    await sequenceFor(jar);
    target.clock.advance(MINUTE);
    expect(secondsIn(await jar.post(`${BASE}/send`))).toBe(27 * 60);
    expect((await jar.post(BASE, { code: target.outbox.last })).status).toBe(200);
  });

  test("sends only to what is stored, and only to a factor of the account's own", async () => {
    const other = await withColours(target, "carol", { address: "carol@acme.test" });
    const [{ id: factorId } = { id: "" }] = await target.mfa.accounts.factors("u3");
    expect((await jar.post(`${BASE}/send`, { factorId })).status).toBe(404);
    expect((await other.post(`${BASE}/send`, { factorId, address: "mallory@acme.test" })).status).toBe(202);
    expect(target.outbox.messages.at(-1)?.to).toBe("carol@acme.test");
  });

  test("tells clients which colours there are, on a route of the method's own", async () => {
    expect((await jar.get(`${BASE}/palette`)).body.colours).toHaveLength(8);
    expect((await jar.page(`${BASE}/palette`)).headers["location"]).toBe("/2fa");
    expect((await new Jar(target).get(`${BASE}/palette`)).status).toBe(401);
  });

  describe("whose message does not arrive", () => {
    test("where it was refused is answered with 503, costs nothing, and can be sent at once", async () => {
      target.outbox.fault = REJECTS;
      for (let times = 0; times < 5; times += 1) {
        const refused = await jar.post(`${BASE}/send`);
        expect([refused.status, refused.body.code]).toEqual([503, "delivery-failed"]);
      }
      expect(actions(target)).toEqual(Array.from({ length: 5 }, () => "delivery-failed"));
      target.outbox.fault = undefined;
      expect((await jar.post(BASE, { code: await sequenceFor(jar) })).status).toBe(200);
    });

    test("leaves the sequence of before as it was, where it was refused", async () => {
      const right = await sequenceFor(jar);
      target.clock.advance(MINUTE);
      target.outbox.fault = REJECTS;
      expect((await jar.post(`${BASE}/send`)).status).toBe(503);
      expect((await jar.post(BASE, { code: right })).status).toBe(200);
    });

    test("where nobody answers is answered with 503, and stays counted", async () => {
      target.outbox.fault = HANGS;
      const silent = await jar.post(`${BASE}/send`);
      expect([silent.status, silent.body.code]).toEqual([503, "delivery-failed"]);
      target.outbox.fault = undefined;
      expect(secondsIn(await jar.post(`${BASE}/send`))).toBe(60);
    });

    test("is told on the challenge page", async () => {
      target.outbox.fault = REJECTS;
      const page = await jar.form(`${BASE}/send`);
      expect(page.status).toBe(503);
      expect(page.text).toContain("The message could not be sent.");
      expect(page.text).toContain(`action="${BASE}"`);
    });
  });
});

describe("the limits option", () => {
  test("replaces the numbers that the method brings", async () => {
    const limits = { colourSend: { limit: 1, window: "5m" }, colourPause: { limit: 9, window: "1s" } } as const;
    const target = colourApp({ options: { limits } });
    const jar = await waitingForColours(target);
    await sequenceFor(jar);
    expect(secondsIn(await jar.post(`${BASE}/send`))).toBe(300);
  });

  test("is refused at start for a kind that no method brings", () => {
    const limits = { colourSent: { limit: 1, window: "5m" } } as const;
    expect(() => colourApp({ options: { limits } })).toThrow(/limits\.colourSent/);
    expect(() => testApp({ options: { limits: { colourSend: limits.colourSent } } })).toThrow(/limits\.colourSend/);
  });
});

describe("the settings", () => {
  let target: ColourApp;
  let jar: Jar<ColourApp>;

  beforeEach(async () => {
    target = colourApp();
    jar = await withColours(target);
  });

  test("list the factor with its masked address", async () => {
    const { factors } = (await jar.get("/2fa/settings")).body;
    expect(factors).toMatchObject([{ type: "colour-sequence", label: "Colours", hint: MASKED }]);
    const page = (await jar.page("/2fa/settings")).text;
    expect(page).toContain(MASKED);
    expect(page).toContain(colourWords.name);
    expect(page).not.toContain(ADDRESS);
  });

  test("have the row's own action: it sends a sequence, and the page asks for it", async () => {
    const page = (await jar.page("/2fa/settings")).text;
    expect(page).toContain(colourWords.settings.check);
    const factorId = new RegExp(`${BASE}/send">\\s*<input type="hidden" name="factorId" value="([^"]+)"`).exec(
      page,
    )?.[1];
    const sent = await jar.form(`${BASE}/send`, { factorId });
    expect(sent.headers["location"]).toBe("/2fa?method=colour-sequence");
    expect((await jar.page("/2fa?method=colour-sequence")).text).toContain(`action="${BASE}"`);
    expect((await jar.form(BASE, { code: target.outbox.last })).status).toBe(303);
  });

  test("rename it and remove it", async () => {
    const [{ id } = { id: "" }] = await factorsOf(target);
    expect((await jar.post(`/2fa/factors/${id}/rename`, { label: "Work" })).body.factor.label).toBe("Work");
    expect((await jar.post(`/2fa/factors/${id}/remove`)).status).toBe(204);
    expect(await factorsOf(target)).toEqual([]);
  });
});

describe("step-up", () => {
  test("asks for colours of somebody who signed in with something else", async () => {
    const guard: TestAppOptions["routes"] = (app, { require }) => {
      app.get("/vault", require({ methods: ["colour-sequence"] }), (_req, res) => void res.json({ canary: CANARY }));
    };
    const target = colourApp({ routes: guard });
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.enroll();
    await addColours(jar);
    await jar.post("/logout");
    await jar.login("alice");
    await jar.post(BASE, { code: await sequenceFor(jar) });
    expect(await jar.isIn("/vault")).toBe(true);
    const byApp = new Jar(target);
    await byApp.login("alice");
    await byApp.post("/2fa/backup-code", { code: (await target.mfa.accounts.regenerateBackupCodes("u1"))?.[0] });
    const asked = await byApp.get("/vault");
    expect([asked.status, asked.body.code]).toEqual([401, "step-up-required"]);
    expect(asked.body.methods.map(({ type }: { type: string }) => type)).toEqual(["colour-sequence"]);
    target.clock.advance(MINUTE);
    await byApp.post(BASE, { code: await sequenceFor(byApp) });
    expect(await byApp.isIn("/vault")).toBe(true);
  });
});

describe("mfa.strategy of the method", () => {
  test("completes the login on a route of the application's own", async () => {
    const target = colourApp({
      options: { exempt: ["/login", "/logout", "/colours"] },
      routes(app, mfa, authenticator) {
        authenticator.use(mfa.strategy("colour-sequence"));
        app.post("/colours", authenticator.authenticate("colour-sequence"), (_req, res) => void res.sendStatus(204));
      },
    });
    const jar = await waitingForColours(target);
    const right = await sequenceFor(jar);
    expect((await jar.post("/colours", { code: wrongSequence(right) })).status).toBe(401);
    await expectDenied(jar);
    expect((await jar.post("/colours", { code: right })).status).toBe(204);
    expect(await jar.isIn()).toBe(true);
  });
});

describe("the audit trail", () => {
  test("has every step by name, with the method and without any secret", async () => {
    const target = colourApp();
    const jar = await waitingForColours(target);
    const [{ id: factorId } = { id: "" }] = await factorsOf(target);
    const right = await sequenceFor(jar);
    await jar.post(BASE, { code: wrongSequence(right) });
    await jar.post(BASE, { code: right });
    const ours = happened(target).filter(({ method }) => method === "colour-sequence");
    expect(ours.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["code-sent", "success"],
      ["factor-enrolled", "success"],
      ["code-sent", "success"],
      ["factor-failed", "failure"],
      ["colours-matched", "success"],
    ]);
    expect(ours.at(-1)).toMatchObject({ userId: "u1", factorId });
    const text = JSON.stringify(ours);
    expect([text.includes(right), text.includes(ADDRESS)]).toEqual([false, false]);
  });
});

describe("words", () => {
  test("of the method are replaced like all others", async () => {
    const messages: MessageOverrides = {
      methods: { "colour-sequence": { name: "Farben", challenge: { send: (target) => `Farben an ${target}` } } },
    };
    const target = colourApp({ options: { pages: { messages, lang: "de" } } });
    const jar = await waitingForColours(target);
    const page = (await jar.page("/2fa")).text;
    expect(page).toContain(`Farben an ${MASKED}`);
    expect(page).toContain(colourWords.challenge.title);
  });

  test("that are none are refused at start", () => {
    const messages = { methods: { "colour-sequence": { nmae: "Farben" } } } as unknown as MessageOverrides;
    expect(() => colourApp({ options: { pages: { messages } } })).toThrow(
      /methods\.colour-sequence\.nmae is not a message/,
    );
  });
});

const SCRIPT = "<script>alert(1)</script>";

/** Every word with a script in it. */
function poisoned(words: object): object {
  return Object.fromEntries(
    Object.entries(words).map(([name, word]: [string, unknown]) => {
      if (typeof word === "string") return [name, `${word}${SCRIPT}`];
      return [name, typeof word === "function" ? () => `${name}${SCRIPT}` : poisoned(word as object)];
    }),
  );
}

describe("markup in words, labels and addresses", () => {
  function expectEscaped(page: { readonly text: string }): void {
    expect(page.text).not.toContain("<script>alert");
    expect(page.text).toContain("&lt;script&gt;alert");
  }

  test("is text on every page", async () => {
    const messages = { methods: { "colour-sequence": poisoned(colourWords) } } as MessageOverrides;
    const target = colourApp({ options: { pages: { messages }, policy: "required" } });
    const { clock, outbox } = target;
    const jar = new Jar(target);
    await jar.login("alice");
    expectEscaped(await jar.page("/2fa"));
    const { page: begun } = await submit(jar, `${BASE}/enroll`, { address: `ann@${SCRIPT}.test`, label: SCRIPT });
    expectEscaped(begun);
    const factorId = /name="factorId" value="([^"]+)"/.exec(begun.text)?.[1];
    expectEscaped(await jar.form(`${BASE}/enroll/confirm`, { factorId, code: "<script>" }));
    await jar.form(`${BASE}/enroll/confirm`, { factorId, code: outbox.last });
    expectEscaped(await jar.page("/2fa/settings"));
    await jar.post("/logout");
    clock.advance(HOUR);
    await jar.login("alice");
    expectEscaped(await jar.page("/2fa"));
    expectEscaped(await jar.form(BASE, { code: "<script>" }));
    expectEscaped(await jar.page("/2fa?method=backup-code"));
  });
});

describe("what cannot be a method is refused at start:", () => {
  const own = colours({ deliver: new Outbox().deliver });

  test.each<[string, readonly Method[], string]>([
    [
      "a reserved type",
      [{ ...own, type: "settings" }],
      'methods: the type "settings" is reserved for routes of the package',
    ],
    ["another", [{ ...own, type: "devices" }], 'methods: the type "devices" is reserved for routes of the package'],
    [
      "capitals",
      [{ ...own, type: "Colours" }],
      'methods: the type "Colours" must be kebab case, such as "hardware-token"',
    ],
    ["no type", [{ ...own, type: "" }], 'methods: the type "" must be kebab case, such as "hardware-token"'],
    [
      "a type twice",
      [own, { ...own, limitDefaults: {}, limits: [] }],
      'methods: "colour-sequence" appears twice; each type is one row',
    ],
    [
      "a limit that another method brings",
      [totp(), { ...own, limitDefaults: { ...own.limitDefaults, totp: { limit: 1, window: 1 } } }],
      'methods: the limit "totp" exists already; a method brings kinds of its own',
    ],
    [
      "a limit that all share",
      [{ ...own, limitDefaults: { ...own.limitDefaults, allCodes: { limit: 1, window: 1 } } }],
      'methods: the limit "allCodes" exists already; a method brings kinds of its own',
    ],
    ...["constructor", "a/b", "Colour", ""].map((kind): [string, Method[], string] => [
      `a limit called ${JSON.stringify(kind)}`,
      [{ ...own, limitDefaults: { ...own.limitDefaults, [kind]: { limit: 1, window: 1 } } }],
      `methods: the limit ${JSON.stringify(kind)} must be a name of its own in camel case, such as "smsSend"`,
    ]),
    ...[{ limit: 0, window: 1 }, { limit: 1, window: "1m" }, { limit: 1 }, { limit: 1, window: NaN }, 5].map(
      (limit): [string, Method[], string] => [
        `a limit of ${JSON.stringify(limit)}`,
        [{ ...own, limitDefaults: { ...own.limitDefaults, colourSend: limit as never } }],
        'methods: the limit "colourSend" must be { limit, window }: a whole number from 1, milliseconds',
      ],
    ),
    [
      "limits that nobody brings",
      [{ ...own, limitDefaults: {} }],
      'methods: nothing says what the limit "colourSend" is; bring it with limitDefaults',
    ],
  ])("%s", (_name, methods, sentence) => {
    const options: Partial<SecondFactorOptions<TestUser>> = { methods };
    let problems: readonly string[] = [];
    try {
      testApp({ options });
    } catch (error) {
      if (error instanceof ConfigurationError) ({ problems } = error);
    }
    expect(problems).toContain(sentence);
  });
});

describe("thirty answers at once, over a distant store", () => {
  async function manyCopies(limits: NonNullable<SecondFactorOptions["limits"]> = {}) {
    const { store } = distantStore();
    const target = colourApp({ store, options: { limits } });
    const jar = await waitingForColours(target);
    const right = await sequenceFor(jar);
    happened(target);
    return { target, jar, right, copies: Array.from({ length: 30 }, () => copyOf(jar)) };
  }

  test("all of them right: one is accepted", async () => {
    const { copies, right, target } = await manyCopies();
    const answers = await Promise.all(copies.map((copy) => copy.post(BASE, { code: right })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    expect(told("colours-matched", target)).toBe(1);
  });

  test("all of them wrong: no more than the limit's are looked at", async () => {
    const { copies, right, target } = await manyCopies();
    const code = wrongSequence(right);
    const answers = await Promise.all(copies.map((copy) => copy.post(BASE, { code })));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(25);
    expect(told("factor-failed", target)).toBe(5);
  });

  test("all of them wrong, and no limit to stop them: the sequence is dead after its tries", async () => {
    const none = { limit: 1_000, window: "15m" } as const;
    const { copies, jar, right } = await manyCopies({ colourGuess: none, allCodes: none });
    await Promise.all(copies.map((copy) => copy.post(BASE, { code: wrongSequence(right) })));
    const answer = await jar.post(BASE, { code: right });
    expect([answer.status, answer.body.code]).toEqual([401, "invalid-code"]);
  });

  test("all of them asking for a message: one is sent", async () => {
    const { copies, target } = await manyCopies();
    const before = target.outbox.messages.length;
    target.clock.advance(MINUTE);
    const answers = await Promise.all(copies.map((copy) => copy.post(`${BASE}/send`)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(target.outbox.messages).toHaveLength(before + 1);
  });
});

describe("a rotation of keys", () => {
  test("seals addresses and sequences anew; what was sent before still counts", async () => {
    const [older, newer] = ["2025-01", "2026-11"].map((id) => `${id}:${randomBytes(32).toString("base64")}`);
    const outbox = new Outbox();
    const before = colourApp({ options: { keys: older } }, outbox);
    const jar = await waitingForColours(before);
    const right = await sequenceFor(jar);
    const { clock, sessionStore, store } = before;
    const after = colourApp({ clock, sessionStore, store, options: { keys: `${newer},${older}` } }, outbox);
    expect(await after.mfa.rotateKeys()).toMatchObject({ rotated: 1, left: {}, unreadable: 0 });
    expect(await storedAccount(after, "alice")).not.toContain('"2025-01.');
    const alone = colourApp({ clock, sessionStore, store, options: { keys: newer } }, outbox);
    const same = new Jar(alone);
    same.agent.jar = jar.agent.jar;
    expect((await same.post(BASE, { code: right })).status).toBe(200);
    clock.advance(MINUTE);
    await sequenceFor(same);
    expect(outbox.messages.at(-1)?.to).toBe(ADDRESS);
  });
});

describe("mfa.accounts.verify", () => {
  test("takes a sequence that a login had sent, once", async () => {
    const target = colourApp();
    const jar = await waitingForColours(target);
    const right = await sequenceFor(jar);
    const verify = (code: string) => target.mfa.accounts.verify("u1", { method: "colour-sequence", code });
    expect(await verify("red")).toEqual({ ok: false, code: "invalid-request" });
    expect(await verify(wrongSequence(right))).toEqual({ ok: false, code: "invalid-code" });
    expect(await verify(right)).toMatchObject({ ok: true, method: "colour-sequence" });
    expect(await verify(right)).toEqual({ ok: false, code: "invalid-code" });
    expect((await jar.post(BASE, { code: right })).status).toBe(401);
  });
});

describe("a method that is answered from elsewhere", () => {
  test("waits with 200, and finishes the login once the other side has approved", async () => {
    const { jar, phones, target } = await waitingForKnock();
    expect((await jar.post("/2fa/knock/send")).status).toBe(202);
    happened(target);
    for (let times = 0; times < 20; times += 1) {
      const answer = await jar.post("/2fa/knock");
      expect([answer.status, answer.body]).toEqual([200, { status: "waiting", expiresAt: expect.any(String) }]);
    }
    await expectDenied(jar);
    expect(actions(target)).toEqual([]);
    phones.answer("approved");
    expect((await jar.post("/2fa/knock")).body).toMatchObject({ status: "verified" });
    expect(await jar.isIn()).toBe(true);
    expect((await jar.post("/2fa/knock")).status).toBe(401);
  });

  test("opens the login that asked, and no other", async () => {
    const { jar, phones, target } = await waitingForKnock();
    const other = new Jar(target);
    await other.login("alice");
    await jar.post("/2fa/knock/send");
    phones.answer("approved");
    expect((await other.post("/2fa/knock")).status).toBe(401);
    expect((await jar.post("/2fa/knock")).status).toBe(200);
  });

  test("refuses what the other side denied, under a name of its own, and what nobody answered in time", async () => {
    const { jar, phones, target } = await waitingForKnock();
    await jar.post("/2fa/knock/send");
    happened(target);
    phones.answer("denied");
    expect((await jar.post("/2fa/knock")).status).toBe(401);
    expect(actions(target)).toEqual(["knock-denied", "factor-failed"]);
    await jar.post("/2fa/knock/send");
    target.clock.advance(2 * MINUTE);
    phones.answer("approved");
    expect((await jar.post("/2fa/knock")).status).toBe(401);
    await expectDenied(jar);
  });

  test("brings a browser back to the same page while it waits, and on when it is done", async () => {
    const { jar, phones } = await waitingForKnock();
    await jar.form("/2fa/knock/send");
    const page = await jar.page("/2fa?method=knock");
    expect(page.text).toContain("I have answered");
    expect((await jar.form("/2fa/knock")).headers["location"]).toBe("/2fa?method=knock");
    phones.answer("approved");
    expect((await jar.form("/2fa/knock")).headers["location"]).toBe("/account");
  });
});

describe("beside the others", () => {
  test("the method is one of several, in the order of the methods option", async () => {
    const outbox = new Outbox();
    const [own] = coloursIn(outbox);
    const target = colourApp({ options: { methods: [totp(), own!, backupCodes()] } }, outbox);
    const jar = new Jar(target);
    await jar.login("alice");
    const { phone } = await jar.enroll();
    await addColours(jar);
    await jar.post("/logout");
    await jar.login("alice");
    const { methods } = (await jar.get("/2fa")).body;
    expect(methods.map(({ type }: { type: string }) => type)).toEqual(["totp", "colour-sequence", "backup-code"]);
    const page = (await jar.page("/2fa")).text;
    expect(page).toContain(`<a href="/2fa?method=colour-sequence">${colourWords.challenge.choose}</a>`);
    expect((await jar.verify(phone.code(target.clock()))).status).toBe(200);
  });
});
