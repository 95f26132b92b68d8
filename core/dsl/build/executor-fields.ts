import {
  type CommandExecutorSpec,
  executorKinds,
  type ExecutorSpec,
  type OtherExecutorSpec,
  type SimulatedMetric,
  type SimulatedOutcome,
  type SimulateExecutorSpec,
  type WorkerExecutorSpec,
} from '../../contract/agents';
import { verdicts } from '../../contract/states';
import { describeNode, type DocumentNode, type DocumentPath, shorten, toPlainValue } from '../document';
import { FieldReader, nameOf, readChoice } from '../fields';
import { type CompileContext, type Field, hasFiniteNumbers, readFields } from '../keyed-map';
import { keysAt, normalizeKey } from '../keys';
import { durationHint, parseDuration, parseMoney, parsePercent } from '../values';

/** How an agent is called: its `kind` decides which keys it may have. */
export function readExecutor(context: CompileContext, field: Field): ExecutorSpec | undefined {
  const { node, path } = field;
  if (node.kind !== 'map') {
    const hint = 'write `executor: {kind: command, argv: […]}`';
    context.sink.report({ code: 'bad_value', message: `\`executor\` is a map, not ${describeNode(node)}`, hint, path, span: node.span });
    return undefined;
  }
  const kind = readKind(context, field, node);
  if (kind === undefined) return undefined;
  if (kind === 'http' || kind === 'llm' || kind === 'human') return readOther(context, field, kind);
  const fields = readFields(context, node, { level: kind, path, what: `the ${kind} executor` });
  if (fields === undefined) return undefined;
  const reader = new FieldReader(context, fields);
  if (kind === 'command') return readCommand(reader, field);
  return kind === 'worker' ? readWorker(reader, field) : readSimulate(reader);
}

function readKind(context: CompileContext, field: Field, node: Extract<DocumentNode, { kind: 'map' }>): ExecutorSpec['kind'] | undefined {
  const entry = node.entries.find(({ key }) => normalizeKey(key) === 'kind');
  const spec = keysAt('executor').get('kind');
  if (entry === undefined || spec === undefined) {
    const hint = `kinds: ${executorKinds.join(', ')}`;
    context.sink.report({ code: 'missing_key', message: 'an executor needs a `kind`', hint, path: field.path, span: field.keySpan });
    return undefined;
  }
  return readChoice(
    context,
    { spec, written: entry.key, keySpan: entry.keySpan, node: entry.value, path: [...field.path, entry.key] },
    executorKinds,
  );
}

/** Kept as it is: these executors check their own keys when they are called. */
function readOther(context: CompileContext, field: Field, kind: OtherExecutorSpec['kind']): OtherExecutorSpec | undefined {
  if (!hasFiniteNumbers(context, field)) return undefined;
  return { ...(toPlainValue(field.node) as Record<string, unknown>), kind };
}

function readCommand(reader: FieldReader, field: Field): CommandExecutorSpec | undefined {
  const argvField = reader.fields.get('argv');
  const argv = argvField?.node.kind === 'list' ? reader.texts('argv') : undefined;
  if (argv === undefined || argv.length === 0) {
    reader.context.sink.report({
      code: argvField === undefined ? 'missing_key' : 'bad_value',
      message: argvField === undefined ? 'a command executor needs `argv`' : '`argv` is a list: the program, then its arguments',
      hint: 'write `argv: [npm, test]`; there is no shell',
      path: argvField?.path ?? field.path,
      span: argvField?.node.span ?? field.keySpan,
    });
    return undefined;
  }
  const cwd = reader.text('cwd');
  const env = reader.words('env')?.map((word) => word.text);
  const timeoutMs = reader.duration('timeout', { min: 1 });
  const plain = reader.boolean('plain');
  return {
    kind: 'command',
    argv,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(plain === undefined ? {} : { plain }),
    ...idempotence(reader),
  };
}

