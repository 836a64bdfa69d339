import {
  codePage,
  type CodeWords,
  html,
  type Method,
  type MethodPage,
  postButton,
  problemText,
} from "express-second-factor";

/** The users' phones, as far as the application can reach them. */
export interface Phones {
  /** Shows a text; with an id it is a question. Rejects where the phone was not reached. */
  show(userId: string, text: string, questionId?: string): Promise<void>;
  /** What was answered there; undefined: nothing yet. */
  answerTo(questionId: string): Promise<"approved" | "denied" | undefined>;
}

/** Until it is proved a digest of the code on the phone; later the question that is open. */
export interface KnockState {
  readonly code?: string;
  readonly asked?: { readonly id: string; readonly loginId: string | undefined; readonly expiresAt: number };
}

interface KnockWords extends CodeWords {
  readonly challenge: CodeWords["challenge"] & { readonly ask: (phone: string) => string; readonly done: string };
}

const TYPE = "knock";
const MINUTE = 60_000;

const words: KnockWords = {
  name: "Question on a phone",
  challenge: {
    title: "Answer on your phone",
    choose: "Answer on your phone",
    ask: (phone) => `Ask ${phone}`,
    done: "I have answered",
    label: "Code on the phone",
    hint: () => "Eight letters and digits.",
    unreadable: "Enter the eight letters and digits that the phone shows.",
  },
  enroll: {
    title: "Add a phone",
    lead: "You are asked there when you sign in.",
    submit: "Show a code on the phone",
    codeTitle: "Enter the code on the phone",
    codeLead: "Nothing is turned on until it is right.",
    codeLabel: "Code on the phone",
    codeHint: "Eight letters and digits.",
    codeSubmit: "Turn on",
  },
};

const page: MethodPage<KnockWords> = {
  ...codePage<KnockWords>({ icon: "app", kind: "letters", words }),
  challenge({ choice, context, fields, problem, trust, type, words: { challenge } }) {
    const action = `${context.base}/${type}`;
    const ask = choice.factors.map(({ id, label }) =>
      postButton({
        action: `${action}/send`,
        text: challenge.ask(label),
        look: "quiet",
        fields: { factorId: id, ...fields },
      }),
    );
    return html`${problem && html`<p class="sf-error" role="alert">${problemText(context.messages, problem)}</p>`}
      ${ask}
      <form class="sf-form" method="post" action="${action}">
        ${trust}
        <button type="submit" class="sf-button">${challenge.done}</button>
      </form>`;
  },
};

function normalize(code: string): string | undefined {
  const plain = code.trim().toLowerCase();
  return /^[0-9a-f]{8}$/.test(plain) ? plain : undefined;
}

/** A question on the user's phone: whoever holds it approves the login, or does not. */
export function knock(phones: Phones): Method<KnockState, true> {
  return {
    type: TYPE,
    amr: ["swk"],
    aal: 2,
    phishingResistant: false,
    limits: ["knock", "allCodes"],
    limitDefaults: { knock: { limit: 5, window: 15 * MINUTE }, knockSend: { limit: 5, window: 15 * MINUTE } },
    refusal: "invalid-code",
    page,
    present: () => true,
    async verify(_presented, factors, { loginId, now }) {
      for (const factor of factors) {
        const { asked } = factor.state;
        if (asked === undefined || asked.loginId !== loginId || asked.expiresAt <= now) continue;
        const answered: typeof factor = { ...factor, state: {} };
        switch (await phones.answerTo(asked.id)) {
          case "approved":
            return { factor: answered };
          case "denied":
            return { rejected: true, factors: [answered], concern: "knock-denied", factorId: factor.id };
          case undefined:
            return { waiting: { expiresAt: new Date(asked.expiresAt).toISOString() } };
        }
      }
      return undefined;
    },
    enroll: {
      label: "Phone",
      normalize,
      async begin({ keys, userId }) {
        const code = crypto.randomUUID().slice(0, 8);
        const state = { code: await keys.mac(code, { owner: userId, purpose: TYPE }) };
        return { state, answer: {}, deliver: () => phones.show(userId, `Your code: ${code}`) };
      },
      async confirm(code, state, { keys, userId }) {
        const isRight = state.code === (await keys.mac(code, { owner: userId, purpose: TYPE }));
        return isRight ? { state: {} } : { mismatch: {} };
      },
    },
    send: {
      limits: ["knockSend"],
      async prepare(factor, { loginId, now, userId }) {
        const asked = { id: crypto.randomUUID(), loginId, expiresAt: now + 2 * MINUTE };
        return {
          factor: { ...factor, state: { asked } },
          answer: {},
          deliver: () => phones.show(userId, "Are you signing in?", asked.id),
        };
      },
    },
  };
}
