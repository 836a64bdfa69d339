import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import supertest, { type Response } from "supertest";
import { type AuthenticatorApp, authenticatorApp } from "express-second-factor/testing";
import { built } from "../support/built.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PASSWORD = "correct horse battery staple";
/** How long a code is good. */
const STEP = 30_000;

/** A command of the README, running. */
export interface Running {
  /** The first line it prints, or "" where it ends without one. */
  address(): Promise<string>;
  /** Everything it says is wrong. */
  complaints(): string;
  /** As a service manager and Ctrl-C do; answers the exit code. */
  stop(): Promise<number | null>;
  /** The exit code, once it has ended by itself. */
  ended(): Promise<number | null>;
}

const running = new Map<ChildProcess, Promise<number | null>>();

/** Starts a program of the example application on the built package; what a test leaves running, `endAll` ends. */
export function start(program: "server.js" | "balanced.js", settings: Record<string, string>): Running {
  built();
  const child = spawn(process.execPath, [`example-app/${program}`], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: "development", NODE_OPTIONS: "", ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let complaints = "";
  child.stderr.on("data", (text: Buffer) => (complaints += text.toString()));
  const ended = once(child, "close").then(() => {
    running.delete(child);
    return child.exitCode;
  });
  running.set(child, ended);
  return {
    async address() {
      for await (const text of child.stdout) return String(text).trim();
      return "";
    },
    complaints: () => complaints,
    ended: () => ended,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

export async function endAll(): Promise<void> {
  for (const child of running.keys()) child.kill();
  await Promise.all(running.values());
}

/** Somebody with a browser of their own, at this address. */
export class Person {
  private readonly agent;

  constructor(
    address: string,
    readonly email: string,
  ) {
    this.agent = supertest.agent(address);
  }

  register(): Promise<Response> {
    return this.credentials("/register");
  }

  logIn(): Promise<Response> {
    return this.credentials("/login");
  }

  verify(code: string): Promise<Response> {
    return this.json("/2fa/totp", { code });
  }

  async isIn(): Promise<boolean> {
    const { status, text } = await this.agent.get("/account");
    return status === 200 && text.includes(this.email);
  }

  /** Sets up an authenticator app. Codes of this moment are used up by it, those of the next step are not. */
  async enroll(): Promise<AuthenticatorApp> {
    const { body } = await this.json("/2fa/totp/enroll");
    const { factorId, uri } = body as { factorId: string; uri: string };
    const phone = authenticatorApp(uri);
    const { status } = await this.json("/2fa/totp/enroll/confirm", { factorId, code: phone.code(Date.now()) });
    if (status !== 201) throw new Error(`The enrollment was answered ${status}`);
    return phone;
  }

  /** Begins to have codes sent there. */
  async receiveAt(destination: { readonly address: string } | { readonly phone: string }): Promise<void> {
    const { status } = await this.json(`/2fa/${"phone" in destination ? "sms" : "email"}-code/enroll`, destination);
    if (status !== 202) throw new Error(`The enrollment was answered ${status}`);
  }

  /** Has the device asked, for the login or for an operation. */
  async ask(operation?: string): Promise<{ readonly requestId: string; readonly number: string }> {
    const { body, status } = await this.json("/2fa/push/send", { operation });
    if (status !== 202) throw new Error(`Asking was answered ${status}`);
    return body as { requestId: string; number: string };
  }

  /** Goes on, once that is approved. */
  finish({ requestId }: { readonly requestId: string }): Promise<Response> {
    return this.json("/2fa/push/status", { requestId });
  }

  /** Transfers money; answers the operation that has to be confirmed first, or undefined once it is done. */
  async transfer(amount: string, recipient: string): Promise<string | undefined> {
    const form = this.agent.post("/transfer").set("Accept", "application/json").type("form");
    const { body, status } = await form.send({ amount, recipient });
    return status === 200 ? undefined : (body as { operation: { id: string } }).operation.id;
  }

  /** What was sent, as the outbox page has it. */
  async outbox(): Promise<string> {
    return (await this.agent.get("/outbox")).text;
  }

  private credentials(path: string): Promise<Response> {
    return this.agent
      .post(path)
      .set("Accept", "application/json")
      .type("form")
      .send({ email: this.email, password: PASSWORD });
  }

  private json(path: string, body: object = {}): Promise<Response> {
    return this.agent.post(path).set("Accept", "application/json").send(body);
  }
}

/** A code that is accepted already, and later than any that was used. */
export function nextCode(phone: AuthenticatorApp): string {
  return phone.code(Date.now() + STEP);
}
