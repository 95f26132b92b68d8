/** `node scripts/fuzz.cjs`: hostile texts for the compiler; TypeScript, run from source. */
require('../test/support/typescript-hook.cjs');
const { main } = require('./robustness/fuzz.ts');

void main(process.argv.slice(2));
