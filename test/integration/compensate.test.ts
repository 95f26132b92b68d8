import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestRun, startTestVapora, type TestVapora } from '../support/vapora';

let vapora: TestVapora;
let folder: string;
beforeAll(async () => {
  vapora = await startTestVapora();
  folder = mkdtempSync(join(tmpdir(), 'vapora-compensate-'));
});
afterAll(async () => {
  await vapora.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a step's own executor undoes it, in place of its agent's", async () => {
  writeFileSync(join(folder, 'undo.sh'), 'echo "$1 $2 $3" >> "$(dirname "$0")/undone"\n');
  const agents = [
    { id: 'd', role: 'developer', executor: { kind: 'command', plain: true, argv: ['sh', '-c', 'test {{mode}} = do'] } },
    { id: 't', role: 'tester', executor: { kind: 'simulate', success: 0 } },
  ];
  const source = `
Workflow: undone-by-another
Steps:
  build:
    agent: developer
    compensate: { executor: { kind: command, plain: true, argv: [sh, "{{folder}}/undo.sh", "{{mode}}", "{{step.id}}", "{{agent.id}}"] } }
  check: { agent: tester, dependencies: [build], retry: 1, reassign: 0 }
`;
  const run = await startTestRun(vapora, source, { agents: { source: JSON.stringify({ agents }), folder } });
  await expect(run.handle.result()).rejects.toMatchObject({ cause: { type: 'RunRolledBack' } });
  expect(readFileSync(join(folder, 'undone'), 'utf8')).toBe('undo build d\n');
  expect((await run.status()).steps).toMatchObject([
    { id: 'build', state: 'compensated' },
    { id: 'check', state: 'failed' },
  ]);
});
