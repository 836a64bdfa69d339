import { expect, test } from "@jest/globals";
import { MemoryStore } from "express-rate-limit";
import { distantStore, HOUR, wrongCode } from "../support/attack.js";
import { testApp, TEST_KEYS } from "../support/app.js";
import { enrolled, pending, full } from "../support/browser.js";
import session from "express-session";
import { movableClock } from "express-second-factor/testing";
import { authenticatorApp } from "express-second-factor/testing";

test("admit key", async () => {
  const rate = new MemoryStore();
  const asked: string[] = [];
  const get = rate.get.bind(rate);
  rate.get = (key: string) => { asked.push(key); return get(key); };
  const { store } = distantStore();
  const shared = { store, clock: movableClock(), sessionStore: new session.MemoryStore(), options: { keys: TEST_KEYS, limits: { address: { limit: 2, window: "15m", store: rate } } } } as const;
  const [one, other] = [testApp(shared), testApp(shared)];
  const alice = await enrolled(one, "alice");
  const jar = await pending(one, "alice");
  const moved = new (await import("../support/browser.js")).Jar(one, other.app);
  for (const c of jar.agent.jar.getCookies({domain:"127.0.0.1",path:"/",secure:false,script:false} as never)) moved.agent.jar.setCookie(`${c.name}=${c.value}; path=/`, "127.0.0.1", "/");
  asked.length = 0;
  await moved.verify(wrongCode(alice.phone, one.clock()));
  const owner = await full(one, "alice", alice.phone);
  const begun = await owner.post("/2fa/totp/enroll");
  await owner.post("/2fa/totp/enroll/confirm", { factorId: begun.body.factorId, code: "000000" });
  console.log(asked);
});
