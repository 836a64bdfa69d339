import { randomId } from "../crypto/random.js";
import type { BriefSeals } from "./brief-seals.js";

/** What a browser is to carry, and the id in it. */
export interface BrowserSeal {
  readonly id: string;
  readonly sealed: string;
}

const PURPOSE = "browser";

/** Ids that tie challenges to a browser before anybody is logged in. It carries its own, sealed; nobody keeps them. */
export class BrowserIds {
  constructor(private readonly seals: BriefSeals) {}

  /** The id a browser carries; undefined where it carries none, or none of ours, or its time is over. */
  async open(carried: string | undefined): Promise<string | undefined> {
    return carried === undefined ? undefined : (await this.seals.open(PURPOSE, carried))?.text;
  }

  /** The same id for another five minutes, so that pages that are open beside each other share one; else a new one. */
  async renew(carried: string | undefined): Promise<BrowserSeal> {
    const id = (await this.open(carried)) ?? randomId();
    return { id, sealed: await this.seals.seal(PURPOSE, id) };
  }
}
