import { Command, CommanderError } from 'commander';
import { AppError, isAppError } from '../core/contract/errors';
import { isOutputClosed } from './closed-output';
import type { CliCommand, CliIo, CommandContext, CommandEntry } from './command';
import { CommandOptions } from './command';
import { currentUser } from './current-user';
import { exitCodes, type ExitCode } from './exit-codes';
import { reportError } from './report-error';
import { detectRenderOptions, plainOptions } from './render/style';
import { vaporaVersion } from './version';

/** What each group of commands is about, in `vapora --help`. */
const groupSummaries: Record<string, string> = {
  workflow: 'start, watch and steer runs',
  definitions: 'published workflow definitions',
  agents: 'the registry of agents',
  history: 'what agents have done, from and for elsewhere',
  keys: 'keys to sign approvals with',
  audit: 'who did what, when and why',
  db: 'the Postgres schema',
};

/** Parses the arguments, runs the command they name and reports its error. Never throws. */
export async function runCli(argv: readonly string[], io: CliIo, table: readonly CommandEntry[]): Promise<ExitCode> {
  const isJson = argv.includes('--json');
  const isDebug = argv.includes('--debug') || (io.variables['VAPORA_DEBUG'] ?? '') !== '';
  try {
    const entry = findEntry(argv, table);
    const loaded = entry === undefined ? undefined : await entry.load();
    let exitCode = exitCodes.done as ExitCode;
    const program = createProgram(isJson ? withoutErrors(io) : io, table, entry, loaded, async (positional, values) => {
      exitCode = await runCommand(loaded as CliCommand, createContext(io, positional, values));
    });
    await program.parseAsync(argv, { from: 'user' });
    return isOutputClosed(io.signal) && exitCode === exitCodes.interrupted ? exitCodes.done : exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return reportUsage(error, io, isJson);
    if (isOutputClosed(io.signal) && isAppError(error) && error.code === 'interrupted') return exitCodes.done;
    const { text, exitCode } = reportError(error, { isJson, isDebug, render: detectRenderOptions(io.stderr, io.variables) });
    io.stderr.write(`${text}\n`);
    return exitCode;
  }
}

/** The command that the first words name; options before them carry no values. */
export function findEntry(argv: readonly string[], table: readonly CommandEntry[]): CommandEntry | undefined {
  const words = argv.filter((argument) => !argument.startsWith('-'));
  const isHelp = words[0] === 'help';
  const [first, second] = isHelp ? words.slice(1) : words;
  return table.find(({ path }) => path[0] === first && (path.length === 1 || path[1] === second));
}

/** Commander has written its message itself, except where only JSON may be written. */
function reportUsage(error: CommanderError, io: CliIo, isJson: boolean): ExitCode {
  if (error.exitCode === 0) return exitCodes.done;
  if (isJson) {
    const message = error.message.replace(/^error: /, '');
    const usage = new AppError('bad_usage', message, { hint: 'add --help for what is possible' });
    io.stderr.write(`${reportError(usage, { isJson, isDebug: false, render: plainOptions }).text}\n`);
  }
  return exitCodes.badUsage;
}

/** For commander's own messages under `--json`: they are told as JSON instead. */
function withoutErrors(io: CliIo): CliIo {
  return { ...io, stderr: { columns: io.stderr.columns, write: () => undefined } };
}

type OwnedContext = CommandContext & { close(): Promise<void> };
type Act = (positional: string[], values: Record<string, unknown>) => Promise<void>;

async function runCommand(command: CliCommand, context: OwnedContext): Promise<ExitCode> {
  try {
    return await command.run(context);
  } finally {
    await context.close();
  }
}

function createProgram(
  io: CliIo,
  table: readonly CommandEntry[],
  chosen: CommandEntry | undefined,
  loaded: CliCommand | undefined,
  act: Act,
): Command {
  const program = newCommand('vapora', io)
    .description('Workflows of many AI agents on Temporal and Postgres.')
    .version(vaporaVersion(), '-V, --version', 'print the version')
    .option('--debug', 'show stacks of errors (VAPORA_DEBUG=1)')
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 run failed or rolled back, 2 bad usage or invalid file, 3 waiting for a person,\n4 cannot reach a service, 5 refused, 130 interrupted.',
    );
  const groups = new Map<string, Command>();
  for (const entry of table) {
    const [first, second] = entry.path;
    const parent = second === undefined ? program : groupOf(first, program, groups, io);
    const command = newCommand(second ?? first, io).description(entry.summary);
    if (entry.passThrough === true) command.passThroughOptions().allowUnknownOption().helpOption(false).argument('[arguments...]');
    if (entry === chosen && loaded !== undefined) configure(command, entry, loaded, act);
    parent.addCommand(command);
  }
  return program;
}

function groupOf(name: string, program: Command, groups: Map<string, Command>, io: CliIo): Command {
  const known = groups.get(name);
  if (known !== undefined) return known;
  const group = newCommand(name, io).description(groupSummaries[name] ?? '');
  groups.set(name, group);
  program.addCommand(group);
  return group;
}

function newCommand(name: string, io: CliIo): Command {
  return new Command(name)
    .exitOverride()
    .showHelpAfterError('(add --help for what is possible)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
    });
}

function configure(command: Command, entry: CommandEntry, loaded: CliCommand, act: Act): void {
  if (entry.passThrough !== true) {
    command.option('--json', 'machine-readable output with a versioned shape').option('--debug', 'show stacks of errors');
    loaded.configure(command);
  }
  command.action(async () => {
    // Positional arguments, variadic ones flattened.
    const positional = command.processedArgs.flat().filter((value): value is string => typeof value === 'string');
    await act(positional, command.opts());
  });
}

function createContext(io: CliIo, positional: string[], values: Record<string, unknown>): OwnedContext {
  const options = new CommandOptions(values);
  const deferred: (() => Promise<void>)[] = [];
  return {
    io,
    arguments: positional,
    options,
    isJson: options.flag('json'),
    render: { ...detectRenderOptions(io.stdout, io.variables), nowMs: Date.now(), user: currentUser() },
    print: (text) => void io.stdout.write(`${text}\n`),
    printJson: (value) => void io.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    note: (text) => {
      if (!isOutputClosed(io.signal)) io.stderr.write(`${text}\n`);
    },
    defer: (close) => void deferred.push(close),
    async close() {
      // What was opened last is closed first.
      for (const close of deferred.reverse()) await close();
    },
  };
}
