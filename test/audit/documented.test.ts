// docs/audit.md and the code, compared both ways: the worked verification, and what other vocabularies call each action.
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { type AuditEvent, toCaep, toOwasp } from "express-second-factor";
import { toCaep as besideTheFile, verifyAudit } from "express-second-factor/audit";
import { sectionTitled } from "../package/reference-docs.js";
import { closedFile, linesOf, newPath, OTHER_KEY } from "./stage.js";

const CAEP = "https://schemas.openid.net/secevent/caep/event-type/";

function happened(action: string, more: Partial<AuditEvent> = {}): AuditEvent {
  const common = { time: "2026-11-27T12:00:00.000Z", outcome: "success", userId: "42", actor: "42" } as const;
  return { ...common, method: "totp", action, ...more };
}

function codeOrDash(name: string | undefined): string {
  return name === undefined ? "–" : `\`${name}\``;
}

describe("the worked verification of docs/audit.md", () => {
  const { rows, text } = sectionTitled("A worked verification");
  const [, key = ""] = /with the key `([^`]+)`/.exec(text) ?? [];
  const [, anchor = ""] = /anchor is `([^`]+)`/.exec(text) ?? [];
  const lines = (/```text\n([^]*?)\n```/.exec(text)?.[1] ?? "").split("\n");

  async function forgedLine(): Promise<string> {
    const { path } = await closedFile(3, { key: OTHER_KEY });
    const other = lines[2]!.replace("192.0.2.7", "192.0.2.8");
    return other.replace(/"digest":"[^"]+"\}$/, /"digest":"[^"]+"\}$/.exec(linesOf(path)[2]!)![0]);
  }

  const DONE: Readonly<Record<string, (forged: string) => readonly string[]>> = {
    nothing: () => lines,
    "line 3 is taken out": () => lines.toSpliced(2, 1),
    "lines 2 and 3 are swapped": () => lines.with(1, lines[2]!).with(2, lines[1]!),
    "`192.0.2.7` becomes `192.0.2.8`": () => lines.map((line) => line.replace("192.0.2.7", "192.0.2.8")),
    "line 3 is written a second time, below it": () => lines.toSpliced(2, 0, lines[2]!),
    "line 3 is replaced by one made with another key": (forged) => lines.with(2, forged),
    "the first two lines are cut off": () => lines.slice(2),
    "the last two lines are cut off": () => lines.slice(0, 3),
  };

  test("shows every kind of damage", () => {
    expect(rows.map(({ cells }) => cells[0])).toEqual(Object.keys(DONE));
  });

  test.each(Object.keys(DONE))("says what happens when this is done to it: %s", async (what) => {
    const path = newPath();
    writeFileSync(
      path,
      DONE[what]!(await forgedLine())
        .map((line) => `${line}\n`)
        .join(""),
    );
    const { problems } = await verifyAudit([path], { key, anchors: [anchor] });
    const [, line, damage] = rows.find(({ cells }) => cells[0] === what)!.cells;
    expect([problems[0]?.line.toString() ?? "–", codeOrDash(problems[0]?.damage)]).toEqual([line, damage]);
  });
});

describe("the names of others in docs/audit.md", () => {
  const rows = sectionTitled("Names of others").rows;

  test("are told of every action there is, each once", () => {
    const known = sectionTitled("Audit actions").rows.map(({ code: [action] }) => action);
    expect(rows.map(({ code: [action] }) => action)).toEqual(known);
  });

  test("are those that toOwasp and toCaep answer, and none where they answer none", () => {
    const listed = rows.map(({ cells, code: [action] }) => [action, cells[1], cells[2]]);
    const answered = rows.map(({ code: [action = ""] }) => {
      const [uri] = Object.keys(toCaep(happened(action))?.events ?? {});
      const [owasp] = toOwasp(happened(action))?.event.split(":") ?? [];
      return [action, codeOrDash(owasp), codeOrDash(uri?.replace(CAEP, ""))];
    });
    expect(listed).toEqual(answered);
  });

  test("are said why, or of what kind, in each row", () => {
    const bare = rows.filter(({ cells: [, owasp, caep, why] }) => (owasp === "–" || caep === "–") && why === "");
    expect(bare.map(({ code: [action] }) => `why has ${action} no name?`)).toEqual([]);
  });
});

describe("toOwasp", () => {
  test("is one line of text, whatever a user's id is", () => {
    const event = { ...happened("factor-verified"), userId: "42\r\nauthn_login_success\u2028:admin" };
    expect(toOwasp(event)?.event).toBe("authn_login_success:42 authn_login_success :admin");
  });

  test("names who did what of administrative actions", () => {
    const event = happened("admin-reset", { actor: "support:7" });
    expect(toOwasp(event)).toEqual({ event: "authz_admin:support:7,admin-reset", level: "WARN" });
  });

  test.each(["constructor", "toString", "own-action"])("knows no %s", (action) => {
    expect([toOwasp(happened(action)), toCaep(happened(action))]).toEqual([undefined, undefined]);
  });
});

describe("toCaep", () => {
  test("is where toOwasp is, and beside the file", () => {
    expect(besideTheFile).toBe(toCaep);
  });

  test("has nothing but text of a method that is called as what every object has", () => {
    const { events } = toCaep(happened("factor-enrolled", { method: "constructor" }))!;
    expect(Object.values(events)).toMatchObject([{ credential_type: "constructor" }]);
  });

  test("has the claims that CAEP asks for", () => {
    expect(toCaep(happened("factor-enrolled"), { issuer: "https://acme.example" })).toEqual({
      sub_id: { format: "iss_sub", iss: "https://acme.example", sub: "42" },
      events: {
        [`${CAEP}credential-change`]: {
          credential_type: "app",
          change_type: "create",
          event_timestamp: 1_795_780_800,
          initiating_entity: "user",
        },
      },
    });
  });

  test("names a user by the id alone where there is no issuer", () => {
    expect(toCaep(happened("reported"))?.sub_id).toEqual({ format: "opaque", id: "42" });
  });

  test.each([
    ["42", "user"],
    ["system", "system"],
    ["support:7", "admin"],
  ])("says of %s that it is %s who did it", (actor, entity) => {
    expect(toCaep(happened("signed-out-everywhere", { actor }))?.events).toMatchObject({
      [`${CAEP}session-revoked`]: { initiating_entity: entity },
    });
  });

  test("is nothing of nobody, and of what failed", () => {
    const { userId: _user, ...nobody } = happened("factor-enrolled");
    expect(toCaep(nobody)).toBeUndefined();
    expect(toCaep(happened("factor-removed", { outcome: "failure" }))).toBeUndefined();
  });
});
