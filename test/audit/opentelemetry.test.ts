import { afterEach, describe, expect, test } from "@jest/globals";
import * as api from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { instrument } from "express-second-factor/opentelemetry";
import { type AuditEvent, memoryStore } from "express-second-factor";
import { testApp } from "../support/app.js";
import { enrolled, full, Jar } from "../support/browser.js";
import { wholeRun } from "./stage.js";

/** An application's OpenTelemetry, with its exporters in memory. */
function telemetry() {
  const metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 2 ** 30 });
  const meters = new MeterProvider({ readers: [reader] });
  const spans = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  api.metrics.setGlobalMeterProvider(meters);
  api.trace.setGlobalTracerProvider(tracers);
  const counts = async (): Promise<Readonly<Record<string, number>>> => {
    await meters.forceFlush();
    const [scope] = metrics.getMetrics().at(-1)?.scopeMetrics ?? [];
    const points =
      scope?.metrics.find(({ descriptor }) => descriptor.name === "second_factor.events")?.dataPoints ?? [];
    return Object.fromEntries(
      points.map(({ attributes, value }) => [Object.values(attributes).join(" "), Number(value)]),
    );
  };
  return { counts, spans: () => spans.getFinishedSpans(), everything: () => JSON.stringify(metrics.getMetrics()) };
}

afterEach(() => {
  api.metrics.disable();
  api.trace.disable();
});

describe("instrument", () => {
  test("counts what happens by action, outcome and method, and by nothing else", async () => {
    const { counts, everything } = telemetry();
    const target = testApp();
    instrument(target.mfa, { api });
    await wholeRun(target);
    const found = await counts();
    expect(found).toMatchObject({ "factor-enrolled success totp": 2, "factor-failed failure totp": 5 });
    const sum = Object.values(found).reduce((all, each) => all + each, 0);
    expect(sum).toBe(target.events.length);
    expect(everything()).not.toMatch(/"u1"|alice|127\.0\.0\.1|support:7/);
  });

  test("begins no series by what a client or an application may send", async () => {
    const { counts } = telemetry();
    const target = testApp();
    instrument(target.mfa, { api });
    const odd = { time: "", action: "x y", outcome: "success", method: "m".repeat(50) } as AuditEvent;
    target.mfa.events.emit("audit", odd);
    target.mfa.events.emit("audit", { ...odd, action: "another\none" });
    expect(await counts()).toEqual({ "other success other": 2 });
  });

  test("has a span for each proof, right or wrong, and below the one that is active", async () => {
    const { spans } = telemetry();
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    instrument(target.mfa, { api });
    await full(target, "alice", phone);
    const jar = new Jar(target);
    await jar.login("alice");
    await jar.verify("000000");
    expect(spans().map(({ attributes, name }) => [name, attributes])).toEqual([
      ["second_factor.proof", { "second_factor.method": "totp", "second_factor.outcome": "success" }],
      ["second_factor.proof", { "second_factor.method": "totp", "second_factor.outcome": "failure" }],
    ]);
  });

  test("says of a proof that could not be looked at that it is an error", async () => {
    const { spans } = telemetry();
    const memory = memoryStore();
    const target = testApp({ store: memory });
    const { phone } = await enrolled(target, "alice");
    const other = testApp({
      store: memory,
      clock: target.clock,
      options: { keys: `other:${"qX3k9vT1".repeat(5)}abQ=` },
    });
    instrument(other.mfa, { api });
    await expect(
      other.mfa.accounts.verify("u1", { method: "totp", code: phone.code(target.clock()) }),
    ).rejects.toThrow();
    expect(spans().map(({ attributes, status }) => [attributes["second_factor.outcome"], status.code])).toEqual([
      ["error", api.SpanStatusCode.ERROR],
    ]);
  });

  test("tells nothing of another application, and nothing more once it is ended", async () => {
    const { counts, spans } = telemetry();
    const [one, other] = [testApp(), testApp()];
    const stop = instrument(one.mfa, { api });
    const verify = { method: "totp", code: "000000" };
    await other.mfa.accounts.verify("u1", verify);
    expect([await counts(), spans().length]).toEqual([{}, 0]);
    await one.mfa.accounts.verify("u1", verify);
    stop();
    await one.mfa.accounts.verify("u1", verify);
    expect([await counts(), spans().length]).toEqual([{ "factor-failed failure totp": 1 }, 1]);
  });

  test("counts or traces alone, where that is asked for", async () => {
    const { counts, spans } = telemetry();
    const [counted, traced] = [testApp(), testApp()];
    instrument(counted.mfa, { api, traces: false });
    instrument(traced.mfa, { api, metrics: false });
    await counted.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
    expect([Object.values(await counts()), spans().length]).toEqual([[1], 0]);
    await traced.mfa.accounts.verify("u1", { method: "totp", code: "000000" });
    expect([Object.values(await counts()), spans().length]).toEqual([[1], 1]);
  });

  test("that fails keeps nobody out and lets nobody in", async () => {
    const failing = {
      metrics: {
        getMeter: () => ({
          createCounter: () => ({
            add: () => {
              throw new Error("no meter");
            },
          }),
        }),
      },
      trace: {
        getTracer: () => ({
          startSpan: () => {
            throw new Error("no tracer");
          },
        }),
      },
      SpanStatusCode: api.SpanStatusCode,
    };
    const target = testApp();
    const { phone } = await enrolled(target, "alice");
    instrument(target.mfa, { api: failing as never });
    expect(await (await full(target, "alice", phone)).isIn()).toBe(true);
  });

  test("says what it needs", () => {
    expect(() => instrument(testApp().mfa, {} as never)).toThrow(/api must be the package/);
    expect(() => instrument(undefined as never, {} as never)).toThrow(/what secondFactor\(\) answered[^]*api must be/);
    expect(() => instrument(testApp().mfa, { api, spans: true } as never)).toThrow(/spans: there is no such option/);
  });
});
