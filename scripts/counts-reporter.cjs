'use strict';
const fs = require('node:fs');
const path = require('node:path');

/** Writes what Jest counted to `.vapora/test-counts.json`, where `.ci/run` reads it. */
module.exports = class CountsReporter {
  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A file that could not even be loaded has no tests to count, and is a failure all the same.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites + (results.runExecError ? 1 : 0),
      skipped: results.numPendingTests + results.numTodoTests,
    };
    const folder = path.resolve(__dirname, '../.vapora');
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'test-counts.json'), `${JSON.stringify(counts)}\n`);
  }
};
