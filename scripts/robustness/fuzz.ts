import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { hostileTexts, type HostileText } from '../../test/support/hostile-texts';
import { parseRunArguments } from './run-arguments';
import { Tally } from './tally';
import { WatchedCompiler } from './watched-compiler';

const help = `node scripts/fuzz.cjs [--cases N] [--seed N] [--keep DIR]

Gives the compiler damaged workflow files, soups of words and random bytes. Each must get an answer (a plan or errors) within
3 seconds, and the answer must keep its promises.

  --cases N    how many (default 100,000)
  --seed N     which ones (default: by the clock, and printed)
  --keep DIR   write the texts there that broke something
`;
const limitMs = 3_000;
const batchSize = 1_000;

/** Exit codes: 0 nothing broke, 1 something did, 2 wrong usage. */
export async function main(args: string[]): Promise<void> {
  const options = parseRunArguments(args, { program: 'fuzz', countName: 'cases', count: 100_000, help });
  if (options === undefined) return;
  const { count: cases, seed, keep } = options;
  console.log(`${cases} cases, seed ${seed}`);
  const compiler = new WatchedCompiler({ limitMs });
  const tally = new Tally();
  const texts = hostileTexts();
  try {
    for (let start = 0; start < cases; start += batchSize) {
      const batch = fc.sample(texts, { seed: seed + start, numRuns: Math.min(batchSize, cases - start) });
      for (const [index, text] of batch.entries()) {
        const before = tally.troubles.length;
        tally.add(await compiler.compile(text), `case ${start + index}`);
        if (keep !== undefined && tally.troubles.length > before) write(keep, start + index, text);
      }
      if ((start / batchSize) % 10 === 9) console.error(`fuzz: ${start + batchSize} of ${cases}`);
    }
  } finally {
    compiler.stop();
  }
  console.log(tally.render());
  process.exitCode = tally.troubles.length === 0 ? 0 : 1;
}

function write(folder: string, number: number, { input, format }: HostileText): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${number}.${format}`), input);
}