function readWorker(reader: FieldReader, field: Field): WorkerExecutorSpec | undefined {
  const taskQueue = reader.text('task_queue');
  if (taskQueue === undefined && reader.fields.get('task_queue') === undefined) {
    const hint = 'write `task_queue: role-security`';
    reader.context.sink.report({
      code: 'missing_key',
      message: 'a worker executor needs a `task_queue`',
      hint,
      path: field.path,
      span: field.keySpan,
    });
  }
  return taskQueue === undefined ? undefined : { kind: 'worker', taskQueue, ...idempotence(reader) };
}

function readSimulate(reader: FieldReader): SimulateExecutorSpec {
  const success = readProbability(reader);
  const duration = readSimulatedDuration(reader);
  const metrics = readMetrics(reader);
  const verdict = reader.choice('verdict', verdicts);
  const script = readScript(reader);
  const journal = reader.text('journal');
  return {
    kind: 'simulate',
    ...(success === undefined ? {} : { success }),
    ...(duration === undefined ? {} : { duration }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(script === undefined ? {} : { script }),
    ...(journal === undefined ? {} : { journal }),
    // A simulation has no effect, so a second call has none either.
    idempotent: reader.boolean('idempotent') ?? true,
  };
}

function idempotence(reader: FieldReader): { idempotent?: boolean } {
  const idempotent = reader.boolean('idempotent');
  return idempotent === undefined ? {} : { idempotent };
}

/** `0.95` or `95%`. */
function readProbability(reader: FieldReader): number | undefined {
  const field = reader.present('success');
  const percent = field?.node.kind === 'scalar' ? parsePercent(field.node.text) : undefined;
  return percent === undefined || percent > 100 ? reader.number('success', { min: 0, max: 1 }) : percent / 100;
}

/** `45min`, `30min..60min`, or `estimate`. */
function readSimulatedDuration(reader: FieldReader): SimulateExecutorSpec['duration'] {
  const field = reader.present('duration');
  if (field === undefined) return undefined;
  const text = field.node.kind === 'scalar' ? field.node.text.trim() : '';
  if (text === 'estimate') return 'estimate';
  const ends = text.split('..');
  const [minMs, maxMs] = [parseDuration(ends[0] ?? ''), parseDuration(ends[1] ?? ends[0] ?? '')];
  if (minMs !== undefined && maxMs !== undefined && minMs <= maxMs && ends.length <= 2) return { minMs, maxMs };
  reader.context.sink.report({
    code: 'bad_value',
    message: `\`duration\` is a duration, a range like \`30min..60min\`, or \`estimate\`, not ${describeNode(field.node)}`,
    hint: durationHint,
    path: field.path,
    span: field.node.span,
  });
  return undefined;
}

function readMetrics(reader: FieldReader): Record<string, SimulatedMetric> | undefined {
  const field = reader.present('metrics');
  if (field === undefined) return undefined;
  if (field.node.kind !== 'map') {
    reader.context.sink.report({
      code: 'bad_value',
      message: '`metrics` is a map of names and values',
      path: field.path,
      span: field.node.span,
    });
    return undefined;
  }
  const metrics: Record<string, SimulatedMetric> = {};
  for (const entry of field.node.entries) {
    const metric = readMetric(reader.context, entry.value, [...field.path, entry.key]);
    if (metric !== undefined) metrics[entry.key] = metric;
  }
  return metrics;
}

/** A number, true or false, `91%`, `85%..95%`, `{value, unit}` or `{min, max, unit}`. */
function readMetric(context: CompileContext, node: DocumentNode, path: DocumentPath): SimulatedMetric | undefined {
  if (node.kind === 'scalar') {
    const { value } = node;
    if (typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) return value;
    const parsed = typeof value === 'string' ? parseMetricText(value) : undefined;
    if (parsed !== undefined) return parsed;
  } else if (node.kind === 'map') {
    return readMetricMap(context, node, path);
  }
  const hint = 'write a number, `true`, `91%`, `300ms`, `$2.50`, a range like `85%..95%`, or `{value, unit}`';
  context.sink.report({
    code: 'bad_value',
    message: `${nameOf(path)} is a metric's value, not ${describeNode(node)}`,
    hint,
    path,
    span: node.span,
  });
  return undefined;
}

function readMetricMap(context: CompileContext, node: DocumentNode, path: DocumentPath): SimulatedMetric | undefined {
  const fields = readFields(context, node, { level: 'simulated_range', path, what: `the metric ${nameOf(path)}` });
  if (fields === undefined) return undefined;
  const own = new FieldReader(context, fields);
  const all = { min: -1e15, max: 1e15 };
  const value = own.number('value', all);
  const [min, max] = [own.number('min', all), own.number('max', all)];
  const unit = own.text('unit');
  if (value !== undefined) return unit === undefined ? value : { value, unit };
  if (min !== undefined && max !== undefined && min <= max) return { min, max, ...(unit === undefined ? {} : { unit }) };
  context.sink.report({
    code: 'bad_value',
    message: `${nameOf(path)} needs a \`value\`, or \`min\` and \`max\` in this order`,
    path,
    span: node.span,
  });
  return undefined;
}

function parseMetricText(text: string): SimulatedMetric | undefined {
  const ends = text.split('..').map((end) => parseQuantity(end.trim()));
  const [low, high] = ends;
  if (low === undefined || ends.length > 2) return undefined;
  if (ends.length === 1) return low.unit === undefined ? low.value : { value: low.value, unit: low.unit };
  if (high === undefined || low.value > high.value || low.unit !== high.unit) return undefined;
  return { min: low.value, max: high.value, ...(low.unit === undefined ? {} : { unit: low.unit }) };
}

function parseQuantity(text: string): { value: number; unit?: string } | undefined {
  if (/^-?\d{1,15}(\.\d{1,15})?$/u.test(text)) return { value: Number(text) };
  const percent = parsePercent(text);
  if (percent !== undefined) return { value: percent, unit: '%' };
  const usd = parseMoney(text);
  if (usd !== undefined) return { value: usd, unit: 'usd' };
  const ms = parseDuration(text);
  return ms === undefined ? undefined : { value: ms, unit: 'ms' };
}

/** Per step id one outcome, or one per generation. */
function readScript(reader: FieldReader): Record<string, SimulatedOutcome[]> | undefined {
  const field = reader.present('script');
  if (field === undefined) return undefined;
  if (field.node.kind !== 'map') {
    reader.context.sink.report({ code: 'bad_value', message: '`script` is a map of step ids', path: field.path, span: field.node.span });
    return undefined;
  }
  const script: Record<string, SimulatedOutcome[]> = {};
  for (const entry of field.node.entries) {
    const path = [...field.path, entry.key];
    const items = entry.value.kind === 'list' ? entry.value.items : [entry.value];
    script[entry.key] = items.flatMap((item, index) => readOutcome(reader.context, item, [...path, index], entry.key) ?? []);
  }
  return script;
}

function readOutcome(context: CompileContext, node: DocumentNode, path: DocumentPath, step: string): SimulatedOutcome | undefined {
  const fields = readFields(context, node, { level: 'simulated_outcome', path, what: `the script of \`${shorten(step)}\`` });
  if (fields === undefined) return undefined;
  const own = new FieldReader(context, fields);
  const status = own.choice('status', ['success', 'failure']);
  const verdict = own.choice('verdict', verdicts);
  const summary = own.text('summary');
  const metrics = readMetrics(own);
  const durationMs = own.duration('duration');
  const failAttempts = own.integer('fail_attempts', { min: 0, max: 1_000 });
  return {
    ...(status === undefined ? {} : { status }),
    ...(verdict === undefined ? {} : { verdict }),
    ...(summary === undefined ? {} : { summary }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(failAttempts === undefined ? {} : { failAttempts }),
  };
}
