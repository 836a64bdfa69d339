// @ts-check
/** Ends a test run with one plain line; a suite that could not even start counts as a failure. */
export default class SummaryReporter {
  /**
   * @param {unknown} _contexts
   * @param {{ numPassedTests: number; numFailedTests: number; numRuntimeErrorTestSuites: number }} results
   */
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    // On exit, because the coverage summary is printed after the reporters of the configuration.
    process.once("exit", () => console.log(`${results.numPassedTests} passed, ${failed} failed`));
  }
}
