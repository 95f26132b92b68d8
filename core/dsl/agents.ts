import { type AgentSpec, executorKinds } from '../contract/agents';
import { rolePattern, stepIdPattern } from '../contract/ids';
import type { Diagnostic } from '../plan/diagnostic';
import { readExecutor } from './build/executor-fields';
import { DiagnosticSink } from './diagnostic-sink';
import { describeNode, type DocumentNode, type DocumentPath, shorten, type Span } from './document';
import { FieldReader } from './fields';
import { type CompileContext, readFields } from './keyed-map';
import { limits } from './limits';
import { LineIndex } from './line-index';
import { readDocument, type SourceFormat } from './read/document';
import { normalizeRole } from './roles';

export interface AgentsResult {
  /** Null exactly when a diagnostic is an error. */
  agents: AgentSpec[] | null;
  diagnostics: Diagnostic[];
}

/** An agents registry file (`agents.yaml` or TOML) to its agents. Never throws for anything a text can hold. */
export function compileAgents(
  text: string | Uint8Array,
  options: { format?: SourceFormat | undefined; fileName?: string | undefined } = {},
): AgentsResult {
  const document = readDocument(text, options);
  const sink = new DiagnosticSink(new LineIndex(document.text));
  for (const problem of document.problems) sink.report(problem);
  const context: CompileContext = { text: document.text, sink, unbuilt: new Map(), metadata: new Map() };
  const agents = document.root === null ? [] : readAgents(context, document.root);
  return { agents: sink.hasErrors ? null : agents, diagnostics: sink.finish() };
}

interface RawAgent {
  node: DocumentNode;
  path: DocumentPath;
  /** Where the agents are a map by id. */
  id?: { text: string; span: Span };
}

function readAgents(context: CompileContext, root: DocumentNode): AgentSpec[] {
  const fields = readFields(context, root, { level: 'agents_file', path: [], what: 'the agents file' });
  const field = fields?.get('agents');
  if (fields !== undefined && field === undefined) {
    const hint = 'begin with `agents:` and a list of `{id, role, executor}`';
    context.sink.report({ code: 'missing_key', message: 'there are no `agents` here', hint, span: { start: 0, end: 1 } });
  }
  if (field === undefined) return [];
  const raw = rawAgents(context, field.node, field.path);
  if (raw.length > limits.steps) {
    context.sink.report({ code: 'too_large', message: `more than ${limits.steps} agents`, path: field.path, span: field.keySpan });
    return [];
  }
  if (raw.length === 0)
    context.sink.report({ code: 'missing_key', message: 'the registry has no agents', path: field.path, span: field.keySpan });
  const seen = new Map<string, Span>();
  return raw.flatMap((agent) => {
    const spec = readAgent(context, agent, seen);
    return spec === undefined ? [] : [spec];
  });
}

function rawAgents(context: CompileContext, node: DocumentNode, path: DocumentPath): RawAgent[] {
  if (node.kind === 'list') return node.items.map((item, index) => ({ node: item, path: [...path, index] }));
  if (node.kind === 'map') {
    return node.entries.map((entry) => ({ node: entry.value, path: [...path, entry.key], id: { text: entry.key, span: entry.keySpan } }));
  }
  context.sink.report({ code: 'bad_value', message: `\`agents\` is a list of agents, not ${describeNode(node)}`, path, span: node.span });
  return [];
}

function readAgent(context: CompileContext, raw: RawAgent, seen: Map<string, Span>): AgentSpec | undefined {
  const fields = readFields(context, raw.node, {
    level: 'agent',
    path: raw.path,
    what: 'an agent',
    ...(raw.id === undefined ? {} : { span: raw.id.span }),
  });
  if (fields === undefined) return undefined;
  const reader = new FieldReader(context, fields);
  const id = reader.text('id') ?? raw.id?.text;
  const idSpan = fields.get('id')?.node.span ?? raw.id?.span ?? firstLineOf(context, fields.span);
  if (id === undefined) {
    context.sink.report({ code: 'missing_key', message: 'an agent needs an `id`', path: raw.path, span: idSpan });
  } else {
    checkId(context, { id, span: idSpan, path: raw.path }, seen);
  }
  const role = readRole(reader, raw.path, idSpan);
  const executorField = reader.present('executor');
  if (executorField === undefined && fields.get('executor') === undefined) {
    const hint = `add \`executor: {kind: …}\`; kinds: ${executorKinds.join(', ')}`;
    context.sink.report({ code: 'missing_key', message: 'an agent needs an `executor`', hint, path: raw.path, span: idSpan });
  }
  const executor = executorField === undefined ? undefined : readExecutor(context, executorField);
  const compensate = reader.text('compensate');
  const spec = {
    skills: (reader.words('skills') ?? []).map((word) => word.text),
    capacity: reader.integer('capacity', { min: 1, max: 100_000 }) ?? 1,
    cost: readCost(reader),
    ...(compensate === undefined ? {} : { compensate }),
  };
  return id === undefined || role === undefined || executor === undefined ? undefined : { id, role, ...spec, executor };
}

function checkId(context: CompileContext, agent: { id: string; span: Span; path: DocumentPath }, seen: Map<string, Span>): void {
  const { id, span, path } = agent;
  if (!stepIdPattern.test(id)) {
    context.sink.report({ code: 'bad_id', message: `\`${shorten(id)}\` cannot be the id of an agent`, path, span });
    return;
  }
  const earlier = seen.get(id);
  if (earlier !== undefined) {
    context.sink.report({
      code: 'duplicate_id',
      message: `the agent \`${id}\` stands here twice`,
      path,
      span,
      related: [{ message: 'the first one', span: earlier }],
    });
  }
  seen.set(id, span);
}

function readRole(reader: FieldReader, path: DocumentPath, near: Span): string | undefined {
  const written = reader.text('role');
  const field = reader.fields.get('role');
  if (written === undefined || field === undefined) {
    if (field === undefined) {
      reader.context.sink.report({
        code: 'missing_key',
        message: 'an agent needs a `role`',
        hint: '`role: "*"` takes any step',
        path,
        span: near,
      });
    }
    return undefined;
  }
  if (written === '*') return written;
  const role = normalizeRole(written);
  if (rolePattern.test(role)) return role;
  reader.context.sink.report({
    code: 'bad_id',
    message: `\`${shorten(written)}\` cannot be a role`,
    hint: 'letters, digits and hyphens, like `code-reviewer`, or `"*"`',
    path: field.path,
    span: field.node.span,
  });
  return undefined;
}

function readCost(reader: FieldReader): AgentSpec['cost'] {
  const field = reader.present('cost');
  const fields = field && readFields(reader.context, field.node, { level: 'cost', path: field.path, what: '`cost`' });
  if (fields === undefined) return {};
  const cost = new FieldReader(reader.context, fields);
  const usdPerHour = cost.money('usd_per_hour');
  const usdPerMtokIn = cost.money('usd_per_mtok_in');
  const usdPerMtokOut = cost.money('usd_per_mtok_out');
  return {
    ...(usdPerHour === undefined ? {} : { usdPerHour }),
    ...(usdPerMtokIn === undefined ? {} : { usdPerMtokIn }),
    ...(usdPerMtokOut === undefined ? {} : { usdPerMtokOut }),
  };
}

function firstLineOf(context: CompileContext, span: Span): Span {
  const newline = context.text.indexOf('\n', span.start);
  return { start: span.start, end: newline < 0 ? span.end : Math.min(span.end, newline) };
}
