import { tried } from "../core/tried.js";
import type { KeyContext, KeyProvider } from "../crypto/key-provider.js";
import { openIfOurs } from "../crypto/own-seals.js";

/** No key provider makes as much of the few members of a link; what is longer is not shown to one. */
const LONGEST = 4_096;

/** What links in messages carry: sealed, so that nobody can read or change it. Nothing is stored for one that is mailed. */
export class LinkTokens<T> {
  private readonly context: KeyContext;

  /** `purpose`: what links of one kind are for; one of another kind does not open. `is`: what a key provider opened is ours only so. */
  constructor(
    private readonly keys: KeyProvider,
    purpose: string,
    private readonly is: (value: unknown) => value is T,
  ) {
    this.context = { owner: "", purpose };
  }

  async seal(value: T): Promise<string> {
    const sealed = await this.keys.encrypt(Buffer.from(JSON.stringify(value)), this.context);
    return Buffer.from(sealed).toString("base64url");
  }

  /** What a token carries; undefined for what is none of these. */
  async open(token: string): Promise<T | undefined> {
    if (token === "" || token.length > LONGEST) return undefined;
    const bytes = await openIfOurs(this.keys, Buffer.from(token, "base64url").toString(), this.context);
    const value = bytes && tried((): unknown => JSON.parse(Buffer.from(bytes).toString("utf8")));
    return this.is(value) ? value : undefined;
  }
}
