import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import type { RequestListener } from "node:http";
import type { BrowserContext, Page } from "playwright-core";
import webpush from "web-push";
import { webPush } from "express-second-factor/web-push";
import { type PushService, startPushService } from "../support/push-service.js";
import { type Demo, listen } from "./stage.js";

jest.setTimeout(60_000);

/** A page with a service worker that keeps what it was told. */
const FILES: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  "/": { type: "text/html", text: "<!doctype html><title>Woken</title>" },
  "/worker.js": {
    type: "text/javascript",
    text: `
      const told = [];
      self.addEventListener("push", (event) => {
        told.push(event.data.text());
        event.waitUntil(self.registration.showNotification("Asked"));
      });
      self.addEventListener("message", ({ source }) => source.postMessage(told));
    `,
  },
};

const files: RequestListener = (request, response) => {
  const { type, text } = FILES[request.url ?? ""] ?? { type: "text/plain", text: "" };
  response.writeHead(200, { "Content-Type": type }).end(text);
};

async function subscribe(page: Page, applicationServerKey: string): Promise<PushSubscriptionJSON> {
  return page.evaluate(async (key) => {
    await navigator.serviceWorker.register("/worker.js");
    const { pushManager } = await navigator.serviceWorker.ready;
    const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    return subscription.toJSON();
  }, applicationServerKey);
}

/** What the worker has been told, once it is so much. */
async function told(page: Page, count: number): Promise<string[]> {
  return page.evaluate(
    (least) =>
      new Promise<string[]>((resolve) => {
        const ask = async (): Promise<void> => (await navigator.serviceWorker.ready).active?.postMessage("what?");
        navigator.serviceWorker.addEventListener("message", ({ data }: MessageEvent<string[]>) => {
          if (data.length >= least) resolve(data);
          else setTimeout(() => void ask(), 50);
        });
        void ask();
      }),
    count,
  );
}

describe("a real browser, subscribed at what stands for its push service", () => {
  const vapid = { subject: "mailto:security@acme.test", ...webpush.generateVAPIDKeys() };
  const origin = "https://acme.test";
  const { signal } = new AbortController();
  let service: PushService;
  let site: Pick<Demo, "close" | "origin">;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    [service, site] = await Promise.all([startPushService(), listen(() => files)]);
    context = await service.openBrowser();
    page = await context.newPage();
    await page.goto(site.origin);
  }, 60_000);

  afterAll(async () => {
    await context.close();
    await Promise.all([service.close(), site.close()]);
  });

  test("its service worker is told what the channel sends, and hears no more once it has unsubscribed", async () => {
    const channel = webPush({ vapid, agent: service.agent });
    const subscription = (await subscribe(page, channel.applicationServerKey!)) as never;
    expect(channel.problem!(subscription)).toBeUndefined();
    const messages = ["one", "two"].map((requestId) => ({ requestId, origin }));
    for (const message of messages) await channel.send(subscription, message, { signal });
    expect((await told(page, 2)).map((each) => JSON.parse(each) as unknown)).toEqual(messages);

    const ended = service.ended();
    await page.evaluate(async () => {
      const { pushManager } = await navigator.serviceWorker.ready;
      await (await pushManager.getSubscription())?.unsubscribe();
    });
    await ended;
    await expect(channel.send(subscription, messages[0]!, { signal })).rejects.toMatchObject({
      status: 410,
      gone: true,
    });
  });
});
