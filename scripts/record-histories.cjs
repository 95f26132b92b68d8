/**
 * `node scripts/record-histories.cjs [SCENARIO…]`: records the histories that test/integration/replay.test.ts replays, on real servers of its
 * own, to test/histories/<version>/. To be run for each release, and again only where a change of the workflow code is meant to break
 * with what was recorded before the first release; histories of released versions stay as they are.
 */
require('../test/support/typescript-hook.cjs');
const { recordHistories } = require('../test/support/history-recording-process.ts');

recordHistories(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
