import { Argument, type Command } from 'commander';
import { adjustRun } from '../../client/control-run';
import { signAdjustment } from '../../client/signing';
import type { Adjustment, AdjustMessage, EditedFile } from '../../core/contract/adjustments';
import { AppError } from '../../core/contract/errors';
import type { CliCommand, CommandContext } from '../command';
import { compileFileAlone } from '../compile-file';
import { exitCodes } from '../exit-codes';
import { invalidFile, noteWarnings } from '../invalid-file';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption, collect, parseCount } from '../option-parsers';
import { parseInputs } from '../run-inputs';
import { addKeyOption, signingOf, whoAsks } from '../sign-requests';

type Options = CommandContext['options'];

interface Change {
  /** The options that it takes; those in `needs` must be given. */
  takes: readonly string[];
  needs: readonly string[];
  /** A workflow file follows it. */
  needsFile?: boolean;
  read(context: CommandContext): Adjustment;
}

const steps = (options: Options): string[] =>
  [...options.list('steps'), ...options.list('step')]
    .flatMap((text) => text.split(','))
    .map((id) => id.trim())
    .filter((id) => id !== '');

/** The whole workflow file as it should be. What does not compile is shown here, and nothing is sent. */
function editedFile(context: CommandContext): EditedFile {
  const { options, io } = context;
  const compiled = compileFileAlone(context.arguments[1] ?? '', { cwd: io.cwd, format: options.text('format') });
  if (compiled.compiled === undefined) throw invalidFile(context, compiled);
  noteWarnings(context, compiled);
  const { text, format } = compiled.file;
  const meant = steps(options);
  return { source: text, format, ...(meant.length > 0 && { steps: meant }) };
}

/** By the word that is typed. */
const changes: Record<string, Change> = {
  'add-agent': {
    takes: ['count'],
    needs: ['role'],
    read: ({ options }) => ({ kind: 'add_agent', role: options.required('role'), count: options.number('count') ?? 1 }),
  },
  parallelize: { takes: [], needs: ['steps'], read: ({ options }) => ({ kind: 'parallelize', steps: steps(options) }) },
  skip: {
    takes: ['steps', 'force'],
    needs: ['step'],
    read: ({ options }) => ({ kind: 'skip_optional_steps', steps: steps(options), ...(options.flag('force') && { force: true }) }),
  },
  escalate: { takes: [], needs: ['step'], read: ({ options }) => ({ kind: 'escalate_blocker', step: onlyStep(options) }) },
  retry: {
    takes: ['agent', 'input'],
    needs: ['step'],
    read: ({ options, io }) => {
      const agent = options.text('agent');
      const inputs = parseInputs(options.list('input'), [], io.cwd);
      return {
        kind: 'retry_step',
        step: onlyStep(options),
        ...(agent !== undefined && { agent }),
        ...(Object.keys(inputs).length > 0 && { inputs }),
      };
    },
  },
  override: {
    takes: ['step', 'phase', 'gate'],
    needs: [],
    read: ({ options }) => {
      const named = [...steps(options), ...[options.text('phase'), options.text('gate')].filter((one) => one !== undefined)];
      const [gate] = named;
      if (gate === undefined || named.length > 1)
        throw new AppError('bad_usage', 'override takes one of --step, --phase and --gate', {
          hint: 'for example: override --step review --reason "…"',
        });
      return { kind: 'override_gate', gate };
    },
  },
  'set-output': {
    takes: ['output'],
    needs: ['step'],
    read: ({ options, io }) => {
      const given = Object.entries(parseInputs(options.list('output'), [], io.cwd));
      const [first] = given;
      if (first === undefined || given.length > 1)
        throw new AppError('bad_usage', 'set-output takes one --output name=value', { hint: 'a file is given as --output name=@file' });
      const [output, value] = first;
      return { kind: 'set_output', step: onlyStep(options), output, value: typeof value === 'string' ? value : JSON.stringify(value) };
    },
  },
  'add-step': {
    takes: ['step', 'steps', 'format'],
    needs: [],
    needsFile: true,
    read: (context) => ({ kind: 'add_step', ...editedFile(context) }),
  },
  'edit-step': {
    takes: ['step', 'steps', 'format'],
    needs: [],
    needsFile: true,
    read: (context) => ({ kind: 'edit_step', ...editedFile(context) }),
  },
};

