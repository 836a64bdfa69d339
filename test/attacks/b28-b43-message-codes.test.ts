import { describe, expect, test } from "@jest/globals";
import type { Response } from "supertest";
import type { Notice } from "express-second-factor";
import { ask, HOUR, MINUTE, MODES, type Mode, send } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import { HANGS, REJECTS } from "../support/faults.js";
import { overhear } from "../support/overheard.js";
import { type RecordingStore, recordingStore } from "../support/recording-store.js";
import { found, PAGES } from "../support/routes.js";
import {
  answered,
  CODE_TYPES,
  codeApp,
  type CodeApp,
  codeMethods,
  CodeOutbox,
  type CodeType,
  guesses,
  KINDS,
  type SentCode,
  sentTo,
  withCodes,
} from "../support/sent-codes.js";

const overheard = overhear();

/** Every way a destination could be written down. */
function spelled(destination: string): string[] {
  const digits = destination.replace(/^\+/, "");
  const plain = destination.includes("@") ? [destination, destination.split("@")[0]!] : [destination, digits];
  const bytes = Buffer.from(destination);
  const encoded = [bytes.toString("hex"), bytes.toString("base64").replace(/=+$/, ""), bytes.toString("base64url")];
  return [...plain, ...encoded, encodeURIComponent(destination)];
}

/** Whether text holds these digits as a number of their own: six digits stand in times and ids by chance. */
function says(text: string, codes: readonly string[]): string[] {
  return codes.filter((code) => new RegExp(`(?<![0-9A-Za-z_.-])${code}(?![0-9A-Za-z_-])`).test(text));
}

interface Journey {
  readonly target: CodeApp;
  readonly store: RecordingStore;
  readonly notices: readonly Notice[];
  readonly answers: readonly Response[];
  readonly messages: readonly SentCode[];
  readonly destinations: readonly string[];
}

/** Everything that is done with codes, right and wrong. */
async function journey(type: CodeType, mode: Mode): Promise<Journey> {
  const { base, destinationOf, limit, member } = KINDS[type];
  const [notices, answers, messages] = [[] as Notice[], [] as Response[], [] as SentCode[]];
  const outbox = new CodeOutbox();
  const store = recordingStore();
  const methods = codeMethods(outbox, { timeout: "50ms" });
  const notify = async (notice: Notice): Promise<void> => void notices.push(notice);
  const target = codeApp({ store, options: { methods, notify } }, outbox);
  const jar = new Jar(target);
  const act = async (path: string, body: object = {}, as: Mode = mode): Promise<Response> => {
    const answer = await (as === "JSON" ? jar.post(path, body) : jar.form(path, body));
    answers.push(answer);
    messages.push(...outbox.messages.filter((each) => !messages.includes(each)));
    return answer;
  };
  const code = (): string => outbox.last.code;
  const login = () => act("/login", { username: "alice", password: "alice-password" });
  const [own, next] = [destinationOf("alice"), destinationOf("dave")];

  await login();
  const begun = await act(`${base}/enroll`, { [member]: own }, "JSON");
  const { factorId } = begun.body as { factorId: string };
  answers.push(await ask(jar, mode, `${base}/enroll`));
  await act(`${base}/enroll/confirm`, { factorId, code: guesses(1, [code()])[0] });
  await act(`${base}/enroll/confirm`, { factorId, code: "not a code" });
  await act(`${base}/enroll/confirm`, { factorId, code: code() });
  await act("/logout");
  for (const fault of [REJECTS, HANGS, undefined]) {
    target.clock.advance(HOUR);
    await login();
    outbox.fault = fault;
    await act(`${base}/send`);
    outbox.fault = undefined;
    for (const path of PAGES) answers.push(await ask(jar, mode, path));
    await act(base, { code: "000000" });
    await act("/2fa/cancel");
  }
  target.clock.advance(HOUR);
  await login();
  await act(`${base}/send`);
  await act(`${base}/send`);
  await act(base, { code: guesses(1, [code()])[0] });
  await act(base, { code: code(), trustDevice: "true" });
  await act(base, { code: code() });
  target.clock.advance(2 * MINUTE);
  const second = await act(`${base}/enroll`, { [member]: next, replaces: factorId }, "JSON");
  await act(`${base}/enroll/confirm`, { factorId: second.body.factorId, code: code() });
  for (const path of [...PAGES, "/2fa/settings", `${base}/enroll`]) answers.push(await ask(jar, mode, path));
  await act(`/2fa/factors/${String(second.body.factorId)}/rename`, { label: "mine" });
  await act("/2fa/disable");
  expect([type, limit, messages.length]).toEqual([type, limit, expect.any(Number)]);
  expect(messages.length).toBeGreaterThan(3);
  return { target, store, notices, answers, messages, destinations: [own, next] };
}

