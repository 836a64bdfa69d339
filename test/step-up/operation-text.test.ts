import { describe, expect, test } from "@jest/globals";
import { told } from "../support/attack.js";
import { enrolled, full, Jar, pending } from "../support/browser.js";
import { asked, confirm, type Field, guardedApp, opens, type Requirement } from "./stage.js";

const LONGEST = 500;

type Bind = NonNullable<Requirement["bind"]>;

const fromBody: Bind = (req) => (req.body as { value: string }).value;

async function boundBy(bind: Bind = fromBody): Promise<Field> {
  const target = guardedApp({ "/transfer": { bind } });
  const factor = await enrolled(target, "alice");
  return { target, ...factor, jar: await full(target, "alice", factor.phone) };
}

/** What a route that is bound by this answers to one request. */
async function answerTo(bind: unknown, value?: unknown) {
  const { jar } = await boundBy(bind as Bind);
  const { body, status, text } = await jar.post("/transfer", { value });
  return { body, status, text };
}

describe("what is confirmed is what is seen: the text of an operation", () => {
  test.each<readonly [string, unknown, string]>([
    ["text as it is", "Pay 5 to  Ann", "Pay 5 to  Ann"],
    ["a number", 5, "5"],
    ["false", false, "false"],
    [
      "JSON with its names in order and no white space",
      { to: "ann", amount: [5, { b: 1, a: null }] },
      '{"amount":[5,{"a":null,"b":1}],"to":"ann"}',
    ],
    [
      "letters of every language",
      "Überweise 5 € an Ἄννα, 安娜, أنّا und आन्ना",
      "Überweise 5 € an Ἄννα, 安娜, أنّا und आन्ना",
    ],
    ["spaces that numbers are grouped by", "1\u202f000,00\u00a0€", "1\u202f000,00\u00a0€"],
    ["a text direction turned round", "Pay 1\u202e0001 to Ann", "Pay 1[U+202E]0001 to Ann"],
    [
      "isolates and marks of direction",
      "\u2066a\u2069\u200f\u200eb\u061c",
      "[U+2066]a[U+2069][U+200F][U+200E]b[U+061C]",
    ],
    [
      "characters without a width",
      "An\u200bn\u00ad\ufeff\u2060\u200d\u200c",
      "An[U+200B]n[U+00AD][U+FEFF][U+2060][U+200D][U+200C]",
    ],
    ["line breaks of every kind", "a\nb\r\u2028\u2029\u0085", "a[U+000A]b[U+000D][U+2028][U+2029][U+0085]"],
    ["controls", "a\u0000\u001b[2K\u007f\t", "a[U+0000][U+001B][2K[U+007F][U+0009]"],
    [
      "fillers, blanks and selectors",
      "\u3164\u115f\u2800x\ufe0f\u{e0061}",
      "[U+3164][U+115F][U+2800]x[U+FE0F][U+E0061]",
    ],
    ["what has no appearance of its own", "\ue000\ufffe", "[U+E000][U+FFFE]"],
    ["half a character", "a\ud800b", "a[U+D800]b"],
    ["marks in a heap", `a${"\u0336".repeat(6)}`, `a${"\u0336".repeat(4)}[U+0336][U+0336]`],
    ["the same inside JSON", { "na\u202eme": "\u200b" }, '{"na[U+202E]me":"[U+200B]"}'],
  ])("shows %s", async (_what, value, text) => {
    const { jar } = await boundBy();
    const operation = await asked(jar, { value });
    expect(operation.text).toBe(text);
    const escaped = text.replace(/["]/g, "&quot;");
    expect((await jar.page(`/2fa?operation=${operation.id}`)).text).toContain(`<p dir="auto">${escaped}</p>`);
  });

  test.each<readonly [string, unknown, readonly unknown[]]>([
    ["lists", [5, "bob"], ['[5,"bob"]', ["5", "bob"], [5, "bob", null], { 0: 5, 1: "bob" }]],
    ["what cannot be told apart by looking", "Pay\u200b", ["Pay", "Pay[U+200B]", "Pay\u200c"]],
    ["half characters", "\ud800", ["\ud801", "\ufffd", "[U+D800]"]],
    ["numbers and text", 5, ["5", [5]]],
  ])("that only looks like another is another: %s", async (_what, value, others) => {
    const here = await boundBy();
    const operation = await asked(here.jar, { value });
    expect(await confirm(here, operation)).toBe(200);
    for (const other of others) expect(await opens(here.jar, "/transfer", { value: other })).toBe(false);
    expect(await opens(here.jar, "/transfer", { value })).toBe(true);
  });

  test("is the same in whatever order a body has its members", async () => {
    const { jar } = await boundBy();
    const first = await asked(jar, { value: { a: 1, b: { c: 2, d: 3 } } });
    expect(await asked(jar, { value: { b: { d: 3, c: 2 }, a: 1 } })).toEqual(first);
  });

  test("is shown to its last character", async () => {
    const here = await boundBy();
    const value = `${"安".repeat(LONGEST - 1)}!`;
    const operation = await asked(here.jar, { value });
    expect(operation.text).toBe(value);
    expect((await here.jar.page(`/2fa?operation=${operation.id}`)).text).toContain(`>${value}<`);
    expect(await confirm(here, operation)).toBe(200);
    expect(await opens(here.jar, "/transfer", { value })).toBe(true);
  });
});

describe("a request that nobody could confirm is 400, and asks for nothing", () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);

  test.each<readonly [string, unknown, string]>([
    ["text of one character too many", "x".repeat(LONGEST + 1), "operation-too-long"],
    ["text that is too long as it is shown", "\u200b".repeat(63), "operation-too-long"],
    ["JSON that is too long", { to: "x".repeat(LONGEST) }, "operation-too-long"],
    ["very long text", "x".repeat(90_000), "operation-too-long"],
    ["nothing", undefined, "operation-missing"],
    ["null", null, "operation-missing"],
    ["no text", "", "operation-missing"],
    ["blank text", " \n\u3000", "operation-missing"],
  ])("%s", async (_what, value, reason) => {
    const answer = await answerTo(fromBody, value);
    expect([answer.status, answer.body]).toMatchObject([400, { code: "invalid-request", reason }]);
    expect(answer.body.operation).toBeUndefined();
  });

  test.each<readonly [string, Bind]>([
    ["a member that the body lacks", (req) => ({ to: (req.body as { to: string }).to })],
    ["a number that is none", (req) => Number((req.body as { to: string }).to)],
    ["a hole in a list", (req) => Object.assign(Array<string>(3), { 0: req.method })],
  ])("%s", async (_what, bind) => {
    expect(await answerTo(bind)).toMatchObject({ status: 400, body: { reason: "operation-missing" } });
  });

  test("lists in lists without end", async () => {
    const { jar } = await boundBy();
    const body = `{"value":${"[".repeat(20_000)}${"]".repeat(20_000)}}`;
    const answer = await jar.post("/transfer", body).type("json");
    expect([answer.status, answer.body.reason]).toEqual([400, "operation-too-long"]);
  });

  test("what goes round in a circle", async () => {
    expect(await answerTo((_req: unknown) => cyclic)).toMatchObject({ status: 400 });
  });

  test("nobody is told before they have shown who they are", async () => {
    const { target } = await boundBy();
    expect((await new Jar(target).post("/transfer", {})).status).toBe(401);
  });

  test('under enforce: "report" is let through like everything else', async () => {
    const target = guardedApp({ "/transfer": { bind: fromBody } }, { options: { enforce: "report" } });
    const { phone } = await enrolled(target, "alice");
    expect(await opens(await full(target, "alice", phone), "/transfer", {})).toBe(true);
  });
});

