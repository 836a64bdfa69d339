// The way back, the help desk, devices that approve, support that acts for somebody: once through all of it, in one application.
import { expect } from "@jest/globals";
import { undone } from "../help-desk/stage.js";
import { ask, DAY, HOUR, MINUTE } from "./attack.js";
import { Jar } from "./browser.js";
import { settled, withoutItsToken } from "./left-behind.js";
import { phone, type Phone } from "./phone.js";
import { SUBSCRIPTION } from "./push-devices.js";
import { PAGES } from "./routes.js";
import { DESK, OTHER, WayBackStage } from "./way-back-stage.js";

export class WayBackRun extends WayBackStage {
  private device!: Phone;

  /** An authenticator, a device and a trusted browser for alice. */
  private async setUp(): Promise<void> {
    await this.logIn();
    this.phone = await this.enroll();
    this.device = await phone(this.target);
    const begun = await this.shownBy("/2fa/push/enroll/options", {}, ({ body }) =>
      this.secret(body.challenge as string),
    );
    const body = await this.device.enrollBody(begun.body.challenge as string);
    const done = await this.act("/2fa/push/enroll", { ...body, channel: "test", subscription: SUBSCRIPTION }, "JSON");
    expect(done.status).toBe(201);
    this.ids.push(done.body.factor.id as string);
    this.secret(SUBSCRIPTION.endpoint, SUBSCRIPTION.keys.auth, SUBSCRIPTION.keys.p256dh, body.signature);
    await this.act("/logout");
    await this.logIn();
    await this.prove({ trustDevice: "true" });
    await this.look(...PAGES);
  }

  /** A login that the device approves, after a wrong number. */
  private async approve(): Promise<void> {
    const [factorId] = this.ids.slice(-1) as [string];
    await this.logIn();
    const sent = await this.shownBy("/2fa/push/send", {}, ({ body }) => [body.requestId as string]);
    const { number, requestId } = sent.body as { readonly number: string; readonly requestId: string };
    this.named.add(requestId);
    this.showing = [requestId];
    await this.look(...PAGES, "/2fa?method=push");
    await this.act("/2fa/push/status", { requestId }, "JSON");
    const listed = this.keep(
      await new Jar(this.target).post("/2fa/push/requests", await this.device.requestsBody(undefined, factorId)),
    );
    const [request] = (listed.body as { readonly requests: readonly { requestId: string; text: string }[] }).requests;
    expect([listed.body.requests.length, Object.keys(request!)]).toEqual([1, expect.not.arrayContaining(["number"])]);
    for (const typed of [String((Number(number) + 1) % 100).padStart(2, "0"), number]) {
      const body = await this.device.decideBody(request!, "approve", typed);
      this.secret(body["signature"]!);
      this.keep(await new Jar(this.target).post("/2fa/push/decide", body));
    }
    expect((await this.act("/2fa/push/status", { requestId }, "JSON")).status).toBe(200);
    this.showing = [];
    await this.look(...PAGES);
  }

  /** Who is on the line, by the number on alice's own page. */
  private async callIn(): Promise<void> {
    const { callerCheck } = this.target.mfa.accounts;
    await callerCheck.begin("u1", DESK);
    const shown = await this.shownBy("/2fa/caller-check", {}, ({ body }) => [body.number as string]);
    const { number } = shown.body as { readonly number: string };
    this.numbers.add(number);
    this.showing = [number];
    await this.look("/2fa/settings");
    this.showing = [];
    const wrong = String((Number(number) + 1) % 1_000_000).padStart(6, "0");
    for (const told of [wrong, number]) await callerCheck.verify("u1", told, DESK);
    await this.look("/2fa/settings", "/2fa/settings/export");
  }

  /** A pass that two operators give out, typed wrong and right; a reset that nobody approves. */
  private async pass(): Promise<void> {
    const { accounts } = this.target.mfa;
    const asked = [await undone(accounts.issueTemporaryPass("u1", DESK)), await undone(accounts.reset("u1", DESK))];
    for (const { requestId } of asked) this.secrets.add(requestId!);
    const done = await accounts.approve(asked[0]!.requestId!, OTHER);
    const { code } = done as unknown as { readonly code: string };
    this.secret(code, code.replaceAll("-", ""));
    await this.logIn();
    await this.look("/2fa/temporary-pass");
    await this.act("/2fa/temporary-pass", { code: code.replace(/^./, code.startsWith("7") ? "8" : "7") });
    expect((await this.act("/2fa/temporary-pass", { code }, "JSON")).status).toBe(200);
    await this.act("/2fa/temporary-pass", { code });
    await this.look(...PAGES);
    await this.act("/logout");
  }

