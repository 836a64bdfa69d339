// @ts-check
// `npm run mutants`: plants faults in the code, one at a time, and lists those that no test notices. With `-- --mutate FILES` in a
// part of it. Hours for all of it; outside CI.
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL("node_modules/", import.meta.url));

/** What decides. Pages, words and wiring are looked at otherwise. */
const DECIDING = ["core", "policy", "crypto", "engine"].map((folder) => `lib/${folder}/**/*.ts`);
const CHECKS = ["totp/method", "totp/import", "backup-codes/method", "passkeys/method", "passkeys/checks"];

/**
 * Tests with servers, browsers or builds of their own take minutes for each fault, and notice nothing that the others do not; those that
 * run the built package see no fault at all.
 */
const SLOW = ["browser", "package", "example", "screenshots", "faults", "stores"].map((folder) => `${folder}/`);
const BUILT = ["audit/processes", "channels/web-push-options", "keys/command-line"];
const IGNORED = [...SLOW, ...BUILT].map((path) => `<rootDir>/test/${path}`);

export default {
  plugins: [`${here}@stryker-mutator/jest-runner/dist/src/index.js`],
  testRunner: "jest",
  testRunnerNodeArgs: ["--experimental-vm-modules", "--disable-warning=ExperimentalWarning"],
  jest: {
    projectType: "custom",
    configFile: "jest.config.ts",
    enableFindRelatedTests: false,
    config: {
      testEnvironment: `${here}@stryker-mutator/jest-runner/dist/src/jest-plugins/jest-environment-node.cjs`,
      testPathIgnorePatterns: ["/node_modules/", ...IGNORED],
      reporters: [],
    },
  },
  mutate: [...DECIDING, ...CHECKS.map((file) => `lib/methods/${file}.ts`)],
  // The words of errors and of comments are nobody's decision.
  mutator: { excludedMutations: ["StringLiteral"] },
  coverageAnalysis: "perTest",
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 20_000,
  dryRunTimeoutMinutes: 60,
  reporters: ["clear-text", "progress", "html"],
  clearTextReporter: { logTests: false, allowColor: false },
  htmlReporter: { fileName: "mutants/results/index.html" },
  tempDirName: "mutants/work",
  inPlace: false,
  symlinkNodeModules: true,
};
