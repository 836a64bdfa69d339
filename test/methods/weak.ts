import { backupCodes, codePage, type CodeWords, type Method, passkeys, totp } from "express-second-factor";
import { testApp, type TestApp, type TestAppOptions } from "../support/app.js";
import { Jar } from "../support/browser.js";

/** The number that was accepted last: only a higher one proves anything. */
interface State {
  readonly last: number;
}

type Worth = Partial<Pick<Method, "aal" | "amr" | "isRestricted" | "stepsUp">>;

function words(name: string): CodeWords {
  return {
    name,
    challenge: {
      title: name,
      choose: name,
      send: (target) => `Ask ${target}`,
      label: "Number",
      hint: () => "A number.",
      unreadable: "Enter a number.",
    },
    enroll: {
      title: `Add: ${name}`,
      lead: "A number.",
      submit: "Begin",
      codeTitle: "Number",
      codeLead: "A number.",
      codeLabel: "Number",
      codeHint: "A number.",
      codeSubmit: "Turn on",
    },
  };
}

function normalize(code: string): string | undefined {
  return /^\d{1,6}$/.test(code) ? code : undefined;
}

/** A kind of factor that is proved by any number above the last one. `worth`: what is said of it. */
function numbers(type: string, worth: Worth): Method<State, number> {
  return {
    type,
    aal: 2,
    amr: [],
    phishingResistant: false,
    ...worth,
    limits: [type],
    limitDefaults: { [type]: { limit: 5, window: 60_000 }, [`${type}Send`]: { limit: 100, window: 60_000 } },
    refusal: "invalid-code",
    page: codePage({ icon: "app", kind: "digits", words: words(type) }),
    present: ({ code }) => (typeof code === "string" && normalize(code) !== undefined ? Number(code) : undefined),
    async verify(presented, factors) {
      const factor = factors.find(({ state }) => presented > state.last);
      return factor && { factor: { ...factor, state: { last: presented } } };
    },
    enroll: {
      label: type,
      normalize,
      begin: async () => ({ state: { last: 0 }, answer: {} }),
      confirm: async (code) => ({ state: { last: Number(code) } }),
    },
    send: {
      limits: [`${type}Send`],
      prepare: async (factor) => ({ factor, answer: { asked: true }, deliver: async () => undefined }),
    },
  };
}

/** Opens logins, and the settings of whoever has nothing else. */
export const MAILBOX = "mailbox";
/** As good as any code for routes, and as little as a mailbox for the settings. */
export const LINE = "line";

export function weakMethods(): readonly Method[] {
  return [
    numbers(MAILBOX, { aal: 1, amr: ["email"], isRestricted: true, stepsUp: false }),
    numbers(LINE, { amr: ["sms"], isRestricted: true }),
    totp(),
    backupCodes(),
    passkeys(),
  ];
}

export function weakApp({ options = {}, ...given }: TestAppOptions = {}): TestApp {
  return testApp({ ...given, options: { methods: weakMethods(), ...options } });
}

let last = 0;

/** A number that was not used yet. */
export function next(): string {
  last += 1;
  return String(last);
}

/** Proves a factor of a weak kind. */
export function give(jar: Jar, type: string, body: object = {}) {
  return jar.post(`/2fa/${type}`, { code: next(), ...body });
}

/** Sets a factor of a weak kind up in a login that may; answers what the confirmation answered. */
export async function addWeak(jar: Jar, type: string) {
  const begun = await jar.post(`/2fa/${type}/enroll`);
  if (begun.status !== 202) throw new Error(`enrollment answered ${begun.status}: ${begun.text}`);
  const { factorId } = begun.body as { factorId: string };
  const done = await jar.post(`/2fa/${type}/enroll/confirm`, { factorId, code: next() });
  if (done.status !== 201) throw new Error(`confirmation answered ${done.status}: ${done.text}`);
  return { factorId, ...(done.body as { backupCodes?: readonly string[] }) };
}

/** Somebody in a login that has shown a factor of a weak kind, as every one of theirs has. */
export async function inBy(target: TestApp, type: string, name = "alice"): Promise<Jar> {
  const jar = new Jar(target);
  await jar.login(name);
  const answer = await give(jar, type);
  if (answer.status !== 200) throw new Error(`${type} answered ${answer.status}: ${answer.text}`);
  return jar;
}

export function typesIn({ body }: { readonly body: { readonly methods?: readonly { readonly type: string }[] } }) {
  return body.methods?.map(({ type }) => type);
}
