import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { compareWithModel } from '../../test/support/compare-runs';
import type { EngineDriver } from '../../test/support/engine-driver';
import { createCoverage } from '../../test/support/run-coverage';
import { randomScript } from '../../test/support/random-script';
import type { RunScript } from '../../test/support/run-script';
import { parseRunArguments } from './run-arguments';

const help = `npm run model -- [--plans N] [--seed N] [--keep FILE]

Runs random plans, with all that happens to them, through the engine and through the reference model, and compares: states,
generations, launches and their times, decisions, what is undone in which order, how and when the run ends.

  --plans N    how many (default 10,000)
  --seed N     which ones (default: by the clock, and printed)
  --keep FILE  write the smallest script on which they differ there, as JSON
`;
const batchSize = 500;

/** Exit codes: 0 no difference, 1 a difference, 2 wrong usage. */
export function main(args: string[]): void {
  const options = parseRunArguments(args, { program: 'model', countName: 'plans', count: 10_000, help });
  if (options === undefined) return;
  const { count: plans, seed, keep } = options;
  console.log(`${plans} plans, seed ${seed}`);
  const startedAt = Date.now();
  const coverage = createCoverage();
  for (let done = 0; done < plans; done += batchSize) {
    const numRuns = Math.min(batchSize, plans - done);
    const different = findDifference(seed + done, numRuns, coverage.add);
    if (different !== undefined) return report(different, { seed: seed + done, numRuns, keep });
    if ((done / batchSize) % 4 === 3) console.error(`model: ${done + numRuns} of ${plans}`);
  }
  for (const [happening, count] of Object.entries(coverage.counts)) console.log(`${String(count).padStart(8)}  ${happening}`);
  console.log(`no difference in ${plans} plans (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
}

interface Different {
  script: RunScript;
  why: string;
}

/** The smallest script found on which engine and model differ. */
function findDifference(seed: number, numRuns: number, look: (driver: EngineDriver) => void): Different | undefined {
  const why = (script: RunScript): string => {
    try {
      return compareWithModel(script, look);
    } catch (error) {
      return (error as Error).message;
    }
  };
  const { counterexample } = fc.check(
    fc.property(randomScript, (script) => why(script) === ''),
    { seed, numRuns },
  );
  return counterexample === null ? undefined : { script: counterexample[0], why: why(counterexample[0]) };
}

function report({ script, why }: Different, { seed, numRuns, keep }: { seed: number; numRuns: number; keep: string | undefined }): void {
  if (keep === undefined) console.log(JSON.stringify(script));
  else writeFileSync(keep, `${JSON.stringify(script, undefined, 2)}\n`);
  console.log(`a difference: ${why}`);
  console.log(`to repeat it: npm run model -- --plans ${numRuns} --seed ${seed}`);
  process.exitCode = 1;
}
