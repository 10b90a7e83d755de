import { writeFileSync } from 'node:fs';

/** Leaves the counts of a jest run in the file named by WEFT_TEST_COUNTS. A suite that does not load counts as one failure. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.WEFT_TEST_COUNTS;
    if (file === undefined) return;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    writeFileSync(file, JSON.stringify({ passed: results.numPassedTests, failed, skipped: results.numPendingTests }));
  }
}
