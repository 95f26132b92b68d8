import { AppError, appErrorCodes, type AppErrorCode } from '../core/contract/errors';
import type { CliCommand, CommandContext } from './command';
import { exitCodes } from './exit-codes';
import { entryOf, runInProcess } from '../test/support/cli-in-process';
import { findEntry } from './run-cli';

/** A command that tells what it was called with. */
function aCommand(run: (context: CommandContext) => unknown = () => undefined): CliCommand {
  return {
    configure(command) {
      command.argument('[files...]').requiredOption('--id <id>').option('--limit <n>', '', Number).option('--no-rollback');
    },
    async run(context) {
      await run(context);
      return exitCodes.done;
    },
  };
}

const throwing = (error: unknown): CliCommand => ({
  configure() {},
  async run() {
    throw error;
  },
});

describe('usage', () => {
  test.each([
    ['no command shows help', [], exitCodes.badUsage],
    ['--help', ['--help'], exitCodes.done],
    ['help of a command', ['workflow', 'status', '--help'], exitCodes.done],
    ['help command', ['help', 'workflow'], exitCodes.done],
    ['--version', ['--version'], exitCodes.done],
    ['an unknown command', ['frobnicate'], exitCodes.badUsage],
    ['an unknown subcommand', ['workflow', 'frobnicate'], exitCodes.badUsage],
    ['a group alone', ['workflow'], exitCodes.badUsage],
    ['a missing required option', ['workflow', 'status'], exitCodes.badUsage],
    ['an unknown option', ['workflow', 'status', '--id', 'x', '--nope'], exitCodes.badUsage],
    ['an option without its value', ['workflow', 'status', '--id'], exitCodes.badUsage],
    ['a good call', ['workflow', 'status', '--id', 'x'], exitCodes.done],
  ])('%s', async (_, argv, exitCode) => {
    const table = [
      entryOf('workflow status', aCommand()),
      entryOf('gates', aCommand()),
      { ...entryOf('temporal', aCommand()), passThrough: true },
    ];
    expect((await runInProcess(argv, table)).exitCode).toBe(exitCode);
  });

  test('with --json the complaint is JSON too', async () => {
    const { exitCode, stderr } = await runInProcess(['workflow', 'status', '--json'], [entryOf('workflow status', aCommand())]);
    expect(exitCode).toBe(exitCodes.badUsage);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'bad_usage', message: "required option '--id <id>' not specified" } });
  });

  test('arguments and options arrive', async () => {
    let seen: unknown;
    const command = aCommand(({ arguments: given, options, isJson }) => {
      seen = { given, id: options.text('id'), limit: options.number('limit'), rollback: options.choice('rollback'), isJson };
    });
    await runInProcess(
      ['workflow', 'status', 'a', 'b', '--id', 'x', '--limit', '3', '--no-rollback', '--json'],
      [entryOf('workflow status', command)],
    );
    expect(seen).toEqual({ given: ['a', 'b'], id: 'x', limit: 3, rollback: false, isJson: true });
  });

  test('only the command that is typed is loaded', async () => {
    const loaded: string[] = [];
    const lazy = (path: string) => ({ ...entryOf(path, aCommand()), load: async () => (loaded.push(path), aCommand()) });
    await runInProcess(['workflow', 'list', '--id', 'x'], [lazy('workflow status'), lazy('workflow list'), lazy('gates')]);
    await runInProcess(['--help'], [lazy('workflow status'), lazy('workflow list'), lazy('gates')]);
    expect(loaded).toEqual(['workflow list']);
  });
});

test.each([
  [['temporal', '--help'], ['--help']],
  [
    ['temporal', 'workflow', 'list', '--query', 'a=1', '--json', '-o', 'json', '--debug'],
    ['workflow', 'list', '--query', 'a=1', '--json', '-o', 'json', '--debug'],
  ],
  [['temporal', '--version'], ['--version']],
  [
    ['temporal', 'help', '--', 'x'],
    ['help', '--', 'x'],
  ],
  [['temporal'], []],
])('a pass-through command gets %j untouched', async (argv, expected) => {
  let given: string[] | undefined;
  const command: CliCommand = { configure() {}, run: async (context) => ((given = context.arguments), exitCodes.refused) };
  const { exitCode } = await runInProcess(argv, [{ ...entryOf('temporal', command), passThrough: true }]);
  expect(given).toEqual(expected);
  expect(exitCode).toBe(exitCodes.refused);
});

describe('errors', () => {
  const expected: Record<AppErrorCode, number> = {
    bad_usage: 2,
    invalid_workflow: 2,
    invalid_agents: 2,
    not_found: 2,
    already_running: 5,
    refused: 5,
    unavailable: 4,
    not_registered: 4,
    interrupted: 130,
    internal: 1,
  };
  test.each(appErrorCodes)('%s has its exit code', async (code) => {
    const { exitCode } = await runInProcess(['gates'], [entryOf('gates', throwing(new AppError(code, 'what')))]);
    expect(exitCode).toBe(expected[code]);
  });

  const unreachable = new AppError('unavailable', 'no Temporal server at 127.0.0.1:7233', {
    hint: "start one with 'vapora dev', or pass --local",
  });
  test('as text: what, where, what next', async () => {
    const { stdout, stderr } = await runInProcess(['gates'], [entryOf('gates', throwing(unreachable))]);
    expect(stdout).toBe('');
    expect(stderr).toBe("error: no Temporal server at 127.0.0.1:7233: start one with 'vapora dev', or pass --local\n");
  });

  test('as JSON', async () => {
    const { stderr } = await runInProcess(['gates', '--json'], [entryOf('gates', throwing(unreachable))]);
    expect(JSON.parse(stderr)).toEqual({
      schemaVersion: 1,
      error: { code: 'unavailable', message: 'no Temporal server at 127.0.0.1:7233', hint: "start one with 'vapora dev', or pass --local" },
    });
  });

  test('a bug is one line, and a stack on request', async () => {
    const table = [entryOf('gates', throwing(new TypeError('x is not a function', { cause: new Error('deeper') })))];
    const quiet = await runInProcess(['gates'], table);
    expect(quiet.exitCode).toBe(1);
    expect(quiet.stderr.trim().split('\n')).toHaveLength(1);
    expect(quiet.stderr).toContain('error: x is not a function');
    for (const loud of [
      await runInProcess(['gates', '--debug'], table),
      await runInProcess(['gates'], table, { variables: { VAPORA_DEBUG: '1' } }),
    ]) {
      expect(loud.stderr).toContain('caused by: Error: deeper');
    }
  });

  test('what a command opened is closed, last first, also when it fails', async () => {
    const closed: string[] = [];
    const command: CliCommand = {
      configure() {},
      async run({ defer }) {
        defer(async () => void closed.push('services'));
        defer(async () => void closed.push('client'));
        throw new AppError('refused', 'no');
      },
    };
    expect((await runInProcess(['gates'], [entryOf('gates', command)])).exitCode).toBe(5);
    expect(closed).toEqual(['client', 'services']);
  });
});

test.each([
  [['workflow', 'status', '--id', 'x'], 'workflow status'],
  [['--debug', 'workflow', 'status'], 'workflow status'],
  [['help', 'workflow', 'status'], 'workflow status'],
  [['gates'], 'gates'],
  [['workflow'], undefined],
  [[], undefined],
])('%j names %s', (argv, expected) => {
  const table = [entryOf('workflow status', aCommand()), entryOf('gates', aCommand())];
  expect(findEntry(argv, table)?.path.join(' ')).toBe(expected);
});
