import { describe, expect, test } from "@jest/globals";
import { backupCodes, type SecondFactor, totp } from "express-second-factor";
import { softwareAuthenticator, type SoftwareAuthenticator } from "express-second-factor/testing";
import { colours } from "../methods/colours/colours.js";
import { addColours, BASE, type ColourApp, Outbox, Phones, sequenceFor } from "../methods/colours/stage.js";
import { knock } from "../methods/colours/knock.js";
import { enrollWith } from "../passkeys/stage.js";
import { CANARY, guarded, testApp, type TestAppOptions } from "../support/app.js";
import { MINUTE, STEP, told } from "../support/attack.js";
import { Jar, pending } from "../support/browser.js";
import { asked, confirm, field, type Field, LARGE, opens, ROWS, routesFor, SEND, waiting } from "./stage.js";

const TRANSFERS = { "/transfer": ROWS["/transfer"] };

interface KeyField extends Field {
  readonly device: SoftwareAuthenticator;
}

/** alice, who has a passkey too. */
async function withPasskey(given: TestAppOptions = {}): Promise<KeyField> {
  const here = await field(given);
  const device = softwareAuthenticator();
  await enrollWith(here.jar, device);
  return { ...here, device };
}

/** A passkey asked for with the one body, and given with the other. */
async function passkey({ device, jar }: KeyField, asking: object, giving: object): Promise<number> {
  const options = await jar.post("/2fa/passkey/options", asking);
  if (options.status !== 200) return options.status;
  return (await jar.post("/2fa/passkey", { credential: device.get(options.body), ...giving })).status;
}

describe("an operation is opened by", () => {
  test("a backup code, which is used up by it", async () => {
    const { backupCodes: codes, jar } = await field();
    const { id: operation } = await asked(jar);
    const answer = await jar.post("/2fa/backup-code", { code: codes[0], operation });
    expect([answer.status, answer.body]).toMatchObject([200, { status: "verified", remaining: 9 }]);
    expect(await opens(jar, "/transfer", SEND)).toBe(true);
    expect((await jar.post("/2fa/backup-code", { code: codes[0] })).status).toBe(401);
  });

  test("a passkey that was asked for for it, and for no other, and not for the login", async () => {
    const here = await withPasskey();
    const [one, other] = [await asked(here.jar), await asked(here.jar, LARGE)];
    const [first, second] = [{ operation: one.id }, { operation: other.id }];
    expect(await passkey(here, first, second)).toBe(401);
    expect(await passkey(here, first, {})).toBe(401);
    expect(await passkey(here, {}, first)).toBe(401);
    expect(await passkey(here, first, first)).toBe(200);
    expect([await opens(here.jar, "/transfer", LARGE), await opens(here.jar, "/transfer", SEND)]).toEqual([
      false,
      true,
    ]);
  });

  test("a passkey, although another tab has given a proof of the login since it was asked for", async () => {
    const here = await withPasskey();
    const { id: operation } = await asked(here.jar);
    const options = await here.jar.post("/2fa/passkey/options", { operation });
    here.target.clock.advance(STEP);
    expect((await here.jar.verify(here.phone.code(here.target.clock()))).status).toBe(200);
    const credential = here.device.get(options.body);
    expect((await here.jar.post("/2fa/passkey", { credential, operation })).status).toBe(200);
  });

  test("no passkey of an operation that is over: nothing is asked for, and what was is not used up", async () => {
    const here = await withPasskey();
    const { id: operation } = await asked(here.jar);
    const options = await here.jar.post("/2fa/passkey/options");
    await here.jar.post("/2fa/cancel", { operation });
    expect((await here.jar.post("/2fa/passkey/options", { operation })).status).toBe(410);
    const credential = here.device.get(options.body);
    expect((await here.jar.post("/2fa/passkey", { credential, operation })).status).toBe(410);
    expect((await here.jar.post("/2fa/passkey", { credential })).status).toBe(200);
  });

  test("no kind of proof that its route does not take: 400, and nothing is compared", async () => {
    const here = await withPasskey({
      routes(app, mfa) {
        app.post("/strong-transfer", mfa.require({ phishingResistant: true, bind: () => "Strong" }), guarded);
      },
    });
    const operation = await asked(here.jar, SEND, "/strong-transfer");
    const page = (await here.jar.page(`/2fa?operation=${operation.id}`)).text;
    expect([page.includes("data-passkey"), page.includes('name="code"')]).toEqual([true, false]);
    expect(await confirm(here, operation)).toBe(400);
    expect(told("factor-verified", here.target)).toBe(1);
    expect(await passkey(here, { operation: operation.id }, { operation: operation.id })).toBe(200);
    expect((await here.jar.post("/strong-transfer", SEND)).text).toContain(CANARY);
  });
});

