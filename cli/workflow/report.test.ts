import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entryOf, runInProcess } from '../../test/support/cli-in-process';
import { exitCodes } from '../exit-codes';
import { command } from './report';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vapora-report-'));
  writeFileSync(join(folder, 'broken.json'), '{"status": ');
  writeFileSync(join(folder, 'list.json'), '["success"]');
  writeFileSync(join(folder, 'path.json'), '{"status": "success", "outputs": {"a": {"path": "nowhere.md"}}}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each<[string, string[], string]>([
  ['no step', ['--id', 'x', '--status', 'success'], "required option '--step <id>'"],
  ['nothing', ['--id', 'x', '--step', 's'], 'the report says nothing'],
  ['a result without its status', ['--id', 'x', '--step', 's', '--summary', 'done'], 'add --status success, or --status failure'],
  ['a status of its own', ['--id', 'x', '--step', 's', '--status', 'perfect'], 'Allowed choices are success, failure'],
  ['a verdict of its own', ['--id', 'x', '--step', 's', '--status', 'success', '--verdict', 'fine'], 'Allowed choices are approved'],
  ['a percentage as progress', ['--id', 'x', '--step', 's', '--progress', '40'], 'Give a number from 0 to 1'],
  [
    'a file that is not there',
    ['--id', 'x', '--step', 's', '--status', 'success', '--output', 'a=@no.md'],
    'cannot read no.md: no such file',
  ],
  ['an output without a value', ['--id', 'x', '--step', 's', '--status', 'success', '--output', 'a'], 'write --output name=value'],
  [
    'a metric that is none',
    ['--id', 'x', '--step', 's', '--status', 'success', '--metric', 'a=many'],
    'write a number, true, false or 91.5%',
  ],
  ['a result that is no JSON', ['--id', 'x', '--step', 's', '--result', 'broken.json'], 'broken.json is not JSON'],
  ['a result that is a list', ['--id', 'x', '--step', 's', '--result', 'list.json'], 'list.json is no JSON object'],
  ['a path that leads nowhere', ['--id', 'x', '--step', 's', '--result', 'path.json'], 'cannot read nowhere.md'],
  ['nothing piped in', ['--id', 'x', '--step', 's', '--result', '-'], '<stdin> is not JSON'],
])('%s is bad usage, before anything is sent', async (_, argv, problem) => {
  const result = await runInProcess(['workflow', 'report', ...argv], [entryOf('workflow report', command)], { cwd: folder });
  expect(result.stderr).toContain(problem);
  expect(result.exitCode).toBe(exitCodes.badUsage);
});
