import type { Factor } from "../core/account.js";
import { codeIn, digitsIn } from "../core/codes.js";
import type { Contact } from "../core/contact.js";
import { isSilence, type Problem } from "../core/errors.js";
import { ALL_CODES, type LimitKind, type Limits, MINUTE, type MethodType } from "../core/nouns.js";
import { iso } from "../core/time.js";
import {
  afterWrong,
  answerable,
  CODE_DIGITS,
  type CodeBinding,
  codeFor,
  digitsOfCode,
  endOfCode,
  isCode,
  type Issued,
  isIssued,
  issue,
  type MessageCodeState,
  newCodeState,
  openDestination,
  resealed,
  withCode,
  withdrawn,
  withoutCode,
} from "./message-codes.js";
import type {
  Enroll,
  EnrollmentContext,
  FactorMethod,
  Message,
  MethodContext,
  SealContext,
  Send,
  SendBudget,
  SendContext,
  Verdict,
  Writing,
} from "./method.js";

/** What every message with a code is: what is handed to the application's own sender. */
export interface CodeMessage<To> {
  readonly to: To;
  readonly code: string;
  readonly text: string;
  /** To finish a login or confirm something; to show that a new factor's address or number is theirs. */
  readonly purpose: "login" | "enroll";
  /** The reader's language (BCP 47). */
  readonly locale: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
}

/** How long a sender is waited for is told to it: `signal` is aborted once nobody waits any more. */
export type SendCode<Sent> = (message: Sent, terms: { readonly signal: AbortSignal }) => Promise<unknown>;

/** Whom a message is for and what it is to say. */
export interface Written extends Writing {
  readonly code: string;
  readonly purpose: "login" | "enroll";
  /** That the code works for. */
  readonly minutes: number;
}

/** Where messages go, read and found right. */
export interface Destination {
  /** In its one form: stored, sealed, and counted by. */
  readonly to: string;
  readonly hint: string;
}

type Budgets = readonly SendBudget[] | Problem;

/** What one way of sending codes has of its own. */
export interface MessageChannel<Sent extends CodeMessage<unknown>> {
  readonly type: MethodType;
  /** What a factor is called until its owner names it. */
  readonly label: string;
  /** RFC 8176. */
  readonly amr: readonly string[];
  readonly aal: 1 | 2;
  readonly stepsUp?: false;
  /** Its limits are called by it: `emailSend`, `emailCooldown`, `emailRejected`, `emailDestination`, `emailEnrollDestination`. */
  readonly limitName: string;
  /** Limits beside those. */
  readonly limitDefaults?: Limits;
  /** Milliseconds. */
  readonly timeout: number;
  readonly send: SendCode<Sent>;
  /** Where a body says that codes shall go, else where the application says that its user is; a problem where that is nowhere. */
  read(
    body: Readonly<Record<string, unknown>>,
    contact: Contact,
  ): Destination | Problem | Promise<Destination | Problem>;
  /** As `read`, of what the application itself has verified. @throws TypeError with the reason */
  readKnown(source: string): Destination | Promise<Destination>;
  /**
   * What a message to there counts against beside the destination itself; a problem where nothing is sent there any more. Default:
   * nothing.
   */
  budgets?(to: string): Budgets | Promise<Budgets>;
  /** The address as senders take it. */
  addressed(to: string): Sent["to"];
  /** What the message says. */
  write(written: Written): Omit<Sent, keyof CodeMessage<unknown>> & Pick<Sent, "text">;
}

type Kind = "Send" | "Cooldown" | "Rejected" | "Destination" | "EnrollDestination";

const LIMITS: Readonly<Record<Kind, Limits[LimitKind]>> = {
  Send: { limit: 3, window: 30 * MINUTE },
  Cooldown: { limit: 1, window: MINUTE },
  Rejected: { limit: 10, window: 15 * MINUTE },
  Destination: { limit: 5, window: 60 * MINUTE },
  // Apart, so that strangers who type somebody's address cannot use up what its owner signs in with.
  EnrollDestination: { limit: 3, window: 60 * MINUTE },
};

type State = MessageCodeState;

/** One kind of factor whose codes are sent: everything but how they travel and what they say. */
class MessageCodes<Sent extends CodeMessage<unknown>> {
  constructor(private readonly channel: MessageChannel<Sent>) {}

  private limit(kind: Kind): LimitKind {
    return `${this.channel.limitName}${kind}`;
  }

