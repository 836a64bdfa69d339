import { afterEach, describe, expect, jest, test } from "@jest/globals";
import { postJson, type Reaching } from "../../lib/browser/requests.js";

describe("the browser's client reaches the routes", () => {
  const own = globalThis.fetch;
  afterEach(() => {
    globalThis.fetch = own;
  });

  async function sent(reaching: Reaching) {
    const fetched = jest.fn<typeof fetch>(async () => Response.json({}));
    globalThis.fetch = fetched;
    await postJson("/2fa/passkey/options", { a: 1 }, reaching);
    const [url, init = {}] = fetched.mock.calls[0]!;
    return {
      url,
      headers: Object.fromEntries(new Headers(init.headers)),
      credentials: init.credentials,
    };
  }

  const JSON_ALONE = { accept: "application/json", "content-type": "application/json" };

  test.each<[string, Reaching, string, RequestCredentials]>([
    ["of the page's own origin", {}, "/2fa/passkey/options", "same-origin"],
    [
      "of another, with cookies",
      { baseUrl: "https://api.example" },
      "https://api.example/2fa/passkey/options",
      "include",
    ],
    ["below a path", { baseUrl: "https://api.example/x/" }, "https://api.example/x/2fa/passkey/options", "include"],
    [
      "without cookies",
      { baseUrl: "https://api.example", credentials: "omit" },
      "https://api.example/2fa/passkey/options",
      "omit",
    ],
    ["with cookies of the page's own origin said so", { credentials: "include" }, "/2fa/passkey/options", "include"],
  ])("%s", async (_name, reaching, url, credentials) => {
    expect(await sent(reaching)).toEqual({ url, headers: JSON_ALONE, credentials });
  });

  test.each<[string, HeadersInit]>([
    ["an object", { "X-CSRF-Token": "t", accept: "text/html", "Content-Type": "text/plain" }],
    ["a list", [["x-csrf-token", "t"]]],
    ["Headers", new Headers({ "X-CSRF-Token": "t" })],
  ])("with headers in %s, and its own two", async (_name, headers) => {
    expect((await sent({ headers })).headers).toEqual({ ...JSON_ALONE, "x-csrf-token": "t" });
  });
});