describe("what is sent for one operation", () => {
  async function colourField() {
    const outbox = new Outbox();
    const methods = [colours({ deliver: outbox.deliver, timeout: 50 }), totp(), backupCodes()];
    const limits = { colourSend: { limit: 20, window: "30m" } } as const;
    const target: ColourApp = { ...testApp({ options: { methods, limits }, routes: routesFor(TRANSFERS) }), outbox };
    const jar = new Jar(target);
    await jar.login("alice");
    await addColours(jar);
    const send = async (body: object): Promise<string> => {
      target.clock.advance(MINUTE);
      const sent = await jar.post(`${BASE}/send`, body);
      if (sent.status !== 202) throw new Error(`sending answered ${sent.status}: ${sent.text}`);
      return outbox.last;
    };
    return { jar, outbox, send, target };
  }

  test("confirms that one, no other, and not the login", async () => {
    const { jar, send } = await colourField();
    const [one, other] = [await asked(jar), await asked(jar, LARGE)];
    const code = await send({ operation: one.id });
    expect((await jar.post(BASE, { code, operation: other.id })).status).toBe(401);
    expect((await jar.post(BASE, { code })).status).toBe(401);
    expect((await jar.post(BASE, { code, operation: one.id })).status).toBe(200);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(true);
  });

  test("is another thing than what was sent for the login, which confirms no operation", async () => {
    const { jar, target } = await colourField();
    const { id: operation } = await asked(jar);
    target.clock.advance(MINUTE);
    const code = await sequenceFor(jar);
    expect((await jar.post(BASE, { code, operation })).status).toBe(401);
    expect((await jar.post(BASE, { code })).status).toBe(200);
  });

  test("does not go out for an operation that is over", async () => {
    const { jar, outbox } = await colourField();
    const sent = outbox.messages.length;
    const { id: operation } = await asked(jar);
    await jar.post("/2fa/cancel", { operation });
    expect((await jar.post(`${BASE}/send`, { operation })).status).toBe(410);
    expect(outbox.messages).toHaveLength(sent);
  });

  test("is asked for and answered on the page of the operation, without a script", async () => {
    const { jar, outbox } = await colourField();
    const { id: operation } = await asked(jar);
    const page = `/2fa?method=colour-sequence&operation=${operation}`;
    const button = /<form method="post" action="\/2fa\/colour-sequence\/send">([^]*?)<\/form>/.exec(
      (await jar.page(page)).text,
    );
    expect(button?.[1]).toContain(`name="operation" value="${operation}"`);
    const { status, headers } = await jar.form(`${BASE}/send`, { operation });
    expect([status, headers.location]).toEqual([303, page]);
    expect((await jar.form(BASE, { operation, code: outbox.last })).status).toBe(303);
    expect(await opens(jar as Jar, "/transfer", SEND)).toBe(true);
  });

  test("is a question on a phone too: the page keeps the operation until it is answered", async () => {
    const phones = new Phones();
    const target = testApp({
      options: { methods: [totp(), backupCodes(), knock(phones)] },
      routes: routesFor(TRANSFERS),
    });
    const jar = new Jar(target);
    await jar.login("alice");
    const { factorId } = (await jar.post("/2fa/knock/enroll")).body as { factorId: string };
    const code = phones.shown.at(-1)?.text.replace("Your code: ", "");
    await jar.post("/2fa/knock/enroll/confirm", { factorId, code });
    const { id: operation } = await asked(jar);
    const page = `/2fa?method=knock&operation=${operation}`;
    expect((await jar.page(page)).text.match(new RegExp(`name="operation" value="${operation}"`, "g"))).toHaveLength(3);
    expect((await jar.form("/2fa/knock/send", { operation })).headers.location).toBe(page);
    expect((await jar.form("/2fa/knock", { operation })).headers.location).toBe(page);
    phones.answer("approved");
    expect((await jar.post("/2fa/knock", {})).status).toBe(401);
    expect((await jar.post("/2fa/knock", { operation })).body.status).toBe("verified");
    expect(await opens(jar, "/transfer", SEND)).toBe(true);
  });
});

