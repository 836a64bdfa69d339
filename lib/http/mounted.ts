import type { Request } from "express";

/**
 * Where the application mounted the middleware, as its requests show, for links in messages that belong to none. A pattern
 * (`/:tenant`) is the client's own words, and no place that somebody else's message may lead to.
 */
export class Mounted {
  private path: string | undefined = undefined;

  look({ baseUrl, params }: Pick<Request, "baseUrl" | "params">): void {
    if (this.path === undefined && Object.keys(params).length === 0) this.path = baseUrl;
  }

  /** Empty as long as there was no request. */
  get mountPath(): string {
    return this.path ?? "";
  }
}
