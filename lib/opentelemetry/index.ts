export { instrument, type InstrumentOptions, type OpenTelemetryApi } from "./instrument.js";