describe.each(CODE_TYPES)("what is told of codes of %s, and where they go", (type) => {
  const { base, destinationOf } = KINDS[type];

  test.each(MODES)("B43 no answer holds a code or a destination, whatever happened (%s)", async (mode) => {
    const { answers, destinations, messages } = await journey(type, mode);
    const codes = messages.map(({ code }) => code);
    for (const { headers, request, status, text } of answers) {
      const all = text + JSON.stringify(headers);
      const where = `${request.method} ${request.url} ${status}`;
      expect([where, found(all, destinations.flatMap(spelled)), says(all, codes)]).toEqual([where, [], []]);
    }
    expect(answers.some(({ text }) => text.includes(KINDS[type].mask(destinationOf("alice"))))).toBe(true);
  });

  test("B43 nothing is printed, no event, error, notice or row of the store holds one", async () => {
    const { destinations, messages, notices, store, target } = await journey(type, "JSON");
    await new Promise((resolve) => setImmediate(resolve));
    const codes = messages.map(({ code }) => code);
    const needles = destinations.flatMap(spelled);
    const errors = target.errors.map(
      (each) => `${JSON.stringify(each)} ${String((each as { error?: unknown }).error)}`,
    );
    const places = {
      printed: overheard.printed.join(""),
      events: JSON.stringify([target.events, overheard.published]),
      errors: errors.join("\n"),
      // Where a replaced factor's owner is told, the notice goes to the old destination: that is its address.
      notices: JSON.stringify(notices.map((notice) => ({ ...notice, to: undefined }))),
      rows: store.written.join("\n"),
    };
    expect(store.written.length).toBeGreaterThan(20);
    for (const [place, text] of Object.entries(places)) {
      expect([place, found(text, needles), says(text, codes)]).toEqual([place, [], []]);
    }
  });

  test.each(MODES)(
    "B28 nothing shows the destination again, or what its codes are made of, once it is set up (%s)",
    async (mode) => {
      const target = codeApp();
      const factorId = await withCodes(target, type, "alice");
      const jar = await pending(target, "alice");
      await answered(jar, type, await sentTo(jar, type));
      const stored = JSON.parse((await target.store.read("account:u1"))!.value) as {
        factors: { state: Record<string, unknown> }[];
      };
      const secrets = stored.factors
        .flatMap(({ state }) => Object.values(state))
        .filter((each) => typeof each === "string");
      const sealed = secrets.filter((each) => each !== KINDS[type].mask(destinationOf("alice")));
      expect(sealed.length).toBeGreaterThan(1);
      const needles = [...spelled(destinationOf("alice")), ...sealed];
      const paths = [
        ...PAGES,
        `${base}/enroll`,
        `${base}/${factorId}`,
        `/2fa/factors/${factorId}`,
        `/2fa?method=${type}`,
      ];
      for (const path of paths) {
        const answer = await ask(jar, mode, path);
        expect([path, found(answer.text + JSON.stringify(answer.headers), needles)]).toEqual([path, []]);
      }
      for (const [path, body] of [
        [`${base}/send`, {}],
        [`/2fa/factors/${factorId}/rename`, { label: "mine" }],
        ["/2fa/preferred", { type }],
      ] as const) {
        const answer = await send(jar, mode, path, body);
        expect([path, found(answer.text, needles)]).toEqual([path, []]);
      }
      const { accounts } = target.mfa;
      const told = [await accounts.export("u1"), await accounts.factors("u1"), await accounts.status("u1")];
      expect(found(JSON.stringify(told), needles)).toEqual([]);
    },
  );

  test("B43 what a sender says when it fails is repeated to nobody", async () => {
    const target = codeApp(
      {},
      new (class extends CodeOutbox {
        override readonly send = async ({ code, to }: SentCode): Promise<void> => {
          throw new Error(`Could not send ${code} to ${JSON.stringify(to)}`);
        };
      })(),
    );
    const jar = new Jar(target);
    await jar.login("alice");
    const { member } = KINDS[type];
    const answer = await jar.post(`${base}/enroll`, { [member]: destinationOf("alice") });
    expect([answer.status, answer.body.code]).toEqual([503, "delivery-failed"]);
    expect(answer.text).not.toContain("Could not send");
    expect(
      found(
        JSON.stringify([target.events, overheard.published]) + overheard.printed.join(""),
        spelled(destinationOf("alice")),
      ),
    ).toEqual([]);
  });
});
