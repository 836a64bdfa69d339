import { NotDoneError, type Notice, type SecondFactorOptions, type TemporaryPass } from "express-second-factor";
import { CANARY, testApp, type TestApp, type TestAppOptions, type TestUser } from "../support/app.js";
import { type Enrolled, enrolled, type Jar, pending } from "../support/browser.js";

/** Operators, and why they act. */
export const DESK = { actor: "support:7", reason: "Lost phone, ticket 4711" };
export const OTHER = { actor: "support:8" };

/** Changes that a pass is no proof for. */
export const CHANGES = ["/2fa/backup-codes", "/2fa/devices/revoke-all", "/2fa/sessions/revoke-others", "/2fa/disable"];

export interface Desk extends Enrolled {
  readonly target: TestApp;
  readonly notices: Notice[];
}

/** An application with a route that asks for a proof, and what its owners are told. */
export function deskApp(options: Partial<SecondFactorOptions<TestUser>> = {}, given: TestAppOptions = {}) {
  const notices: Notice[] = [];
  const notify = (notice: Notice): void => void notices.push(notice);
  const target = testApp({
    ...given,
    options: { notify, ...options },
    routes(app, mfa) {
      app.get("/transfer", mfa.require(), (_req, res) => {
        res.json({ canary: CANARY });
      });
    },
  });
  return { target, notices };
}

/** … in which alice (u1) has a factor. */
export async function desk(...given: Parameters<typeof deskApp>): Promise<Desk> {
  const app = deskApp(...given);
  return { ...app, ...(await enrolled(app.target, "alice")) };
}

export function give({ mfa }: TestApp, terms: object = {}, userId = "u1"): Promise<TemporaryPass> {
  return mfa.accounts.issueTemporaryPass(userId, { ...DESK, ...terms });
}

/** alice gave her password, and types this. */
export async function typed(target: TestApp, code: string, name = "alice") {
  const jar = await pending(target, name);
  return { jar, answer: await type(jar, code) };
}

export function type(jar: Jar, code: unknown): ReturnType<Jar["post"]> {
  return jar.post("/2fa/temporary-pass", { code });
}

/** alice, signed in with a pass. */
export async function passed(target: TestApp, name = "alice", userId = "u1"): Promise<Jar> {
  const { code } = await give(target, {}, userId);
  const { answer, jar } = await typed(target, code, name);
  if (answer.status !== 200) throw new Error(`The pass answered ${answer.status}: ${answer.text}`);
  return jar;
}

/** Why it was not done. */
export async function undone(act: Promise<unknown>): Promise<NotDoneError> {
  const error: unknown = await act.then(
    () => undefined,
    (refused: unknown) => refused,
  );
  if (error instanceof NotDoneError) return error;
  throw new Error("It was done, or refused for another reason", { cause: error });
}
