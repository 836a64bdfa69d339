// Nothing of a device's can be brought about by another site, or by looking; and what rises by a device leaves its session id behind.
import { expect, test } from "@jest/globals";
import type { Test } from "supertest";
import { cookies, harmless, SESSION_COOKIE } from "../support/attack.js";
import { Jar } from "../support/browser.js";
import { phone as newPhone } from "../support/phone.js";
import { pushApp, type PushJar, status, SUBSCRIPTION, waitingFor, withPhone } from "../support/push.js";

const FOREIGN: Readonly<Record<string, (sent: Test) => Test>> = {
  "a form of another site": (sent) => sent.type("form").set("Sec-Fetch-Site", "cross-site"),
  "a form that says nothing": (sent) => sent.type("form"),
  "JSON of a sibling site": (sent) => sent.set("Sec-Fetch-Site", "same-site"),
  "JSON of an evil origin": (sent) => sent.set("Origin", "https://evil.test"),
  "JSON of a hidden origin": (sent) => sent.set("Origin", "null"),
  "plain text that parses as JSON": (sent) => sent.type("text/plain"),
};

/** Every route of devices that changes or tells something, with a body that is right. */
async function staged() {
  const target = pushApp();
  const phone = await withPhone(target);
  const { jar: owner, sent: first } = await waitingFor(target);
  await phone.approve(first.number);
  await status(owner, first.requestId);
  const { body } = await owner.post("/2fa/push/enroll/options");
  const added = await newPhone(target);
  const { jar: waiting, sent } = await waitingFor(target);
  const decision = await phone.decideBody(await phone.request(), "approve", sent.number);
  const none: PushJar = new Jar(target);
  const routes: readonly [string, PushJar, object][] = [
    ["send", waiting, { factorId: phone.factorId }],
    ["status", waiting, { requestId: sent.requestId }],
    ["enroll/options", owner, { password: "x" }],
    ["enroll", owner, await added.enrollBody((body as { challenge: string }).challenge)],
    ["requests", none, await phone.requestsBody()],
    ["subscription", none, await phone.subscriptionBody("test", JSON.stringify(SUBSCRIPTION))],
    ["decide", none, decision],
  ];
  return { target, routes };
}

test.each(Object.entries(FOREIGN))("B27 %s does nothing at any route of devices", async (_what, made) => {
  const { target, routes } = await staged();
  const before = await target.store.read("account:u1");
  for (const [path, jar, body] of routes) {
    const text = jar.agent.post(`/2fa/push/${path}`).set("Accept", "application/json").type("json");
    const sent = made(text);
    const isForm = sent.get("Content-Type").includes("form");
    const answer = harmless(await sent.send(isForm ? body : JSON.stringify(body)));
    expect([path, answer.status]).toEqual([path, answer.body.code === "cross-site-request" ? 403 : 415]);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  }
  expect(await target.store.read("account:u1")).toEqual(before);
  // The same bodies are as right as they were.
  for (const [path, jar, body] of routes.filter(([name]) => /requests|subscription|decide|enroll$/.test(name)))
    expect([path, (await jar.post(`/2fa/push/${path}`, body)).status < 300]).toEqual([path, true]);
});

test.each(["get", "head", "put", "patch", "delete"] as const)("B27 %s does nothing at any of them", async (verb) => {
  const { target, routes } = await staged();
  const before = await target.store.read("account:u1");
  for (const [path, jar, body] of routes) {
    const query = new URLSearchParams(body as Record<string, string>).toString();
    const sent = jar.agent[verb](`/2fa/push/${path}?${query}`).set("X-HTTP-Method-Override", "POST");
    const answer = harmless(await sent.set("Accept", "application/json").set("Sec-Fetch-Site", "same-origin"));
    expect([path, answer.status, answer.headers["cache-control"]]).toEqual([path, 404, "no-store"]);
  }
  expect(await target.store.read("account:u1")).toEqual(before);
});

test("B33 the session id is another once the device has approved and that was used, and no sooner", async () => {
  const target = pushApp();
  const phone = await withPhone(target);
  const { jar, sent } = await waitingFor(target);
  const before = cookies(jar)[SESSION_COOKIE];
  await phone.approve(sent.number);
  await status(jar, sent.requestId, { peek: true });
  expect(cookies(jar)[SESSION_COOKIE]).toBe(before);
  expect((await status(jar, sent.requestId)).body.status).toBe("verified");
  expect(cookies(jar)[SESSION_COOKIE]).not.toBe(before);
});
