import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitForResult } from '../../client/run-outcome';
import { cliOf } from '../support/cli-in-process';
import { runCliProcess, variablesOf } from '../support/cli-process';
import { queryDatabase } from '../support/run-records';
import { instantAgents, startTestRun, startTestVapora, type TestVapora } from '../support/vapora';

jest.setTimeout(60_000);

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-cli-'));
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('what the database refuses holds up no run, and every view tells of it', async () => {
  const cli = cliOf(vapora, folder);
  const run = await startTestRun(vapora, 'Workflow: refusing\nSteps:\n  work: { agent: developer, approval_required: true }\n', {
    agents: instantAgents,
  });
  await run.waitsAt('work');
  await queryDatabase(vapora, `alter table approval_votes add constraint nobody_called_eve check (voter <> 'eve')`);
  await run.handle.signal('approve', { gate: 'work', by: 'eve', reason: 'ok' });
  expect(await waitForResult(vapora.client, run.id)).toMatchObject({ status: 'completed' });

  expect((await cli('workflow', 'status', '--id', run.id)).stdout).toContain(
    `Refused by the database: 1 (vapora audit show --id ${run.id} says what and why)`,
  );
  expect((await cli('audit', 'show', '--id', run.id)).stdout).toMatch(
    /recording\.refused work -> vote: .*nobody_called_eve.*SQLSTATE 23514/,
  );
  // Its parts are loaded by `import()`: only the compiled command has them.
  const variables = variablesOf(vapora);
  const { exitCode, stdout } = await runCliProcess(['db', 'status'], { variables });
  expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/up to date\nrefused to record 1, the last at .*: vote work of refusing/)]);
  const json = await runCliProcess(['db', 'status', '--json'], { variables });
  expect(JSON.parse(json.stdout)).toMatchObject({ refusals: { count: 1, newest: { id: run.id, kind: 'vote' } } });
  expect((await cli('audit', 'verify', '--id', run.id)).exitCode).toBe(0);
});
