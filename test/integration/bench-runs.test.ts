import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { publishScenarios } from '../../scripts/bench/definitions';
import { countRecords } from '../../scripts/bench/run-counts';
import { agentsWriting, definition, recordsOfRun, source, startSmallRun } from '../../scripts/bench/small-run';
import { queryDatabase } from '../support/run-records';
import { startTestVapora } from '../support/vapora';
import type { TestVapora } from '../support/vapora';

const runs = 5;

let vapora: TestVapora;
beforeAll(async () => {
  vapora = await startTestVapora();
});
afterAll(() => vapora.stop());

test("the bench's small runs leave exactly what they should, and what is lost or done twice is counted", async () => {
  const journal = join(vapora.dataDir, 'journal');
  await publishScenarios(vapora.databaseUrl, [{ name: 'runs', definition, source }], agentsWriting(journal));
  const client = await vapora.client.temporal();
  const handles = await Promise.all(
    Array.from({ length: runs }, (_, index) => startSmallRun(client, { id: `${definition}-${index}`, taskQueue: vapora.taskQueue })),
  );
  await Promise.all(handles.map((handle) => handle.result()));
  const findDifferences = async (): Promise<string[]> => {
    const counts = await countRecords(vapora.database, { runs, each: recordsOfRun, journal });
    return counts.filter(({ expected, found }) => found !== expected).map(({ what, found }) => `${what}: ${found}`);
  };
  expect(await findDifferences()).toEqual([]);

  appendFileSync(journal, `${runs}th time\n`);
  const [{ root_run_id: run } = { root_run_id: '' }] = await queryDatabase<{ root_run_id: string }>(vapora, 'select root_run_id from runs');
  const damage = (statement: string): Promise<unknown[]> => queryDatabase(vapora, statement, [run]);
  await damage(`update run_steps set state = 'running' where root_run_id = $1 and step = 'build'`);
  await damage(`update executions set outcome = 'failure' where root_run_id = $1 and step = 'test'`);
  await damage(`delete from approval_votes where root_run_id = $1`);
  await damage(`update audit_events set body = '{"action":"x"}' where root_run_id = $1 and body like '{"action":"run.completed"%'`);
  expect(await findDifferences()).toEqual([
    'steps passed, with an end: 19',
    'steps with exactly one success: 19',
    'lines in the journal of the agents: 21',
    'different ones: 21',
    'votes: 4',
    'audit: run.completed: 4',
    'audit chains that verify: 4',
  ]);
});
