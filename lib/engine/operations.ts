import { failure, isSilence, type Outcome, success } from "../core/errors.js";
import { type MethodType, MINUTE, type Proof, type UserId } from "../core/nouns.js";
import { once } from "../core/once.js";
import type { KeyContext } from "../crypto/key-provider.js";
import { randomId } from "../crypto/random.js";
import type { Entry, Store } from "../stores/contract.js";
import type { EngineDependencies } from "./dependencies.js";
import { changeEntry, type EntryChange } from "./entries.js";
import type { LoginContext } from "./login-context.js";
import type { Operation } from "./operation.js";

/** An operation as it is kept: beside the account, for the login that asked for it. */
interface KeptOperation {
  readonly id: string;
  /**
   * The operation, sealed whole: what is compared cannot be parted from what was shown. No digest, because amounts and recipients can
   * be guessed, and one with a key is another as soon as another key writes.
   */
  readonly sealed: string;
  /** Methods whose proof will do. */
  readonly methods: readonly MethodType[];
  /** Milliseconds a proof is good for. */
  readonly maxAge: number;
  /** Where the browser goes after the proof: a local path, taken from nowhere else. */
  readonly returnTo?: string;
  /** Where whoever turns away from it goes. */
  readonly backTo?: string;
  /** While it waits, the end of that; then of the proof. */
  readonly expiresAt: number;
  /** It was confirmed, and has not been done yet. */
  readonly proof?: Proof;
}

/** An operation that waits for its proof; to be had for its id alone, and only by its own login. */
export type WaitingOperation = Pick<KeptOperation, "backTo" | "expiresAt" | "id" | "methods" | "returnTo">;

/** One that waits, with what is confirmed. */
export interface ShownOperation extends WaitingOperation {
  readonly text: string;
}

/** What a route asks of the proof of an operation. */
export type OperationTerms = Pick<KeptOperation, "backTo" | "maxAge" | "methods" | "returnTo">;

type Dependencies = Pick<EngineDependencies, "clock" | "keys">;
type Asker = Pick<LoginContext, "session" | "userId">;

interface Made<T> {
  /** Without it nothing is written. */
  readonly operations?: readonly KeptOperation[];
  readonly result: T;
}

const WAIT = 10 * MINUTE;
const MOST_OPERATIONS = 5;

function keyOf(loginId: string): string {
  return `operations:${loginId}`;
}

function contextOf(userId: UserId, id: string): KeyContext {
  return { owner: userId, purpose: `operation/${id}` };
}

/** What is kept and not over. A damaged entry counts as none: nothing opens by what is missing. */
function liveIn(entry: Entry | undefined, now: number): readonly KeptOperation[] {
  if (entry === undefined) return [];
  try {
    const kept: unknown = JSON.parse(entry.value);
    return Array.isArray(kept) ? (kept as KeptOperation[]).filter(({ expiresAt }) => expiresAt > now) : [];
  } catch {
    return [];
  }
}

function isWaiting({ proof }: KeptOperation): boolean {
  return proof === undefined;
}

/**
 * Operations of logins (`mfa.require({ bind })`), from the moment a route asks for their confirmation until they are done. Each
 * change is one conditional write: of parallel refusals none is lost, and of parallel uses of one proof one is let through.
 */
export class Operations {
  constructor(
    private readonly dependencies: Dependencies,
    private readonly store: Store,
  ) {}

  /**
   * The operation, waiting for its proof: the one that waits already, or a new one in the place of the oldest of too many.
   * Undefined for a login that the session has no record of: there is nothing to tie it to.
   */
  async ask(asker: Asker, operation: Operation, terms: OperationTerms): Promise<ShownOperation | undefined> {
    const { session, userId } = asker;
    if (session === undefined) return undefined;
    const fresh = once(() => this.sealed(userId, operation, { ...terms, id: randomId() }));
    return this.change(session.id, async (operations, now) => {
      const same = await this.matching(userId, operation, operations);
      const equal = same.find(isWaiting);
      if (equal !== undefined && equal.expiresAt - now > WAIT / 2)
        return { result: { ...equal, text: operation.text } };
      const asked = { ...(equal ?? (await fresh())), expiresAt: now + WAIT };
      const others = operations.filter((each) => !same.includes(each));
      return {
        operations: [...others, asked].slice(-MOST_OPERATIONS),
        result: { ...asked, text: operation.text },
      };
    });
  }

  /**
   * The operation of that id, if it waits for a proof by this method. Nothing is decided about a proof for any other: `expired` for
   * one that is unknown, done, or another login's; `invalid-request` where the method will not do. Without an id: undefined.
   */
  async waiting(asker: Asker, method: MethodType, id?: string): Promise<Outcome<WaitingOperation | undefined>> {
    if (id === undefined) return success(undefined);
    const found = await this.find(asker, id);
    if (found === undefined) return failure("expired");
    return found.methods.includes(method) ? success(found) : failure("invalid-request");
  }

