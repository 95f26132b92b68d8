/** `npm run corpora -- FOLDER`: foreign files for the compiler; TypeScript, run from source. */
require('../test/support/typescript-hook.cjs');
const { main } = require('./robustness/corpora.ts');

void main(process.argv.slice(2));
