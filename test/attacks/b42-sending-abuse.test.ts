import { describe, expect, test } from "@jest/globals";
import { distantStore, HOUR, MINUTE, twoServers } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import { REJECTS } from "../support/faults.js";
import {
  addCodes,
  CODE_TYPES,
  codeApp,
  type CodeApp,
  codeMethods,
  CodeOutbox,
  inOutbox,
  KINDS,
  placeOf,
  sentTo,
  withCodes,
} from "../support/sent-codes.js";

const WIDTH = 30;

async function jars(count: number, targets: readonly CodeApp[], name: string): Promise<Jar<CodeApp>[]> {
  return Promise.all(Array.from({ length: count }, (_none, index) => pending(targets[index % targets.length]!, name)));
}

/** Two servers over one distant store, whose messages arrive in one place. */
function servers(options: object = {}): readonly [CodeApp, CodeApp] {
  const outbox = new CodeOutbox();
  const limits = { address: { limit: 10_000, window: "15m" } } as const;
  const pair = twoServers({
    store: distantStore().store,
    options: { methods: codeMethods(outbox), limits, ...options },
  });
  return [inOutbox(outbox, pair[0]), inOutbox(outbox, pair[1])];
}

describe.each(CODE_TYPES)("asking for messages of %s without end", (type) => {
  const { base, destinationOf, limit, mask, member } = KINDS[type];
  const own = destinationOf("alice");

  test("B42 fifty requests of one login are one message a minute, and three in half an hour", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    const waits: number[] = [];
    for (let times = 0; times < 50; times += 1) {
      const answer = await jar.post(`${base}/send`);
      if (answer.status === 202) continue;
      expect([answer.status, answer.body.code]).toEqual([429, "too-many-attempts"]);
      waits.push(Number(answer.headers["retry-after"]));
    }
    expect([target.outbox.messages.length, waits.length, new Set(waits)]).toEqual([1, 49, new Set([60])]);
    for (let minute = 1; minute < 30; minute += 1) {
      target.clock.advance(MINUTE);
      await jar.post(`${base}/send`);
      expect(target.outbox.messages.length).toBe(Math.min(minute + 1, 3));
    }
    const other = await pending(target, "alice");
    expect((await other.post(`${base}/send`)).headers["retry-after"]).toBe("60");
    target.clock.advance(MINUTE);
    expect((await other.post(`${base}/send`)).status).toBe(202);
  });

  test("B42 thirty requests in one tick, of one login or of thirty, at two servers: one message", async () => {
    const [one, two] = servers();
    await withCodes(one, type, "alice");
    for (const asking of [await jars(1, [one], "alice"), await jars(WIDTH, [one, two], "alice")]) {
      one.clock.advance(HOUR);
      const fresh = await Promise.all(asking.map(() => pending(one, "alice")));
      const wide = asking.length > 1 ? fresh : Array.from({ length: WIDTH }, () => fresh[0]!);
      one.outbox.taken();
      const answers = await Promise.all(wide.map((jar) => jar.post(`${base}/send`)));
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(WIDTH - 1);
      expect(one.outbox.messages.map(placeOf)).toEqual([own]);
    }
  });

  test(`B42 without a cool-down exactly three of thirty in one tick are sent (${limit})`, async () => {
    const [one, two] = servers({
      limits: {
        address: { limit: 10_000, window: "15m" },
        [limit.replace("Send", "Cooldown")]: { limit: 1_000, window: "1s" },
      },
    });
    await withCodes(one, type, "alice");
    const answers = await Promise.all((await jars(WIDTH, [one, two], "alice")).map((jar) => jar.post(`${base}/send`)));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(3);
    expect(one.outbox.messages.map(placeOf)).toEqual([own, own, own]);
  });

  test("B42 in a day of asking whenever it is allowed no more is sent than the limits say", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const begun = target.clock();
    while (target.clock() < begun + 24 * HOUR) {
      const jar = await pending(target, "alice");
      const answer = await jar.post(`${base}/send`);
      target.clock.advance(answer.status === 202 ? 1_000 : Number(answer.headers["retry-after"]) * 1_000);
    }
    expect(target.outbox.messages.length).toBeLessThanOrEqual(24 * 5);
    expect(new Set(target.outbox.messages.map(placeOf))).toEqual(new Set([own]));
  });

  test("B42 one destination gets five an hour over all accounts, exactly, whoever asks at once", async () => {
    const [one, two] = servers();
    const names = ["alice", "mallory", "carol"];
    for (const name of names) {
      const jar = new Jar(one);
      await jar.login(name);
      await addCodes(jar, type, own);
      await jar.post("/logout");
      one.clock.advance(HOUR + MINUTE);
    }
    one.outbox.taken();
    for (let round = 0; round < 3; round += 1) {
      const asking = (await Promise.all(names.map((name) => jars(2, [one, two], name)))).flat();
      await Promise.all(asking.map((jar) => jar.post(`${base}/send`)));
      one.clock.advance(MINUTE);
    }
    expect(one.outbox.messages.map(placeOf)).toEqual(Array<string>(5).fill(own));
    const refused = await (await pending(one, "carol")).post(`${base}/send`);
    expect([refused.status, refused.body.code]).toEqual([429, "too-many-attempts"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(60);
  });

  test("B42 strangers who type somebody's destination get three there an hour, and do not use up what its owner signs in with", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    for (const name of ["mallory", "carol", "dave", "mallory", "carol", "dave"]) {
      const jar = new Jar(target);
      await jar.login(name);
      await jar.post(`${base}/enroll`, { [member]: own });
      target.clock.advance(MINUTE);
    }
    expect(target.outbox.taken().map(placeOf)).toEqual([own, own, own]);
    await sentTo(await pending(target, "alice"), type);
    expect(target.outbox.messages.map(placeOf)).toEqual([own]);
  });

  test("B42 an enrollment is asked for again and again: one message a minute, three in half an hour", async () => {
    const target = codeApp();
    const jar = new Jar(target);
    await jar.login("alice");
    const others = [own, destinationOf("mallory"), destinationOf("carol"), destinationOf("dave")];
    for (let times = 0; times < 20; times += 1) {
      await jar.post(`${base}/enroll`, { [member]: others[times % others.length] });
      target.clock.advance(10_000);
    }
    expect(target.outbox.messages).toHaveLength(3);
  });

  test("B42 thirty begun in one tick are one message, thirty destinations or one", async () => {
    for (const places of [[own], [own, destinationOf("mallory"), destinationOf("carol")]]) {
      const target = codeApp({ store: distantStore().store });
      const jar = new Jar(target);
      await jar.login("alice");
      const begin = (index: number) => jar.post(`${base}/enroll`, { [member]: places[index % places.length] });
      const answers = await Promise.all(Array.from({ length: WIDTH }, (_none, index) => begin(index)));
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      expect(target.outbox.messages).toHaveLength(1);
    }
  });

  test.each([
    ["nobody", []],
    ["a wrong password", ["/login"]],
  ])("B42 nothing is sent to %s", async (_who, paths) => {
    const target = codeApp();
    const factorId = await withCodes(target, type, "alice");
    const jar = new Jar(target);
    for (const path of paths) await jar.post(path, { username: "alice", password: "wrong" });
    for (const body of [{}, { factorId }, { username: "alice" }, { [member]: own }]) {
      for (const path of [`${base}/send`, `${base}/enroll`]) {
        const answer = await jar.post(path, body);
        expect([answer.status, answer.body.code]).toEqual([401, "login-required"]);
      }
    }
    expect(target.outbox.messages).toEqual([]);
  });

  test("B42 a destination in the request is no destination: the code goes to what is stored, or nowhere", async () => {
    const target = codeApp();
    const others = destinationOf("mallory");
    const foreign = await withCodes(target, type, "mallory");
    await withCodes(target, type, "alice");
    for (const name of ["to", "phone", "email", "address", "number", "destination", "userId", "id"]) {
      for (const value of [others, [others], { address: others }, [own, others], "u2"]) {
        target.clock.advance(31 * MINUTE);
        const jar = await pending(target, "alice");
        const answer = await jar.post(`${base}/send`, { [name]: value });
        expect([name, value, [202, 400, 429].includes(answer.status)]).toEqual([name, value, true]);
        expect(new Set([...target.outbox.taken().map(placeOf), own])).toEqual(new Set([own]));
        expect(answer.text).not.toContain(others);
      }
    }
    target.clock.advance(2 * HOUR);
    const jar = await pending(target, "alice");
    for (const factorId of [foreign, "AAAAAAAAAAAAAAAAAAAAAA"]) {
      const answer = await jar.post(`${base}/send`, { factorId });
      expect([answer.status, answer.body.code]).toEqual([404, "not-found"]);
    }
    for (const factorId of [[foreign], { id: foreign }, 7, true]) {
      expect((await jar.post(`${base}/send`, { factorId })).status).toBe(400);
    }
    expect(target.outbox.messages).toEqual([]);
    const right = await jar.post(`${base}/send`);
    expect([right.status, right.body.hint]).toEqual([202, mask(own)]);
  });

  test("B42 no page and no question sends anything: only a POST does", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    for (const path of ["/2fa", `/2fa?method=${type}`, `${base}/send`, base, `${base}/enroll`, "/2fa/settings"]) {
      await jar.get(path);
      await jar.page(path);
      await jar.agent.head(path);
    }
    const elsewhere = jar.agent
      .post(`${base}/send`)
      .set({ Origin: "https://evil.test", "Sec-Fetch-Site": "cross-site" });
    expect((await elsewhere.send()).status).toBe(403);
    expect(target.outbox.messages).toEqual([]);
  });

  test("B42 a sender that rejects is asked ten times in a quarter of an hour, whatever is asked of the site", async () => {
    const target = codeApp();
    await withCodes(target, type, "alice");
    const jar = await pending(target, "alice");
    target.outbox.fault = REJECTS;
    const statuses: number[] = [];
    for (let times = 0; times < 30; times += 1) statuses.push((await jar.post(`${base}/send`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(503), ...Array<number>(20).fill(429)]);
    target.outbox.fault = undefined;
    target.clock.advance(15 * MINUTE);
    expect((await (await pending(target, "alice")).post(`${base}/send`)).status).toBe(202);
  });
});
