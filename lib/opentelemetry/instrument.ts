import type { Attributes, Counter, MetricsAPI, Span, SpanStatusCode, TraceAPI, Tracer } from "@opentelemetry/api";
import { ConfigurationError } from "../core/errors.js";
import { optionsProblems } from "../core/option-names.js";
import { tried } from "../core/tried.js";
import type { AuditEvent } from "../events/audit.js";
import type { Events } from "../events/emitter.js";
import { onProofs, type ProofTrace } from "../events/proof-traces.js";

/** As much of `@opentelemetry/api` as is used. */
export interface OpenTelemetryApi {
  readonly metrics: Pick<MetricsAPI, "getMeter">;
  readonly trace: Pick<TraceAPI, "getTracer">;
  readonly SpanStatusCode: { readonly ERROR: SpanStatusCode };
}

export interface InstrumentOptions {
  /** The package `@opentelemetry/api` of the application, 1.3 or later: `import * as api from "@opentelemetry/api"`. */
  readonly api: OpenTelemetryApi;
  /** Counts what happens. Default: true. */
  readonly metrics?: boolean;
  /** A span for each proof that is looked at. Default: true. */
  readonly traces?: boolean;
}

const SCOPE = "express-second-factor";
const OPTIONS = ["api", "metrics", "traces"] satisfies (keyof InstrumentOptions)[];
/** A name that somebody wrote into code. Whatever else comes is one value, so that no series is begun by what a client sends. */
const NAME = /^[A-Za-z][A-Za-z0-9.-]{0,39}$/;

function nameOf(text: string): string {
  return NAME.test(text) ? text : "other";
}

function attributesOf(action: string, outcome: string, method: string | undefined): Attributes {
  const about = { "second_factor.action": nameOf(action), "second_factor.outcome": outcome };
  return method === undefined ? about : { ...about, "second_factor.method": nameOf(method) };
}

/** What the SDK does with it is its own affair: nothing of it reaches a request. */
function add(counter: Counter, attributes: Attributes): void {
  tried(() => counter.add(1, attributes));
}

function countEvents(events: Events, { metrics }: OpenTelemetryApi): () => void {
  const meter = metrics.getMeter(SCOPE);
  const happened = meter.createCounter("second_factor.events", { description: "What happened, by its audit action" });
  const onAudit = ({ action, method, outcome }: AuditEvent): void =>
    add(happened, attributesOf(action, outcome, method));
  events.on("audit", onAudit);
  return () => {
    events.off("audit", onAudit);
  };
}

function begun(tracer: Tracer, { method }: ProofTrace): Span {
  return tracer.startSpan("second_factor.proof", { attributes: { "second_factor.method": nameOf(method) } });
}

function ended(span: Span, { outcome = "error" }: ProofTrace, { SpanStatusCode: { ERROR } }: OpenTelemetryApi): void {
  span.setAttribute("second_factor.outcome", outcome);
  if (outcome === "error") span.setStatus({ code: ERROR });
  span.end();
}

function traceProofs(events: Events, api: OpenTelemetryApi): () => void {
  const tracer = api.trace.getTracer(SCOPE);
  const spans = new WeakMap<ProofTrace, Span>();
  return onProofs(
    events,
    (proof) => tried(() => spans.set(proof, begun(tracer, proof))),
    (proof) => {
      const span = spans.get(proof);
      if (span !== undefined) tried(() => ended(span, proof, api));
    },
  );
}

function problemsOf(mfa: unknown, options: InstrumentOptions): string[] {
  const { events } = Object(mfa) as { readonly events?: Partial<Events> };
  const { api } = Object(options) as { readonly api?: Partial<OpenTelemetryApi> };
  const isApi = typeof api?.metrics?.getMeter === "function" && typeof api.trace?.getTracer === "function";
  return [
    ...(typeof events?.on === "function" ? [] : ["instrument: the first argument is what secondFactor() answered"]),
    ...optionsProblems(options, OPTIONS, "instrument: "),
    ...(isApi ? [] : ['instrument: api must be the package: import * as api from "@opentelemetry/api"']),
  ];
}

/**
 * Counts what happens and traces proofs, for OpenTelemetry. Answers a function that ends it.
 *
 * - `second_factor.events`: a counter of audit events, by `second_factor.action`, `.outcome` and `.method`. No user, address, browser or
 *   reason is an attribute. What failed is among them: `unavailable`, `delivery-failed`, `notice-failed`.
 * - `second_factor.proof`: a span for each look at a proof (whether it may be tried, and whether it is right), by `.method` and `.outcome`
 *   (`success`, `failure`, `waiting`, `error`), below the span that is active. What the store takes is not in it.
 *
 * It does NOT load anything: the package is the application's. It does NOT listen to `error` events, which would no longer be printed,
 * and does NOT count or trace what other applications in the process do.
 *
 * @throws ConfigurationError where `mfa` is not what `secondFactor()` answered, or `api` is not that package
 *
 * @example
 * ```ts
 * import * as api from "@opentelemetry/api";
 * import { instrument } from "express-second-factor/opentelemetry";
 *
 * const stop = instrument(mfa, { api });
 * process.once("exit", stop);
 * ```
 */
export function instrument(mfa: { readonly events: Events }, options: InstrumentOptions): () => void {
  const problems = problemsOf(mfa, options);
  if (problems.length > 0) throw new ConfigurationError(problems);
  const { api, metrics = true, traces = true } = options;
  const ends = [...(metrics ? [countEvents(mfa.events, api)] : []), ...(traces ? [traceProofs(mfa.events, api)] : [])];
  return () => {
    for (const end of ends) end();
  };
}
