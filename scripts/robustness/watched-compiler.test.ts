import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tally } from './tally';
import { WatchedCompiler } from './watched-compiler';

const folder = mkdtempSync(join(tmpdir(), 'watched-compiler-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the compiler answers', async () => {
  const compiler = new WatchedCompiler({ limitMs: 30_000 });
  try {
    const plan = await compiler.compile({ input: 'Workflow: w\nSteps: {a: {agent: developer}}\n', format: 'yaml' });
    expect(plan).toMatchObject({ kind: 'answer', isPlan: true, errors: [], broken: [] });
    const refused = await compiler.compile({ input: Uint8Array.from([0xff]), format: 'toml' });
    expect(refused).toMatchObject({ kind: 'answer', isPlan: false, errors: ['encoding'], broken: [] });
  } finally {
    compiler.stop();
  }
});

test('a crash and a stall are seen and told, and the next text is answered', async () => {
  const program = join(folder, 'program.cjs');
  writeFileSync(
    program,
    `process.on('message', ({ input }) => {
      if (input === 'crash') process.kill(process.pid, 'SIGKILL');
      if (input === 'stall') for (;;);
      process.send({ isPlan: input === 'plan', errors: input === 'errors' ? ['syntax'] : [], others: [], broken: input === 'bad' ? ['a promise'] : [], ms: 1 });
    });`,
  );
  const compiler = new WatchedCompiler({ limitMs: 5_000, program });
  const tally = new Tally();
  try {
    for (const input of ['plan', 'crash', 'errors', 'stall', 'bad', 'plan'])
      tally.add(await compiler.compile({ input, format: 'yaml' }), input);
  } finally {
    compiler.stop();
  }
  expect(tally.troubles).toEqual([
    { of: 'crash', what: 'the process ended: SIGKILL' },
    { of: 'stall', what: 'no answer in time' },
    { of: 'bad', what: 'a promise' },
  ]);
  expect(tally.render()).toContain('answers: plan 2, errors 2, crash 1, stall 1\nerrors by code, in how many texts: syntax 1\n');
});
