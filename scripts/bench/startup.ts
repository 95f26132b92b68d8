import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Verdict } from './report';
import { spreadOf } from './statistics';

const root = join(__dirname, '../..');
const validate = [join(root, 'bin/vapora.js'), 'validate', join(root, 'examples/feature-auth-mfa/workflow.yaml')];
const goalMs = 200;

/** How much longer `vapora validate` takes than Node itself, from start to exit: what the compiled product loads and does. */
export function measureStartup({ repetitions }: { repetitions: number }): Verdict[] {
  const more: number[] = [];
  // The first round fills the caches of the file system.
  for (let round = -1; round < repetitions; round += 1) {
    const [bare, ours] =
      round % 2 === 0 ? [wallMsOf(['-e', '0']), wallMsOf(validate)] : [wallMsOf(validate), wallMsOf(['-e', '0'])].reverse();
    if (round >= 0) more.push((ours ?? Number.NaN) - (bare ?? Number.NaN));
  }
  const spread = spreadOf(more);
  return [
    {
      scenario: 'startup',
      comparison: 'vapora validate − node -e 0',
      ratio: spread,
      unit: 'ms',
      goal: goalMs,
      met: spread.median <= goalMs,
    },
  ];
}

function wallMsOf(args: string[]): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const ms = performance.now() - started;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}\n${stderr}`);
  return ms;
}