describe("the page of an operation", () => {
  test("leads to every other way with its id, and after a wrong code shows the same again", async () => {
    const { jar } = await field();
    const { id } = await asked(jar);
    const page = (await jar.page(`/2fa?operation=${id}`)).text;
    expect(page).toContain(`href="/2fa?method=backup-code&amp;operation=${id}"`);
    const other = await jar.page(`/2fa?method=backup-code&operation=${id}`);
    const wrong = await jar.form("/2fa/totp", { code: "000000", operation: id });
    expect([other.status, wrong.status]).toEqual([200, 401]);
    for (const { text } of [other, wrong]) {
      expect(text).toContain("Send 5 to bob");
      expect(text).toContain(`name="operation" value="${id}"`);
    }
  });

  test("is still the page of that operation when there were too many wrong codes, for the account or the address", async () => {
    for (const address of [
      { limit: 100, window: "15m" },
      { limit: 1, window: "15m" },
    ] as const) {
      const { jar } = await field({ options: { limits: { address } } });
      const { id } = await asked(jar);
      let answer = await jar.form("/2fa/totp", { code: "000000", operation: id });
      for (let guess = 0; guess < 5; guess += 1)
        answer = await jar.form("/2fa/totp", { code: "000000", operation: id });
      expect([answer.status, answer.headers["retry-after"]]).toEqual([429, expect.stringMatching(/^[0-9]+$/)]);
      expect(answer.text).toContain("Send 5 to bob");
      expect(answer.text).toContain(`name="operation" value="${id}"`);
    }
  });

  test("lets the visitor turn away from it alone", async () => {
    const { jar } = await field();
    const { id } = await asked(jar);
    const { text } = await jar.page(`/2fa?operation=${id}`);
    expect(text).toMatch(new RegExp(`action="/2fa/cancel">\\s*<input type="hidden" name="operation" value="${id}" />`));
    expect((await jar.page("/2fa")).text).not.toContain("Send 5 to bob");
  });

  test("stays as it is when a route is opened elsewhere that takes other methods", async () => {
    const { jar } = await field();
    const { id } = await asked(jar);
    await jar.page("/by-totp");
    expect((await jar.page(`/2fa?operation=${id}`)).text).toContain("method=backup-code");
  });
});

describe("mfa.strategy() with the id of an operation", () => {
  const METHODS = ["totp", "backup-code", "passkey"] as const;

  async function strategyField() {
    const here = await withPasskey({
      options: { exempt: ["/login", "/logout", "/confirm"] },
      routes(app, mfa: SecondFactor, authenticator) {
        for (const method of METHODS) authenticator.use(mfa.strategy(method));
        app.post("/confirm", authenticator.authenticate([...METHODS]), guarded);
      },
    });
    const code = (): string => {
      here.target.clock.advance(STEP);
      return here.phone.code(here.target.clock());
    };
    return { ...here, code };
  }

  test("opens that operation, and leaves the login as it is", async () => {
    const { code, jar, target } = await strategyField();
    target.clock.advance(16 * MINUTE);
    const { id: operation } = await asked(jar);
    expect((await jar.post("/confirm", { code: code(), operation })).text).toContain(CANARY);
    expect(await opens(jar, "/fresh")).toBe(false);
    expect([await opens(jar, "/transfer", LARGE), await opens(jar, "/transfer", SEND)]).toEqual([false, true]);
  });

  test("opens it by a passkey that was asked for for it", async () => {
    const { device, jar } = await strategyField();
    const { id: operation } = await asked(jar);
    const options = await jar.post("/2fa/passkey/options", { operation });
    const answer = await jar.post("/confirm", { credential: device.get(options.body), operation });
    expect([answer.status, await opens(jar, "/transfer", SEND)]).toEqual([200, true]);
  });

  test("fails with 401 for a wrong code, and opens nothing", async () => {
    const { jar } = await strategyField();
    const { id: operation } = await asked(jar);
    expect((await jar.post("/confirm", { code: "000000", operation })).status).toBe(401);
    expect((await waiting(jar)).map(({ id }) => id)).toEqual([operation]);
  });

  test("fails with 410 for one that is not waiting, whoever asks, and compares nothing", async () => {
    const { code, jar, target } = await strategyField();
    const operation = "AAAAAAAAAAAAAAAAAAAAAA";
    const verified = told("factor-verified", target);
    for (const each of [jar, await pending(target, "alice"), new Jar(target)]) {
      expect((await each.post("/confirm", { code: code(), operation })).status).toBe(410);
    }
    expect(told("factor-verified", target)).toBe(verified);
  });

  test("without an id still succeeds where no second factor is due", async () => {
    const { jar } = await strategyField();
    expect((await jar.post("/confirm", {})).status).toBe(200);
  });
});
