// B44: asking for a recovery must not say whether an account, an address or a factor exists.
import { expect, test } from "@jest/globals";
import { DESK, give } from "../help-desk/stage.js";
import { Jar, pending } from "../support/browser.js";
import { faultyKeys } from "../support/faults.js";
import { recordingStore } from "../support/recording-store.js";
import { alice, click, COUNTING, RECOVERY } from "../support/recovery.js";

test("B44: nobody is told of anybody before the first factor, whatever they name", async () => {
  const here = await alice();
  const answers = await Promise.all(
    [{}, { userId: "u1" }, { username: "alice" }, { email: "alice@acme.test" }, { email: "nobody@acme.test" }].map(
      async (body) => {
        const { body: answer, status } = await new Jar(here.target).post(RECOVERY, body);
        return [status, answer as unknown];
      },
    ),
  );
  expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1);
  expect(answers[0]![0]).toBe(401);
  const guesses = await Promise.all(["AAAA", "BBBB", ""].map((token) => click(here, "cancel", token)));
  expect(new Set(guesses.map(({ text }) => text)).size).toBe(1);
});

test("B44: whoever has the password alone sees the same page and answer with and without an address", async () => {
  const seen = await Promise.all(
    [{}, { user: { email: () => undefined } }].map(async (options) => {
      const here = await alice({ options });
      const jar = await pending(here.target, "alice");
      const asked = await jar.form(RECOVERY);
      const { body } = await jar.get("/2fa");
      const page = (await jar.page("/2fa")).text;
      const notice = /<p role="status">[^]*?<\/p>/.exec(page)?.[0];
      return [asked.status, asked.headers.location, (body as { recovery: unknown }).recovery, notice];
    }),
  );
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]![3]).toContain("If there is an e-mail address");
});

test("B44: nor does a second login of theirs see whether the first one's request came to anything, or how much work it was", async () => {
  const seen = await Promise.all(
    [{}, { user: { email: () => undefined } }].map(async (options) => {
      const { memory: _memory, ...store } = recordingStore();
      const here = await alice({ options, store });
      const jar = await pending(here.target, "alice");
      const before = store.written.length;
      expect((await jar.post(RECOVERY)).status).toBe(202);
      const work = store.written.length - before;
      const other = await pending(here.target, "alice");
      const { body } = await other.get("/2fa");
      const page = (await other.page("/2fa")).text;
      return [work, (body as { recovery: unknown }).recovery, page.length];
    }),
  );
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]![1]).toEqual({ state: "none" });
});

test("B44: nor whether there is an older set of backup codes, by what a code costs that is none of it", async () => {
  const seen = await Promise.all(
    [true, false].map(async (isReplaced) => {
      const vault = faultyKeys();
      const opened: string[] = [];
      const decrypt: typeof vault.decrypt = (sealed, context) => {
        opened.push(context.purpose);
        return vault.decrypt(sealed, context);
      };
      const { memory: _memory, ...store } = recordingStore();
      const here = await alice({ store, options: { ...COUNTING.options, keys: { ...vault, decrypt } } });
      if (isReplaced) await here.target.mfa.accounts.regenerateBackupCodes("u1");
      const jar = await pending(here.target, "alice");
      const before = store.written.length;
      opened.length = 0;
      const { body, status } = await jar.post(RECOVERY, { backupCode: "0000-0000-0000-0000" });
      return [status, body as unknown, store.written.length - before, [...opened]];
    }),
  );
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]![0]).toBe(401);
  expect(seen[0]![3]).toContain("backup-code");
});

test("B44: whoever has the password alone is not told whether a pass was given out, or the help desk waits for a number", async () => {
  const here = await alice();
  const jar = await pending(here.target, "alice");
  const look = async (): Promise<readonly unknown[]> => {
    const pages = await Promise.all(["/2fa", "/2fa/temporary-pass"].map((path) => jar.page(path)));
    const answers = [await jar.get("/2fa"), await jar.get("/2fa/temporary-pass"), await jar.post("/2fa/caller-check")];
    const told = answers.map(({ body, status }) => [status, body as unknown]);
    return [...pages.map(({ status, text }) => [status, text.replaceAll(/nonce="[^"]*"/g, "")]), ...told];
  };
  const before = await look();
  await give(here.target);
  await here.target.mfa.accounts.callerCheck.begin("u1", DESK);
  expect(await look()).toEqual(before);
  expect(JSON.stringify(before)).toContain("temporary-pass");
});