/** Changes a run while it runs: each kind is one word, with options of its own. */
export const command: CliCommand = {
  configure(command: Command) {
    addIdOption(command)
      .addArgument(new Argument('<change>', 'what to change').choices(Object.keys(changes)))
      .addArgument(new Argument('[file]', 'add-step, edit-step: the whole workflow file as it should be (.yaml, .yml, .toml)'))
      .requiredOption('--reason <text>', 'why: it stands in the audit, and agents that try again read it')
      .option('--by <name>', "who asks (default: the key's person, else your user name)")
      .option('--role <role>', 'add-agent: for which role')
      .option('--count <n>', 'add-agent: how many more (default 1)', parseCount)
      .option('--step <id>', 'the step (skip, add-step, edit-step: may be given several times)', collect)
      .option('--steps <ids>', 'parallelize, skip: several steps, a,b,c; add-step, edit-step: nothing but these may differ', collect)
      .option('--force', 'skip: one that is not optional too')
      .option('--agent <id>', 'retry: who has to do it')
      .option('--input <name=value>', 'retry: instead of what the plan gives it; name=@file reads a file', collect)
      .option('--phase <id>', 'override: a phase')
      .option('--gate <id>', 'override: a gate')
      .option('--output <name=value>', 'set-output: what the step gives; name=@file reads a file', collect)
      .option('--format <format>', 'add-step, edit-step: yaml or toml, where the name does not say');
    addKeyOption(command);
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const word = context.arguments[0] ?? '';
    const change = changes[word];
    if (change === undefined)
      throw new AppError('bad_usage', `there is no change ${word}`, { hint: `there are ${Object.keys(changes).join(', ')}` });
    checkFile(word, change, context.arguments[1]);
    checkOptions(word, change, options);
    const id = options.required('id');
    const by = whoAsks(context);
    const message = { ...change.read(context), by, reason: options.required('reason') };
    const client = openClient(context);
    const reply = await adjustRun(client, id, message, signingOf<AdjustMessage>(context, by, signAdjustment));
    if (context.isJson) context.printJson({ schemaVersion: 1, id, ...reply });
    else context.print(reply.message);
    return exitCodes.done;
  },
};

function checkFile(word: string, { needsFile = false }: Change, file: string | undefined): void {
  if (needsFile && file === undefined)
    throw new AppError('bad_usage', `${word} needs the workflow file as it should be`, { hint: `for example: ${word} workflow.yaml` });
  if (!needsFile && file !== undefined)
    throw new AppError('bad_usage', `${word} takes no file (${file})`, { hint: "'vapora workflow adjust --help' shows all options" });
}

const changeOptions = ['role', 'count', 'step', 'steps', 'force', 'agent', 'input', 'phase', 'gate', 'output', 'format'];

/** An option that the change does not take is a misunderstanding: nothing is changed then. */
function checkOptions(word: string, { takes, needs }: Change, options: Options): void {
  const isGiven = (name: string): boolean =>
    options.text(name) !== undefined || options.number(name) !== undefined || options.flag(name) || options.list(name).length > 0;
  const allowed = new Set([...takes, ...needs]);
  const foreign = changeOptions.filter((name) => isGiven(name) && !allowed.has(name) && !(name === 'step' && allowed.has('steps')));
  if (foreign.length > 0) {
    throw new AppError('bad_usage', `${word} takes no --${foreign.join(', --')}`, {
      hint: `it takes ${[...allowed].map((name) => `--${name}`).join(', ')}`,
    });
  }
  const missing = needs.find(
    (name) => !isGiven(name) && !(name === 'step' && isGiven('steps') && allowed.has('steps')) && !(name === 'steps' && isGiven('step')),
  );
  if (missing !== undefined)
    throw new AppError('bad_usage', `${word} needs --${missing}`, { hint: "'vapora workflow adjust --help' shows all options" });
}

function onlyStep(options: Options): string {
  const named = steps(options);
  const [step] = named;
  if (step === undefined || named.length > 1)
    throw new AppError('bad_usage', 'give one step with --step', { hint: 'one command changes one step' });
  return step;
}
