import { stepIdPattern } from '../../contract/ids';
import { describeNode, type DocumentNode, isEmpty, type MapNode, shorten } from '../document';
import type { RawPhase, RawStep, RawWorkflow } from '../draft';
import { type CompileContext, type Field, type Fields, keepSnapshot, readFields } from '../keyed-map';
import { isUsersOwnKey, normalizeKey, snapshotKeys } from '../keys';
import { forbiddenKeys } from '../read/read-result';

export interface FoundForm {
  raw: RawWorkflow;
  /** The workflow's own keys. */
  fields: Fields;
  /** The id where it is written as `Workflow: <id>`. */
  nameField?: { text: string; node: DocumentNode };
}

/**
 * Which of the three forms a document has, and its phases and steps in file order. The workflow's keys stand inside a
 * `workflow:` map, or at top level beside `Workflow: <id>`; either may hold any form.
 */
export function findForm(context: CompileContext, root: DocumentNode): FoundForm | undefined {
  if (root.kind !== 'map') {
    const hint = 'begin with `Workflow: <id>` and `Steps:`, or with a `workflow:` map';
    context.sink.report({ code: 'no_workflow', message: `a workflow is a map, not ${describeNode(root)}`, hint, span: root.span });
    return undefined;
  }
  const entry = root.entries.find(({ key }) => normalizeKey(key) === 'workflow');
  const isNested = entry?.value.kind === 'map';
  if (entry === undefined && !root.entries.some(({ key }) => ['steps', 'phases'].includes(normalizeKey(key)))) {
    context.sink.report({
      code: 'no_workflow',
      message: 'there is no workflow here',
      hint: 'begin with `Workflow: <id>` and `Steps:`, or with a `workflow:` map',
      span: root.entries[0]?.keySpan ?? root.span,
    });
    return undefined;
  }
  const fields =
    isNested && entry !== undefined
      ? readFields(context, entry.value, { level: 'workflow', path: [entry.key], what: 'the workflow', span: entry.keySpan })
      : readFields(context, root, { level: 'workflow', path: [], what: 'the workflow', ignore: new Set(['workflow']) });
  if (fields === undefined) return undefined;
  if (isNested) checkBeside(context, root, entry?.key ?? 'workflow');
  else checkSecondWorkflow(context, root);

  const raw = readForm(context, fields, entry?.keySpan ?? root.entries[0]?.keySpan ?? root.span);
  if (raw === undefined) return undefined;
  if (entry === undefined || isNested) return { raw, fields };
  if (entry.value.kind === 'scalar' && !isEmpty(entry.value))
    return { raw, fields, nameField: { text: entry.value.text, node: entry.value } };
  context.sink.report({
    code: 'bad_value',
    message: `\`${entry.key}\` is the workflow's id or a map, not ${describeNode(entry.value)}`,
    path: [entry.key],
    span: isEmpty(entry.value) ? entry.keySpan : entry.value.span,
  });
  return { raw, fields };
}

/** With everything inside `workflow:`, only snapshot keys may stand beside it. */
function checkBeside(context: CompileContext, root: MapNode, workflowKey: string): void {
  for (const entry of root.entries) {
    const name = normalizeKey(entry.key);
    if (entry.key === workflowKey || isUsersOwnKey(entry.key)) continue;
    if (snapshotKeys.has(name)) keepSnapshot(context, entry, [entry.key]);
    else {
      context.sink.report({
        code: name === 'workflow' ? 'duplicate_key' : 'unknown_key',
        message: `\`${shorten(entry.key)}\` stands beside \`${workflowKey}:\``,
        hint: `move it into \`${workflowKey}:\``,
        path: [entry.key],
        span: entry.keySpan,
      });
    }
  }
}

/** `Workflow: <id>` and a `workflow:` map beside it, in one file: what stands in the second would be lost. */
function checkSecondWorkflow(context: CompileContext, root: MapNode): void {
  const [first, ...others] = root.entries.filter(({ key }) => normalizeKey(key) === 'workflow');
  if (first === undefined) return;
  for (const entry of others) {
    context.sink.report({
      code: 'duplicate_key',
      message: `\`${entry.key}\` is the same key as \`${first.key}\``,
      hint: `keep one: a \`${entry.key}:\` map with everything inside, or \`${first.key}: <id>\` with the other keys beside it`,
      path: [entry.key],
      span: entry.keySpan,
      related: [{ message: 'the first one', span: first.keySpan }],
    });
  }
}

