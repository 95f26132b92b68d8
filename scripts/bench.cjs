/** `npm run bench`: the benchmarks are TypeScript and run from source, product included. */
require('../test/support/typescript-hook.cjs');
const { main } = require('./bench/main.ts');

void main(process.argv.slice(2));