  /** Every operation that waits for its proof, oldest first. */
  async list(asker: Asker): Promise<readonly ShownOperation[]> {
    const shown = await Promise.all((await this.read(asker)).filter(isWaiting).map((each) => this.show(asker, each)));
    return shown.filter((each) => each !== undefined);
  }

  /** The operation of that id, if it waits for its proof, with what is confirmed. */
  async shown(asker: Asker, id: string): Promise<ShownOperation | undefined> {
    const found = await this.find(asker, id);
    return found && this.show(asker, found);
  }

  /** A proof was given for it, and is used up by now. Answers whether it was still waiting. */
  open({ session }: Asker, { id }: WaitingOperation, proof: Proof): Promise<boolean> {
    return this.change(session?.id, (operations) => {
      const found = operations.find((each) => each.id === id && isWaiting(each));
      if (found === undefined) return { result: false };
      // Through the last millisecond that the proof is good for.
      const opened = { ...found, proof, expiresAt: proof.at + found.maxAge + 1 };
      return { operations: operations.map((each) => (each === found ? opened : each)), result: true };
    });
  }

  /** Whether it was confirmed by a proof that will do; used up by the answer, once. */
  async use(asker: Asker, operation: Operation, willDo: (proof: Proof, now: number) => boolean): Promise<boolean> {
    return this.change(asker.session?.id, async (operations, now) => {
      const able = operations.filter(({ proof }) => proof !== undefined && willDo(proof, now));
      const [found] = await this.matching(asker.userId, operation, able);
      if (found === undefined) return { result: false };
      return { operations: operations.filter((each) => each !== found), result: true };
    });
  }

  /** The visitor turned away from it. Answers the operation, if it was there. */
  abandon({ session }: Asker, id: string): Promise<WaitingOperation | undefined> {
    return this.change<WaitingOperation | undefined>(session?.id, (operations) => {
      const found = operations.find((each) => each.id === id);
      if (found === undefined) return { result: undefined };
      return { operations: operations.filter((each) => each !== found), result: found };
    });
  }

  private async find(asker: Asker, id: string): Promise<KeptOperation | undefined> {
    return (await this.read(asker)).find((each) => each.id === id && isWaiting(each));
  }

  private async read({ session }: Asker): Promise<readonly KeptOperation[]> {
    const entry = session && (await this.store.read(keyOf(session.id)));
    return liveIn(entry, this.dependencies.clock());
  }

  private async show({ userId }: Asker, kept: KeptOperation): Promise<ShownOperation | undefined> {
    const operation = await this.opened(userId, kept);
    return operation && { ...kept, text: operation.text };
  }

  /** Those of them that are this operation. */
  private async matching(
    userId: UserId,
    { identity }: Operation,
    among: readonly KeptOperation[],
  ): Promise<readonly KeptOperation[]> {
    const opened = await Promise.all(among.map((each) => this.opened(userId, each)));
    return among.filter((_each, index) => opened[index]?.identity === identity);
  }

  private async opened(userId: UserId, { id, sealed }: KeptOperation): Promise<Operation | undefined> {
    try {
      const bytes = await this.dependencies.keys.decrypt(sealed, contextOf(userId, id));
      return JSON.parse(Buffer.from(bytes).toString("utf8")) as Operation;
    } catch (error) {
      // Sealed by a key that has left the ring: nobody can confirm what nobody can read. Silence is no answer.
      if (isSilence(error)) throw error;
      return undefined;
    }
  }

  private async sealed(
    userId: UserId,
    { identity, text }: Operation,
    kept: Omit<KeptOperation, "expiresAt" | "sealed">,
  ) {
    const plain = Buffer.from(JSON.stringify({ identity, text }));
    return { ...kept, sealed: await this.dependencies.keys.encrypt(plain, contextOf(userId, kept.id)) };
  }

  private async change<T>(
    loginId: string | undefined,
    make: (operations: readonly KeptOperation[], now: number) => Made<T> | Promise<Made<T>>,
  ): Promise<T> {
    const { clock } = this.dependencies;
    // A login that the session has no record of has none, and gets none.
    if (loginId === undefined) return (await make([], clock())).result;
    return changeEntry<T>(this.store, { key: keyOf(loginId), what: "The operations of a login" }, async (entry) => {
      const now = clock();
      const { operations, result } = await make(liveIn(entry, now), now);
      return { result, ...(operations && { next: kept(operations) }) };
    });
  }
}

/** The operations as they are written; none where there are none. */
function kept(operations: readonly KeptOperation[]): NonNullable<EntryChange<unknown>["next"]> {
  if (operations.length === 0) return "none";
  return { value: JSON.stringify(operations), expiresAt: Math.max(...operations.map(({ expiresAt }) => expiresAt)) };
}
