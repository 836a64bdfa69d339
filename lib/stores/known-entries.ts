import { Recent } from "../core/recent.js";

const MOST = 1_000;

/**
 * Values as they were last seen. A version names one value for ever, so a server that confirms the version need not send the
 * value again. Nothing in here is believed without that confirmation.
 */
export class KnownEntries<T extends { readonly version: string }> extends Recent<T> {
  constructor() {
    super(MOST);
  }

  /** What this process wrote itself is known too, where it was read before. */
  replace(key: string, entry: T): void {
    if (this.has(key)) this.put(key, entry);
  }
}
