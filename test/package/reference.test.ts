// What the code has and what docs/options.md and docs/http.md say, compared both ways: whatever is added is listed here as
// undocumented until it has its row.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { ERRORS, english, toOwasp } from "express-second-factor";
import { TEST_KEYS } from "../support/app.js";
import { root } from "./public-names.js";
import {
  augmentations,
  commands,
  cssVariables,
  exported,
  messageKeys,
  METHODS,
  type ReferenceType,
  routes,
  styleSheet,
  textsLike,
} from "./reference-code.js";
import { codeIn, nameIn, papers, type Row, type Section, sections, sectionTitled } from "./reference-docs.js";

/** Another name for what is listed under its own, or a choice of such; and clients of others, as far as they are used. */
const ELSEWHERE = [
  ...[
    "AuditAction",
    "ErrorPlace",
    "ActivityName",
    "OwaspLevel",
    "Policy",
    "Weekday",
    "Asking",
    "EnrollResult",
    "EnrollPushResult",
    "SubscribeResult",
    "PushDecision",
    "SignInResult",
    "Limit",
    "Verdict",
  ],
  ...["Outcome", "Icon", "TotpAlgorithm", "SigningAlgorithm", "OneSignalText"],
  ...["IoRedisClient", "NodeRedisClient", "NodeRedisCluster", "RedisClient"],
];

/** Words are listed by their groups, whatever their types are called. */
const OF_WORDS = /(Messages|MessageOverrides|Words|WordsByType)$/;

/** The kinds of limit are names, and no members of a type. */
const LIMITS = [
  "allCodes",
  "address",
  "recovery",
  ...METHODS.flatMap(({ limitDefaults = {} }) => Object.keys(limitDefaults)),
];

/** What the documentation calls a package that the tests have. */
const TESTED: Readonly<Record<string, string>> = {
  Express: "express",
  Passport: "passport",
  "express-session": "express-session",
  "connect-redis": "connect-redis",
  "node-redis": "redis",
  ioredis: "ioredis",
  "node-postgres": "pg",
  libsql: "libsql",
  Kysely: "kysely",
  nodemailer: "nodemailer",
  twilio: "twilio",
  "client-sns": "@aws-sdk/client-sns",
  "web-push": "web-push",
  "node-onesignal": "@onesignal/node-onesignal",
  "OpenTelemetry API": "@opentelemetry/api",
};

