/** @jest-config-loader esbuild-register */
import type { Config } from "jest";

const config: Config = {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testTimeout: 20_000,
  // One more than the cores of a small machine: tests of servers and browsers wait for other programs much of the time.
  maxWorkers: 3,
  // Modules of finished files stay in a worker's memory; past this, clearing it up costs more than beginning anew.
  workerIdleMemoryLimit: "800MB",
  testSequencer: "<rootDir>/scripts/test-sequencer.mjs",
  extensionsToTreatAsEsm: [".ts"],
  moduleNameMapper: {
    "^express-second-factor$": "<rootDir>/lib/index.ts",
    "^express-second-factor/(audit|browser|firebase|mail|onesignal|opentelemetry|redis|sns|sql|testing|twilio|web-push)$":
      "<rootDir>/lib/$1/index.ts",
    "^(\\.{1,2}/.*)(?<!\\.json)\\.js$": "$1",
  },
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "es6" } },
    ],
  },
  modulePathIgnorePatterns: ["<rootDir>/dist/", "<rootDir>/mutants/", "<rootDir>/test/package/consumers/"],
  coverageProvider: "v8",
  coverageReporters: ["text-summary", "lcov"],
  collectCoverageFrom: ["lib/**/*.ts", "!lib/browser/**", "!lib/pages/embedded.ts"],
  reporters: ["default", "<rootDir>/scripts/summary-reporter.mjs"],
};

export default config;