  get limitDefaults(): Limits {
    const own = Object.entries(LIMITS).map(([kind, limit]) => [this.limit(kind as Kind), limit] as const);
    return { ...Object.fromEntries(own), ...this.channel.limitDefaults };
  }

  get send(): Send<State> {
    return {
      limits: [this.limit("Send")],
      coolDown: this.limit("Cooldown"),
      rejected: this.limit("Rejected"),
      timeout: this.channel.timeout,
      prepare: (factor, context) => this.prepare(factor, context),
      openUntil(factor, context) {
        const open = answerable(factor.state, context);
        return open && endOfCode(open);
      },
    };
  }

  get enroll(): Enroll<State> {
    return {
      label: this.channel.label,
      replaces: true,
      normalize: (code) => digitsIn(code, [CODE_DIGITS]),
      begin: (context, body) => this.begin(context, body),
      resume: (state, context, body) => this.resume(state, context, body),
      // What is over is not said to work.
      async again(state, { loginId, now }) {
        const open = codeFor(state, loginId, now);
        return open === undefined ? { hint: state.hint } : told(state, open.issuedAt);
      },
      confirm: (code, state, context) => this.confirm(code, state, context),
    };
  }

  async verify(code: string, factors: readonly Factor<State>[], context: MethodContext): Promise<Verdict<State>> {
    const asked = factors.flatMap((factor) => {
      const open = answerable(factor.state, context);
      return open === undefined ? [] : [{ factor, open }];
    });
    for (const { factor, open } of asked) {
      if (!(await isCode(code, factor.state, open, this.binding(factor.id, "login"), context))) continue;
      const state = await resealed(this.channel.type, withoutCode(factor.state, open), context);
      return { factor: { ...factor, state } };
    }
    const factors_ = asked.map(({ factor, open }) => ({ ...factor, state: afterWrong(factor.state, open) }));
    return { rejected: true, factors: factors_, failing: asked.map(({ factor }) => factor.id) };
  }

  private async prepare(factor: Factor<State>, context: SendContext): ReturnType<Send<State>["prepare"]> {
    const issued = issue(factor.state, context);
    if (!isIssued(issued)) return issued;
    const state = withCode(factor.state, issued.code, context.now);
    const message = await this.message(state, issued, this.binding(factor.id, "login"), context);
    if ("code" in message) return message;
    return {
      factor: { ...factor, state },
      answer: told(state, issued.code.issuedAt),
      ...message,
      undo: (current) => ({ ...current, state: withdrawn(current.state, issued.code) }),
    };
  }

  private async begin(
    context: EnrollmentContext,
    body: Readonly<Record<string, unknown>>,
  ): ReturnType<Enroll<State>["begin"]> {
    const destination = await this.channel.read(body, context.contact);
    if ("code" in destination) return destination;
    if (await this.isKnown(destination.to, context, body.replaces)) return { code: "conflict" };
    const state = await newCodeState(this.channel.type, destination, context);
    const begun = await this.enrolling(state, context);
    if ("code" in begun) return begun;
    return {
      ...begun,
      undo(current) {
        const left = begun.undo(current);
        return left.codes.length > 0 ? left : undefined;
      },
    };
  }

  private async resume(
    state: State,
    context: EnrollmentContext,
    body?: Readonly<Record<string, unknown>>,
  ): ReturnType<NonNullable<Enroll<State>["resume"]>> {
    if (body !== undefined) {
      const destination = await this.channel.read(body, context.contact);
      if ("code" in destination) return destination;
      if (destination.to !== (await this.opened(state, context))) return undefined;
    }
    return this.enrolling(state, context);
  }

  /** The message that shows whether the destination is theirs, with the code that this enrollment has. */
  private async enrolling(state: State, context: EnrollmentContext) {
    const issued = issue(state, context);
    if (!isIssued(issued)) return issued;
    const next = withCode(state, issued.code, context.now);
    const message = await this.message(next, issued, this.binding(context.factorId, "enroll"), context);
    if ("code" in message) return message;
    return {
      state: next,
      answer: told(next, issued.code.issuedAt),
      ...message,
      isFirst: issued.isNew,
      undo: (current: State) => withdrawn(current, issued.code),
    };
  }

  private async confirm(code: string, state: State, context: MethodContext): ReturnType<Enroll<State>["confirm"]> {
    const open = answerable(state, context);
    if (open === undefined) return { mismatch: {} };
    const isRight = await isCode(code, state, open, this.binding(context.factorId, "enroll"), context);
    return isRight ? { state: withoutCode(state, open) } : { mismatch: { state: afterWrong(state, open) } };
  }

