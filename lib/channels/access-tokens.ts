import { attempt } from "../core/attempt.js";
import { DeliveryError } from "../core/delivery-error.js";
import { type Clock, MINUTE, SECOND } from "../core/nouns.js";
import { jwtSigner } from "../crypto/rsa-signatures.js";
import { connectionReason, type FetchLike, post, type Said } from "./requests.js";

const WHAT = "The service account";
const GOOGLE = "https://oauth2.googleapis.com/token";
const SCOPE = "https://www.googleapis.com/auth/firebase.messaging";
/** RFC 7523 section 2.1. */
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** Google takes an hour at most. */
const LIFE = 60 * MINUTE;
/** A token is not used in its last minute: what begins with it should end with it. */
const MARGIN = MINUTE;

/** As much of a service account's JSON file as is used. */
export interface FirebaseServiceAccount {
  readonly project_id: string;
  readonly client_email: string;
  /** PEM. Kept in memory, and given to nobody. */
  readonly private_key: string;
  /** Default: `"https://oauth2.googleapis.com/token"`. */
  readonly token_uri?: string;
}

export interface AccessTokenTerms {
  readonly serviceAccount: FirebaseServiceAccount;
  readonly fetch: FetchLike;
  readonly clock: Clock;
}

interface Held {
  readonly token: string;
  readonly until: number;
}

/** What was granted, or why nothing was. */
type Grant = { readonly token: string } | { readonly error: unknown };

/** A request on its way, and how many wait for what it brings. */
interface Asking {
  readonly answer: Promise<Grant>;
  readonly over: AbortController;
  waiting: number;
}

/** What a service account is let in with: asked for once, by all who need it, and kept until shortly before its end. */
export class AccessTokens {
  private readonly sign: (claims: object) => string;
  private held: Held | undefined;
  private asking: Asking | undefined;

  constructor(private readonly terms: AccessTokenTerms) {
    this.sign = jwtSigner(terms.serviceAccount.private_key);
  }

  async current(signal: AbortSignal | undefined): Promise<string> {
    const { held } = this;
    if (held !== undefined && this.terms.clock() < held.until) return held.token;
    const grant = await attempt({ what: WHAT, signal, ask: (over) => this.shared(over), reasonOf: connectionReason });
    if ("error" in grant) throw grant.error;
    return grant.token;
  }

  /** Another one than this, which was not taken. */
  async instead(refused: string, signal: AbortSignal | undefined): Promise<string> {
    if (this.held?.token === refused) this.held = undefined;
    return this.current(signal);
  }

  /** One request, whoever waits for it; called off once nobody does. */
  private shared(signal: AbortSignal): Promise<Grant> {
    const asking = (this.asking ??= this.begin());
    asking.waiting += 1;
    signal.addEventListener("abort", () => {
      asking.waiting -= 1;
      if (asking.waiting > 0) return;
      this.settle(asking);
      asking.over.abort();
    });
    return asking.answer;
  }

  private begin(): Asking {
    const over = new AbortController();
    const answer = this.ask(over.signal)
      .then((token) => ({ token }), notGranted)
      .finally(() => this.settle(asking));
    const asking: Asking = { over, waiting: 0, answer };
    return asking;
  }

  private settle(asking: Asking): void {
    if (this.asking === asking) this.asking = undefined;
  }

  private async ask(signal: AbortSignal): Promise<string> {
    const { clock, fetch, serviceAccount } = this.terms;
    const { client_email: iss, token_uri: aud = GOOGLE } = serviceAccount;
    const now = clock();
    const [iat, exp] = [now, now + LIFE].map((at) => Math.floor(at / SECOND));
    const assertion = this.sign({ iss, scope: SCOPE, aud, iat, exp });
    const body = new URLSearchParams({ grant_type: GRANT, assertion }).toString();
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const said = await post({ what: WHAT, fetch, url: aud, headers, body, signal });
    const { life, token } = granted(said);
    this.held = { token, until: now + life - MARGIN };
    return token;
  }
}

function granted({ body, status }: Said): { readonly token: string; readonly life: number } {
  const { access_token: token, error, expires_in: seconds } = Object(body) as Readonly<Record<string, unknown>>;
  if (status !== 200 || typeof token !== "string" || token === "") {
    throw new DeliveryError(WHAT, { code: error, status });
  }
  return { token, life: typeof seconds === "number" ? seconds * SECOND : 0 };
}

/** Whatever became of that request, no message was sent: its silence is none of the message's. */
function notGranted(error: unknown): Grant {
  return { error: error instanceof DeliveryError ? error : new DeliveryError(WHAT, { code: "no-answer" }) };
}
