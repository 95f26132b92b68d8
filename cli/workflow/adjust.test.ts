import { entryOf, runInProcess } from '../../test/support/cli-in-process';
import { exitCodes } from '../exit-codes';
import { command } from './adjust';

test.each<[string, string[], string]>([
  ['an unknown change', ['explode', '--reason', 'r'], 'explode'],
  ['no reason', ['skip', '--step', 'a'], "required option '--reason <text>'"],
  ['no step', ['retry', '--reason', 'r'], 'retry needs --step'],
  ['no role', ['add-agent', '--reason', 'r'], 'add-agent needs --role'],
  ['no steps', ['parallelize', '--reason', 'r'], 'parallelize needs --steps'],
  ['an option of another change', ['retry', '--step', 'a', '--force', '--reason', 'r'], 'retry takes no --force'],
  ['a count that is none', ['add-agent', '--role', 'x', '--count', '0', '--reason', 'r'], 'whole number from 1'],
  ['two steps to retry', ['retry', '--step', 'a', '--step', 'b', '--reason', 'r'], 'give one step with --step'],
  [
    'an override of two things',
    ['override', '--step', 'a', '--phase', 'p', '--reason', 'r'],
    'override takes one of --step, --phase and --gate',
  ],
  ['an override of nothing', ['override', '--reason', 'r'], 'override takes one of'],
  ['two outputs', ['set-output', '--step', 'a', '--output', 'x=1', '--output', 'y=2', '--reason', 'r'], 'set-output takes one --output'],
  ['no file to edit', ['edit-step', '--reason', 'r'], 'edit-step needs the workflow file as it should be'],
  ['a file where none belongs', ['retry', 'x.yaml', '--step', 'a', '--reason', 'r'], 'retry takes no file (x.yaml)'],
  ['a file that is not there', ['add-step', 'nowhere.yaml', '--reason', 'r'], 'cannot read nowhere.yaml: no such file'],
])('%s is bad usage, before anything is sent', async (_, argv, problem) => {
  const result = await runInProcess(['workflow', 'adjust', '--id', 'x', ...argv], [entryOf('workflow adjust', command)]);
  expect(result.stderr).toContain(problem);
  expect(result.exitCode).toBe(exitCodes.badUsage);
});