  private binding(factorId: string | undefined, purpose: CodeBinding["purpose"]): CodeBinding {
    return { type: this.channel.type, factorId: factorId ?? "", purpose };
  }

  private async message(
    state: State,
    { code: open }: Issued,
    binding: CodeBinding,
    context: SendContext,
  ): Promise<Message | Problem> {
    const { channel } = this;
    const { issuer, locale, now, origin, words } = context;
    const to = await openDestination(channel.type, state, context);
    const budgets = (await channel.budgets?.(to)) ?? [];
    if ("code" in budgets) return budgets;
    const code = await digitsOfCode(state, open, binding, context);
    const { purpose } = binding;
    const minutes = Math.max(1, Math.floor((endOfCode(open) - now) / MINUTE));
    const written = channel.write({ issuer, locale, origin, words, code, purpose, minutes });
    const expiresAt = iso(endOfCode(open));
    const message = { ...written, to: channel.addressed(to), code, purpose, locale, expiresAt } as Sent;
    const kind = this.limit(purpose === "login" ? "Destination" : "EnrollDestination");
    return {
      budgets: [{ kind, of: to.toLowerCase() }, ...budgets],
      async deliver(signal) {
        await channel.send(message, { signal });
      },
    };
  }

  /** The account has a factor of this destination, and not the one that is to be replaced. */
  private async isKnown(
    to: string,
    context: MethodContext & { readonly factors: readonly Factor[] },
    replaces?: unknown,
  ): Promise<boolean> {
    const others = (context.factors as readonly Factor<State>[]).filter(({ id }) => id !== replaces);
    const known = await Promise.all(others.map(({ state }) => this.opened(state, context)));
    return known.some((each) => each?.toLowerCase() === to.toLowerCase());
  }

  /** Undefined where its key has left the ring: it is none that anybody could compare with. Silence is no answer. */
  private async opened(state: State, context: SealContext): Promise<string | undefined> {
    try {
      return await openDestination(this.channel.type, state, context);
    } catch (error) {
      if (isSilence(error)) throw error;
      return undefined;
    }
  }

  /** Takes over what the application has verified itself. @throws TypeError with the reason */
  async takeOver(source: string, factors: readonly Factor[], context: MethodContext) {
    const destination = await this.channel.readKnown(source);
    if (await this.isKnown(destination.to, { ...context, factors }))
      throw new TypeError("This user has a factor of that destination already");
    return { label: this.channel.label, state: await newCodeState(this.channel.type, destination, context) };
  }
}

/** What its owner is told of a message: where it went, masked, and until when its code works. */
function told({ hint }: State, issuedAt: number): { readonly hint: string; readonly expiresAt: string } {
  return { hint, expiresAt: iso(endOfCode({ issuedAt })) };
}

/**
 * A kind of factor whose codes are sent: six digits for five minutes, five tries, to be answered by the login alone that asked. The
 * channel says how they travel; limits, budgets and what is stored are the same for all.
 */
export function messageCodeMethod<Sent extends CodeMessage<unknown>>(
  channel: MessageChannel<Sent>,
): FactorMethod<MessageCodeState, string> {
  const codes = new MessageCodes(channel);
  const { aal, amr, stepsUp, type } = channel;
  return {
    type,
    amr,
    aal,
    ...(stepsUp === false && { stepsUp }),
    isRestricted: true,
    phishingResistant: false,
    limits: [ALL_CODES],
    limitDefaults: codes.limitDefaults,
    refusal: "invalid-code",
    present(body) {
      const code = codeIn(body);
      return code === undefined ? undefined : digitsIn(code, [CODE_DIGITS]);
    },
    verify: (code, factors, context) => codes.verify(code, factors, context),
    send: codes.send,
    enroll: codes.enroll,
    hint: ({ state }) => state.hint,
    reseal: (state, context) => resealed(type, state, context),
    // NIST SP 800-63B-4 section 3.2.9: a site that wants the strongest does without.
    strict: () => undefined,
    import: (source, account, context) =>
      codes.takeOver(
        source,
        account.factors.filter((factor) => factor.type === type),
        context,
      ),
    async destination({ state }, context) {
      return channel.addressed(await openDestination(type, state, context)) as { readonly address: string } | string;
    },
  };
}
