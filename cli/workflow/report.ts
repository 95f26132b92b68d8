import { resolve } from 'node:path';
import { TextDecoder } from 'node:util';
import { InvalidArgumentError, Option } from 'commander';
import { reportStep, type ReportedResult } from '../../client/report-step';
import { signReport } from '../../client/signing';
import type { ArtifactRef, MetricValue } from '../../core/contract/agent-document';
import { AppError } from '../../core/contract/errors';
import type { ReportMessage } from '../../core/contract/messages';
import { verdicts, type Verdict } from '../../core/contract/states';
import type { CliCommand, CommandContext } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption, collect } from '../option-parsers';
import { readBytes } from '../read-files';
import { isStandardInput, readInput } from '../read-sources';
import { addKeyOption, signingOf, whoAsks } from '../sign-requests';

/** What a person says of a step that is theirs to do: how far it is, or the result that any agent would give. */
export const command: CliCommand = {
  configure(command) {
    addIdOption(command)
      .requiredOption('--step <id>', "the step, as 'vapora gates' shows it")
      .option('--by <name>', "who reports (default: the key's person, else your user name)")
      .option('--agent <id>', 'whose task it is, where several people do the step')
      .option('--task <id>', 'exactly this task (default: the one that is open)')
      .option('--progress <fraction>', 'how far it is, 0 to 1', parseFraction)
      .option('--message <text>', 'what is being done')
      .option('--result <file>', 'the result as JSON, - for standard input; the options below add to it')
      .addOption(new Option('--status <status>', 'it is done, or cannot be done').choices(['success', 'failure']))
      .addOption(new Option('--verdict <verdict>', 'of a review').choices([...verdicts]))
      .option('--summary <text>', 'what was done, or why not')
      .option('--output <name=text>', 'what the step promised; name=@file reads a file', collect)
      .option('--metric <name=value>', 'a number, true, false or a percentage', collect);
    addKeyOption(command);
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const id = options.required('id');
    const step = options.required('step');
    const [agent, task, message] = [options.text('agent'), options.text('task'), options.text('message')];
    const progress = options.number('progress');
    const result = await readResult(context);
    if (result === undefined && progress === undefined && message === undefined) {
      throw new AppError('bad_usage', 'the report says nothing', {
        hint: 'give --status success (or failure), or --progress and --message on the way',
      });
    }
    const by = whoAsks(context);
    const report = {
      step,
      by,
      ...(agent !== undefined && { agent }),
      ...(task !== undefined && { task }),
      ...(progress !== undefined && { progress }),
      ...(message !== undefined && { message }),
      ...(result !== undefined && { result }),
    };
    const answer = await reportStep(openClient(context), id, report, signingOf<ReportMessage>(context, by, signReport));
    if (context.isJson) context.printJson({ schemaVersion: 1, id, ...answer });
    else context.print(answer.message);
    return exitCodes.done;
  },
};

function parseFraction(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('Give a number from 0 to 1.');
  return value;
}

/** The file's result with what the options say; undefined where neither says anything of one. */
async function readResult(context: CommandContext): Promise<ReportedResult | undefined> {
  const { options, io } = context;
  const file = options.text('result');
  const read = file === undefined ? {} : await readResultFile(file, context);
  const outputs = Object.fromEntries(options.list('output').map((written) => readOutput(written, io.cwd)));
  const metrics = Object.fromEntries(options.list('metric').map(readMetric));
  const [status, verdict, summary] = [options.text('status'), options.text('verdict'), options.text('summary')];
  const said = {
    ...(status !== undefined && { status }),
    ...(verdict !== undefined && { verdict: verdict as Verdict }),
    ...(summary !== undefined && { summary }),
    ...(Object.keys(outputs).length > 0 && { outputs: { ...read['outputs'], ...outputs } }),
    ...(Object.keys(metrics).length > 0 && { metrics: { ...(read['metrics'] as object | undefined), ...metrics } }),
  };
  if (file === undefined && Object.keys(said).length === 0) return undefined;
  const result = { ...read, ...said };
  if (result.status !== undefined) return result as unknown as ReportedResult;
  throw new AppError('bad_usage', 'the result does not say how it ended', { hint: 'add --status success, or --status failure' });
}

type Output = string | Uint8Array | ArtifactRef;
type ReadResult = Record<string, unknown> & { outputs?: Record<string, Output> };

async function readResultFile(file: string, { io }: CommandContext): Promise<ReadResult> {
  const name = isStandardInput(file) ? '<stdin>' : file;
  const bytes = isStandardInput(file) ? await readInput(io.stdin) : readBytes(resolve(io.cwd, file), file);
  let result: unknown;
  try {
    result = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new AppError('bad_usage', `${name} is not JSON: ${(error as Error).message}`, { hint: 'check the JSON', cause: error });
  }
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw new AppError('bad_usage', `${name} is no JSON object`, { hint: 'a result is {"status": "success", …}' });
  }
  const { outputs, ...rest } = result as { outputs?: unknown };
  if (typeof outputs !== 'object' || outputs === null || Array.isArray(outputs)) return result as ReadResult;
  return { ...rest, outputs: Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, readFileOutput(value, io.cwd)])) };
}

/** `{"path": "…"}`: a file of this machine, from the current folder. Anything else is for the run to judge. */
function readFileOutput(value: unknown, cwd: string): Output {
  const path = typeof value === 'object' && value !== null ? (value as { path?: unknown }).path : undefined;
  return typeof path === 'string' ? readFile(path, cwd) : (value as Output);
}

function readOutput(written: string, cwd: string): [name: string, value: Output] {
  const [name, value] = splitAtEquals('output', written);
  return [name, value.startsWith('@') ? readFile(value.slice(1), cwd) : value];
}

/** Text where it is UTF-8: then it can stay in the result. */
function readFile(file: string, cwd: string): string | Uint8Array {
  const bytes = readBytes(resolve(cwd, file), file);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return bytes;
  }
}

function readMetric(written: string): [name: string, value: MetricValue] {
  const [name, text] = splitAtEquals('metric', written);
  if (text === 'true' || text === 'false') return [name, text === 'true'];
  const percent = /^([+-]?\d+(?:\.\d+)?) ?%$/.exec(text)?.[1];
  if (percent !== undefined) return [name, { value: Number(percent), unit: '%' }];
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return [name, value];
  throw new AppError('bad_usage', `--metric ${written}: ${text} is no metric`, { hint: 'write a number, true, false or 91.5%' });
}

function splitAtEquals(option: string, written: string): [name: string, value: string] {
  const equals = written.indexOf('=');
  if (equals > 0) return [written.slice(0, equals), written.slice(equals + 1)];
  throw new AppError('bad_usage', `--${option} ${written} has no value`, { hint: `write --${option} name=value` });
}
