import { LruMap } from "../core/lru-map.js";

interface Seen {
  readonly page: string;
  readonly before: string | undefined;
}

const MOST_LOGINS = 2_000;
/** Characters; a longer address is not kept. */
const LONGEST = 1_000;

/**
 * The pages that logins opened last, as far as this process saw them. For sites whose pages tell nobody where a form was sent from
 * (`Referrer-Policy: no-referrer`): a hint of where to go back to, and nothing else.
 */
export class LastPages {
  private readonly seen = new LruMap<string, Seen>(MOST_LOGINS);

  see(loginId: string, page: string): void {
    const last = this.seen.get(loginId);
    if (page.length > LONGEST || last?.page === page) return;
    this.seen.set(loginId, { page, before: last?.page });
  }

  /** The last one that is not `place`. */
  before(loginId: string | undefined, place: string | undefined): string | undefined {
    const last = loginId === undefined ? undefined : this.seen.get(loginId);
    return last?.page === place ? last?.before : last?.page;
  }
}