function readForm(context: CompileContext, fields: Fields, at: { start: number; end: number }): RawWorkflow | undefined {
  const { sink } = context;
  const steps = fields.own('steps');
  const agents = fields.own('agents');
  const phases = fields.own('phases');
  const isPhasesForm = phases !== undefined && (steps === undefined || holdsSteps(phases.node));
  const forms = [steps, agents, isPhasesForm ? phases : undefined].filter((field) => field !== undefined);
  if (forms.length > 1) {
    const [first, ...others] = forms;
    const last = others.at(-1) ?? first;
    sink.report({
      code: 'ambiguous_form',
      message: `a workflow has its steps in one place, not in ${forms.map((field) => `\`${field.written}\``).join(' and ')}`,
      hint: 'keep `steps`, or `agents`, or `phases` with steps inside',
      path: last?.path ?? [],
      span: last?.keySpan ?? at,
      related: forms.slice(0, -1).map((field) => ({ message: `\`${field.written}\` is here`, span: field.keySpan })),
    });
    return undefined;
  }
  if (agents !== undefined) return { form: 'agents', phases: [], steps: readSteps(context, agents) };
  if (isPhasesForm) return readPhasesForm(context, phases);
  if (steps !== undefined) {
    return { form: 'steps', phases: phases === undefined ? [] : readPhases(context, phases), steps: readSteps(context, steps) };
  }
  sink.report({
    code: 'no_workflow',
    message: 'the workflow has no steps',
    hint: 'add `steps:`, `agents:` or `phases:`',
    path: fields.path,
    span: at,
  });
  return undefined;
}

/** True when at least one phase has a `steps` key. */
function holdsSteps(node: DocumentNode): boolean {
  const phases = node.kind === 'map' ? node.entries.map((entry) => entry.value) : node.kind === 'list' ? node.items : [];
  return phases.some((phase) => phase.kind === 'map' && phase.entries.some(({ key }) => normalizeKey(key) === 'steps'));
}

function readPhasesForm(context: CompileContext, field: Field): RawWorkflow {
  const phases = readPhases(context, field);
  const steps = phases.flatMap((phase) => {
    if (phase.node.kind !== 'map') return [];
    const entry = phase.node.entries.find(({ key }) => normalizeKey(key) === 'steps');
    if (entry === undefined) return [];
    const found = readNamed(context, { node: entry.value, keySpan: entry.keySpan, path: [...phase.path, entry.key], what: 'step' });
    return found.map((step) => ({ ...step, phase: phase.id }));
  });
  return { form: 'phases', phases, steps };
}

function readPhases(context: CompileContext, field: Field): RawPhase[] {
  return readNamed(context, { node: field.node, keySpan: field.keySpan, path: field.path, what: 'phase' });
}

function readSteps(context: CompileContext, field: Field): RawStep[] {
  return readNamed(context, { node: field.node, keySpan: field.keySpan, path: field.path, what: 'step' });
}

interface NamedList {
  node: DocumentNode;
  keySpan: { start: number; end: number };
  path: (string | number)[];
  what: 'step' | 'phase';
}

/** A map by id, or a list of maps with a `name` (or `id`), in file order. A phase in a list may be its bare name. */
function readNamed(context: CompileContext, list: NamedList): RawPhase[] {
  const { node, path, what } = list;
  const { sink } = context;
  if (node.kind === 'map') {
    return node.entries.flatMap((entry): RawPhase[] => {
      if (isUsersOwnKey(entry.key)) return [];
      const entryPath = [...path, entry.key];
      if (what === 'step' && entry.value.kind !== 'map' && snapshotKeys.has(normalizeKey(entry.key))) {
        keepSnapshot(context, entry, entryPath);
        return [];
      }
      checkId(context, { id: entry.key, span: entry.keySpan, path: entryPath, what });
      return [{ id: entry.key, idSpan: entry.keySpan, path: entryPath, node: entry.value }];
    });
  }
  if (node.kind === 'list') {
    return node.items.flatMap((item, index): RawPhase[] => {
      const itemPath = [...path, index];
      if (what === 'phase' && item.kind === 'scalar' && !isEmpty(item)) {
        checkId(context, { id: item.text, span: item.span, path: itemPath, what });
        return [{ id: item.text, idSpan: item.span, path: itemPath, node: { kind: 'map', entries: [], span: item.span } }];
      }
      const named = item.kind === 'map' ? item.entries.find(({ key }) => ['name', 'id'].includes(normalizeKey(key))) : undefined;
      if (named?.value.kind === 'scalar' && !isEmpty(named.value)) {
        checkId(context, { id: named.value.text, span: named.value.span, path: [...itemPath, named.key], what });
        return [{ id: named.value.text, idSpan: named.value.span, path: itemPath, node: item }];
      }
      sink.report({
        code: 'missing_key',
        message: `a ${what} in a list needs a \`name\``,
        hint: `begin it with \`name: <id>\``,
        path: itemPath,
        span: firstLineOf(context, item),
      });
      return [];
    });
  }
  sink.report({
    code: 'bad_value',
    message: `the ${what}s are a map by name or a list with names, not ${describeNode(node)}`,
    path,
    span: isEmpty(node) ? list.keySpan : node.span,
  });
  return [];
}

function checkId(
  context: CompileContext,
  id: { id: string; span: { start: number; end: number }; path: (string | number)[]; what: string },
): void {
  if (stepIdPattern.test(id.id) && !forbiddenKeys.has(id.id)) return;
  context.sink.report({
    code: forbiddenKeys.has(id.id) ? 'forbidden_key' : 'bad_id',
    message: `\`${shorten(id.id)}\` cannot be the id of a ${id.what}`,
    path: id.path,
    span: id.span,
  });
}

function firstLineOf(context: CompileContext, node: DocumentNode): { start: number; end: number } {
  const newline = context.text.indexOf('\n', node.span.start);
  return { start: node.span.start, end: newline < 0 ? node.span.end : Math.min(node.span.end, newline) };
}
