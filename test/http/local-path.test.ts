import { describe, expect, test } from "@jest/globals";
import { localPath } from "../../lib/http/return-to.js";

const ORIGIN = "https://acme.example";

describe("a place on this site", () => {
  test.each([
    ["/", "/"],
    ["/account", "/account"],
    ["/account?next=https://evil.test", "/account?next=https://evil.test"],
    ["/a/b/../c", "/a/c"],
    ["/a?x=1&y=a%20b#part", "/a?x=1&y=a%20b#part"],
    ["account", "/account"],
    ["?x=1", "/?x=1"],
    ["/größe", "/gr%C3%B6%C3%9Fe"],
    ["/a//b", "/a//b"],
    ["https://acme.example/account?x", "/account?x"],
    ["HTTPS://ACME.example:443/account", "/account"],
    ["//acme.example/account", "/account"],
    ["https:evil.test", "/evil.test"],
  ])("%j is %j", (place, path) => {
    expect(localPath(place, ORIGIN)).toBe(path);
  });
});

describe("no place on this site is", () => {
  test.each([
    "https://evil.test",
    "https://evil.test/account",
    "http://acme.example/",
    "https://acme.example:8443/",
    "https://acme.example.evil.test/",
    "https://acme.example@evil.test/",
    "https://user@acme.example/",
    "https://user:word@acme.example/",
    "//evil.test",
    "///evil.test",
    "////evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "\\/evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/..//evil.test",
    "/.//evil.test",
    "/a/..//evil.test",
    "/%2e%2e//evil.test",
    "/..\\\\evil.test",
    "http:evil.test",
    "https:/\\evil.test",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "blob:https://acme.example/1",
    "file:///etc/passwd",
    "about:blank",
    "http://[",
    "",
  ])("%j", (place) => {
    expect(localPath(place, ORIGIN)).toBeUndefined();
  });

  test.each([undefined, null, 5, true, {}, ["/account"], new URL("https://acme.example/")])(
    "%p, which is no text",
    (place) => {
      expect(localPath(place, ORIGIN)).toBeUndefined();
    },
  );
});

describe("whatever is taken for a place on this site", () => {
  test("stays on it when a browser resolves it", () => {
    const pieces = [
      "/",
      "\\",
      "//",
      ".",
      "..",
      "%2e",
      "\t",
      "evil.test",
      "acme.example",
      "?",
      "#",
      "@",
      ":",
      "https:",
      " ",
    ];
    let taken = 0;
    for (const a of pieces)
      for (const b of pieces)
        for (const c of pieces)
          for (const d of pieces) {
            const path = localPath(a + b + c + d, ORIGIN);
            if (path === undefined) continue;
            taken += 1;
            if (!path.startsWith("/") || new URL(path, ORIGIN).origin !== ORIGIN)
              throw new Error(`${JSON.stringify(a + b + c + d)} leads away: ${path}`);
          }
    expect(taken).toBeGreaterThan(1000);
  });
});