  /** Support, signed in in alice's place. */
  private async actFor(): Promise<void> {
    await this.logIn("dave");
    this.name = "support";
    expect((await this.act("/support/act-for-alice", {}, "JSON")).status).toBe(200);
    await this.look(...PAGES, "/2fa/settings/export");
    await this.act("/2fa/totp/enroll");
    await this.act("/2fa/cancel");
  }

  private async asks(): Promise<string> {
    await this.logIn();
    await this.look("/2fa");
    expect((await this.act("/2fa/recovery", {}, "JSON")).status).toBe(202);
    await settled();
    await this.look("/2fa");
    return this.newest("recovery/confirm");
  }

  private newest(way: string): string {
    const token = this.postbox.tokens(undefined, way).at(-1);
    if (token === undefined) throw new Error(`No mail has a link to ${way}`);
    return token;
  }

  /** The page of a link, opened where nobody is signed in, or by the login of this browser. */
  private async open(way: string, token: string): Promise<void> {
    const path = `/2fa/recovery/${way}`;
    for (const mode of ["JSON", "forms"] as const) {
      const opened = await ask(this.jar, mode, `${path}?token=${token}`);
      // What is loaded or followed from there is told the site alone.
      expect([opened.status, opened.headers["referrer-policy"], opened.headers["cache-control"]]).toEqual([
        200,
        "strict-origin",
        "no-store",
      ]);
      this.keep(withoutItsToken(opened, token));
    }
    for (const wrong of ["x", `${token.slice(0, -4)}AAAA`]) await this.act(path, { token: wrong });
  }

  private async press(way: string, token: string, status: number): Promise<void> {
    const answer = await this.act(`/2fa/recovery/${way}`, { token }, "JSON");
    expect([way, answer.status]).toEqual([way, status]);
  }

  /** Everything is lost: asked for and stopped by staff, then by a mail, then gone through with. */
  private async comeBack(): Promise<void> {
    const { clock, mfa } = this.target;
    await this.asks();
    expect(await mfa.accounts.cancelRecovery("u1", DESK)).toBe(true);
    await this.press("confirm", await this.asks(), 200);
    this.jar = new Jar(this.target);
    const cancel = this.newest("recovery/cancel");
    await this.open("cancel", cancel);
    await this.press("cancel", cancel, 204);
    await this.press("cancel", cancel, 410);
    const confirm = await this.asks();
    await this.open("confirm", confirm);
    await this.press("confirm", confirm, 200);
    for (const _half of [1, 2]) {
      clock.advance(DAY / 2);
      expect(await mfa.runDue()).toBeGreaterThan(0);
      await settled();
    }
    const complete = this.newest("recovery/complete");
    this.jar = new Jar(this.target);
    await this.open("complete", complete);
    await this.press("complete", complete, 401);
    await this.logIn();
    await this.press("complete", complete, 200);
    await this.look(...PAGES);
    this.phone = await this.enroll();
    await this.look(...PAGES, "/2fa/settings/export");
  }

  /** Somebody else, who looks for what is alice's. */
  private async pry(): Promise<void> {
    const { sessions, devices } = await this.target.mfa.accounts.export("u1", DESK);
    this.ids.push(...sessions.map(({ id }) => id), ...devices.map(({ id }) => id));
    await this.logIn("mallory");
    await this.enroll();
    await this.look(...PAGES, "/2fa/settings/export");
    for (const id of this.ids) {
      for (const path of [`factors/${id}/remove`, `sessions/${id}/revoke`, `devices/${id}/revoke`]) {
        const answer = await this.act(`/2fa/${path}`);
        expect([path, answer.status]).toEqual([path, 404]);
      }
    }
    for (const requestId of this.named) await this.act("/2fa/push/status", { requestId }, "JSON");
    await this.act("/2fa/caller-check");
    await this.act("/2fa/recovery");
    await this.act("/2fa/recovery/cancel");
  }

  async through(): Promise<this> {
    await this.setUp();
    await this.approve();
    await this.callIn();
    await this.pass();
    await this.actFor();
    await this.comeBack();
    await this.pry();
    this.target.clock.advance(HOUR + MINUTE);
    await settled();
    for (const token of this.postbox.tokens()) this.secrets.add(token);
    return this;
  }
}
