/** `npm run model`: the engine against the reference model, on very many random plans; TypeScript, run from source. */
require('../test/support/typescript-hook.cjs');
const { main } = require('./robustness/model.ts');

main(process.argv.slice(2));