describe("docs/options.md and docs/http.md", () => {
  let known: ReadonlyMap<string, ReferenceType>;
  let values: readonly string[];

  beforeAll(() => {
    const found = exported();
    values = found.values;
    const types = [...found.types, ...augmentations(), { name: "LimitsOption", members: LIMITS }];
    known = new Map(types.map((type) => [type.name, type]));
  }, 60_000);

  test("have a table for every exported type that has members, and list them all", () => {
    const listed = new Set(sections.flatMap(({ types }) => types));
    const undocumented = [...known.values()]
      .filter(({ name }) => !listed.has(name) && !ELSEWHERE.includes(name) && !OF_WORDS.test(name))
      .map(({ members, name }) => `undocumented: ${name} { ${members.join(", ")} }`);
    expect([...undocumented, ...sections.flatMap((section) => missingIn(section, known))]).toEqual([]);
  });

  test("list nothing under a type that it does not have", () => {
    const strangers = sections.flatMap((section) => {
      const members = membersOf(section, known);
      return section.types.length === 0 ? [] : listedIn(section).filter((name) => !members.has(name));
    });
    expect([...strangers, ...sections.flatMap(({ types }) => types).filter((name) => !known.has(name))]).toEqual([]);
  });

  test("tell of every exported function and value, if only by its name", () => {
    const everything = papers.map(({ text }) => text).join("\n");
    const isNamed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(everything);
    expect(values.filter((name) => !isNamed(name)).map((name) => `undocumented: ${name}`)).toEqual([]);
  });

  test("have headings of functions that there are", () => {
    const members = ["SecondFactor", "Accounts"].flatMap((name) => known.get(name)?.members ?? []);
    const ofTypes = sections.filter(({ types }) => types.length > 0);
    const functions = ofTypes.flatMap(({ title }) => codeIn(title)).filter((code) => code.includes("("));
    const names = functions.map((code) => /([\w-]+)\(/.exec(code)?.[1] ?? code);
    expect(names.filter((name) => !values.includes(name) && !members.includes(name))).toEqual([]);
  });

  test("list every limit with its numbers", () => {
    const rows = new Map(sectionTitled("Limits").rows.map((row) => [row.code[0], row.cells]));
    const defaults = METHODS.flatMap(({ limitDefaults = {} }) => Object.entries(limitDefaults));
    const wrong = defaults.filter(([kind, { limit, window }]) => {
      const [, said, minutes] = rows.get(kind) ?? [];
      return said !== String(limit) || minutes !== `\`"${window / 60_000}m"\``;
    });
    expect(wrong).toEqual([]);
  });

  test("list every route, and no other", () => {
    const listed = rowsOf("http.md").flatMap(({ code }) => code.filter((each) => /^(GET|POST) /.test(each)));
    const paths = new Set(listed.map((route) => route.replace(/\?.*/, "")));
    const options = { issuer: "Acme", origin: "https://acme.example", keys: TEST_KEYS };
    compare([...paths], routes(options));
  });

  test("list every code with its status and its title, and no other", () => {
    const listed = sectionTitled("Problems").rows.map(({ cells, code }) => [code[0], cells[1], cells[2]]);
    const table = Object.entries(ERRORS).map(([code, { status, title }]) => [code, String(status), title]);
    expect(listed.sort()).toEqual(table.sort());
  });

  test("say of every audit action what its owner sees of it, and what OWASP calls it", () => {
    const { rows } = sectionTitled("Audit actions");
    const told = rows.map(({ cells, code }) => [code[0], cells[2], cells[3]]);
    const event = { time: "", outcome: "success" } as const;
    const right = rows.map(({ code: [action = ""] }) => {
      const [name] = toOwasp({ ...event, action })?.event.split(":") ?? [];
      return [
        action,
        action in english.settings.activity.names ? "yes" : "–",
        name === undefined ? "–" : `\`${name}\``,
      ];
    });
    expect(told).toEqual(right);
  });

  test("list every word of the pages, and no other", () => {
    compare(sectionTitled("Words").rows.flatMap(wordsIn), messageKeys());
  });

  test("list every cookie that the code names, and no other", () => {
    const listed = sectionTitled("Cookies").rows.flatMap(({ code }) => code.filter((each) => each.startsWith("2fa-")));
    compare(
      listed.map((name) => name.replace(/…$/, "")),
      textsLike(/^2fa-[a-z-]+$/),
    );
  });

  test("list every variable of the style sheet, and classes that are in it", () => {
    compare(
      sectionTitled("Style").rows.flatMap(({ code }) => code),
      cssVariables(),
    );
    const classes = sectionTitled("Classes").rows.flatMap(({ code }) => code);
    const names = [...styleSheet().matchAll(/\.sf(-[a-z-]+)?/g)].map(([name]) => name);
    expect(classes.filter((name) => !names.includes(name))).toEqual([]);
    expect(classes.length).toBeGreaterThan(0);
  });

  test("list every warning by its code, and no other", () => {
    compare(
      sectionTitled("Warnings").rows.flatMap(({ code: [code = ""] }) => code),
      // A variable of the environment that holds a key is none.
      textsLike(/^SECOND_FACTOR_(?!\w*KEY$)[A-Z_]+$/),
    );
  });

  test("list every command of the program, and no other", async () => {
    compare(
      sectionTitled("Command line").rows.map(({ code: [code = ""] }) => nameIn(code)),
      await commands(),
    );
  });

  test("name the versions that the tests have", () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      devDependencies: Readonly<Record<string, string>>;
    };
    const { text } = sectionTitled("Tested with");
    const wrong = Object.entries(TESTED).filter(([name, dependency]) => {
      const said = new RegExp(`\\b${name} (\\d+(?:\\.\\d+)?)`).exec(text)?.[1];
      return said === undefined || !`${devDependencies[dependency]?.replace(/^[~^]/, "")}.`.startsWith(`${said}.`);
    });
    expect(wrong).toEqual([]);
  });

  test("know every method that comes with the package", () => {
    expect(METHODS).toHaveLength(readdirSync(join(root, "lib/methods")).length);
  });

  test("are reached from the README, as every page beside them is", () => {
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const unreached = papers.filter(({ file }) => {
      const others = papers.filter((paper) => paper.file !== file).map(({ text }) => text);
      return ![readme.replaceAll("](docs/", "]("), ...others].some((text) => text.includes(`](${file}`));
    });
    expect(unreached.map(({ file }) => `nothing leads to docs/${file}`)).toEqual([]);
  });

  test("lead to places that there are", () => {
    const anchors = new Map(papers.map(({ file, text }) => [file, anchorsIn(text)]));
    const readme = readFileSync(join(root, "README.md"), "utf8").replaceAll("](docs/", "](");
    const links = [...papers, { file: "README.md", text: readme }].flatMap(({ file, text }) =>
      [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].map(([, to = "", anchor]) => {
        return { file, to: to === "" ? file : to, anchor };
      }),
    );
    const isBroken = ({ anchor, to }: (typeof links)[number]): boolean =>
      anchor !== undefined && anchors.get(to)?.includes(anchor) === false;
    expect(links.filter(isBroken)).toEqual([]);
  });
});

/** Both ways, each name once: `undocumented: …` is to be written, `not in the code: …` to be taken out. */
function compare(listed: readonly string[], code: readonly string[]): void {
  const undocumented = code.filter((name) => !listed.includes(name)).map((name) => `undocumented: ${name}`);
  const strangers = listed.filter((name) => !code.includes(name)).map((name) => `not in the code: ${name}`);
  expect([...undocumented, ...strangers]).toEqual([]);
  expect(listed).toHaveLength(new Set(listed).size);
}

function rowsOf(file: string): readonly Row[] {
  return sections.filter((section) => section.file === file).flatMap(({ rows }) => rows);
}

function listedIn({ rows }: Section): string[] {
  return rows.flatMap(({ code }) => code.map(nameIn));
}

function membersOf({ types }: Section, known: ReadonlyMap<string, ReferenceType>): ReadonlySet<string> {
  return new Set(types.flatMap((name) => known.get(name)?.members ?? []));
}

function missingIn(section: Section, known: ReadonlyMap<string, ReferenceType>): string[] {
  const listed = listedIn(section);
  return section.types.flatMap((name) => {
    const { members = [] } = known.get(name) ?? {};
    return members.filter((member) => !listed.includes(member)).map((member) => `undocumented: ${name}.${member}`);
  });
}

/** What stands for the names of a group that has one word for each of something else. */
const EVERY: Readonly<Record<string, readonly string[]>> = {
  "every code": Object.keys(ERRORS),
  "every activity": Object.keys(english.settings.activity.names),
};

/** `challenge` and `trust(days)` make `challenge.trust`. */
function wordsIn({ cells: [, words = ""], code: [group = ""] }: Row): string[] {
  const names = EVERY[words] ?? codeIn(words).map(nameIn);
  return names.map((name) => (group === "messages" ? name : `${group}.${name}`));
}

/** As GitHub makes them of headings. */
function anchorsIn(text: string): string[] {
  const titles = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  return titles.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