describe('under enforce: "report" a bind stops nobody', () => {
  test.each<readonly [string, Bind]>([
    ["that throws", (req) => (req.body as { to: { name: string } }).to.name],
    ["that rejects", () => Promise.reject(new Error("The bank is away"))],
    ["that answers what no request can bring", (() => new Date()) as unknown as Bind],
    ["that says nothing, whatever the request", (() => undefined) as unknown as Bind],
  ])("%s: it is told, for whoever is signed in", async (_what, bind) => {
    const target = guardedApp({ "/transfer": { bind } }, { options: { enforce: "report" } });
    const { phone } = await enrolled(target, "alice");
    for (const jar of [await full(target, "alice", phone), await pending(target, "carol")]) {
      const before = told("would-block", target);
      expect(await opens(jar, "/transfer", {})).toBe(true);
      expect(told("would-block", target)).toBe(before + 1);
    }
  });
});

describe("a bind that no request can mend is the developer's to mend, and opens nothing", () => {
  test.each<readonly [string, unknown, RegExp]>([
    ["a date", (_req: unknown) => new Date(), /mfa.require: bind must answer text or JSON/],
    ["a function", (_req: unknown) => () => "Pay", /text or JSON/],
    ["a symbol", (_req: unknown) => Symbol("Pay"), /text or JSON/],
    ["a bigint in a list", (_req: unknown) => [5n], /text or JSON/],
    ["an instance of a class", (_req: unknown) => new URL("https://a.test"), /text or JSON/],
    ["a map", (_req: unknown) => ({ to: new Map() }), /text or JSON/],
    ["nothing, whatever the request", () => undefined, /without anything missing/],
    ["too much, whatever the request", () => "x".repeat(LONGEST + 1), /shown whole, in 500 characters/],
  ])("%s", async (_what, bind, message) => {
    const answer = await answerTo(bind);
    expect([answer.status, answer.body.code, answer.body.message]).toEqual([
      500,
      "app-error",
      expect.stringMatching(message),
    ]);
  });

  test("what it throws is told as its own: 503, and nothing is opened", async () => {
    const answer = await answerTo(() => {
      throw new Error("The application's own mistake");
    });
    expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
  });
});
