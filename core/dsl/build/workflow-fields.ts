import { definitionIdPattern, isReservedDefinitionId } from '../../contract/ids';
import type { Plan, PlanPhase } from '../../plan/types';
import { shorten, type DocumentNode } from '../document';
import type { DraftPhase, RawPhase, WorkflowDraft } from '../draft';
import { FieldReader, readWords } from '../fields';
import type { FoundForm } from '../forms/find-form';
import { type CompileContext, emptyFields, type Fields, readFields } from '../keyed-map';
import { isUsersOwnKey } from '../keys';
import { readInputs } from './input-fields';
import { checkLateIsTold, readNotify } from './notify-fields';
import { readBudget, readEscalation, readOnLate } from './operation-fields';
import { readSchedule, readTimezone } from './schedule-fields';

/** Everything the workflow itself says, outside its phases and steps. */
export function readWorkflow(context: CompileContext, found: FoundForm): Pick<WorkflowDraft, 'plan' | 'approvalPoints' | 'people'> {
  const reader = new FieldReader(context, found.fields);
  const title = reader.text('title');
  const description = reader.text('description');
  const owner = reader.text('owner');
  const createdAt = reader.text('created_at');
  const plannedMs = reader.hours('timeline_hours');
  const escalateAfterMs = reader.duration('escalate_after', { min: 1 });
  const escalation = readEscalation(reader);
  const schedule = readSchedule(reader);
  const budget = readBudget(reader);
  const onLate = readOnLate(reader);
  const notify = readNotify(reader);
  checkLateIsTold(reader, onLate.people, notify);
  const agentsFile = reader.text('agents_file');
  const plan: WorkflowDraft['plan'] = {
    schemaVersion: 1,
    id: readId(context, found),
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(owner === undefined ? {} : { owner }),
    ...(createdAt === undefined ? {} : { createdAt }),
    form: found.raw.form,
    inputs: readInputs(reader),
    maxConcurrentSteps: reader.integer('allow_concurrent_agents', { min: 1, max: 10_000 }) ?? 10,
    ...(plannedMs === undefined ? {} : { plannedMs }),
    onFailure: reader.choice('on_failure', ['rollback', 'fail', 'block', 'continue']) ?? 'rollback',
    policy: reader.choice('policy', ['exploit', 'explore']) ?? 'explore',
    approvers: readApprovers(reader),
    escalation: escalation.levels,
    ...(escalateAfterMs === undefined ? {} : { escalateAfterMs }),
    timezone: readTimezone(reader) ?? 'UTC',
    notify,
    ...(schedule === undefined ? {} : { schedule }),
    ...(budget === undefined ? {} : { budget }),
    ...(onLate.plan === undefined ? {} : { onLate: onLate.plan }),
    ...(agentsFile === undefined ? {} : { agentsFile }),
  };
  return { plan, approvalPoints: reader.words('approval_required_at') ?? [], people: [...escalation.people, ...onLate.people] };
}

/** Any step key, for every step that does not say otherwise. */
export function readDefaults(context: CompileContext, fields: Fields): Fields | undefined {
  const field = fields.get('defaults');
  return field === undefined
    ? undefined
    : readFields(context, field.node, { level: 'step', path: field.path, what: '`defaults`', span: field.keySpan });
}

/** The keys of one phase. `isBarrier`: in the phases form it opens when the one before has passed. */
export function readPhase(context: CompileContext, raw: RawPhase, isBarrier: boolean): DraftPhase {
  const what = `the phase \`${shorten(raw.id)}\``;
  const fields = readFields(context, raw.node, { level: 'phase', path: raw.path, what, span: raw.idSpan }) ?? emptyFields;
  const reader = new FieldReader(context, fields);
  const title = reader.text('title') ?? (raw.node.kind === 'scalar' ? raw.node.text : undefined);
  const plannedMs = reader.hours('duration_hours');
  const gate = reader.condition('gate');
  const maxConcurrentSteps = reader.integer('max_concurrent_agents', { min: 1, max: 10_000 });
  const serial = readSerial(reader);
  const overlap = reader.boolean('overlap') ?? false;
  if (overlap && !isBarrier) reportIdleOverlap(reader);
  const plan: PlanPhase = {
    id: raw.id,
    ...(title === undefined ? {} : { title }),
    barrier: isBarrier && !overlap,
    serial,
    optional: reader.boolean('optional') ?? false,
    ...(plannedMs === undefined ? {} : { plannedMs }),
    ...(maxConcurrentSteps === undefined ? {} : { maxConcurrentSteps }),
    ...(gate === undefined ? {} : { gate: gate.condition, gateText: gate.text }),
  };
  return { plan, idSpan: raw.idSpan, path: raw.path, ...(gate === undefined ? {} : { gate }) };
}

/** Where steps stand outside the phases, a phase is a label and holds back nothing. */
function reportIdleOverlap(reader: FieldReader): void {
  const field = reader.fields.get('overlap');
  reader.context.sink.report({
    code: 'contradiction',
    severity: 'warning',
    message: '`overlap` has no effect here: with the steps outside of the phases, only dependencies order them',
    hint: 'remove it, or put the steps into the phases',
    path: field?.path ?? [],
    span: field?.keySpan ?? reader.fields.span,
  });
}

function readSerial(reader: FieldReader): boolean {
  const serial = reader.boolean('serial');
  const parallel = reader.boolean('parallel');
  const field = reader.fields.get('parallel');
  if (serial !== undefined && serial === parallel) {
    reader.context.sink.report({
      code: 'contradiction',
      message: `\`serial: ${serial}\` against \`parallel: ${parallel}\``,
      hint: 'keep one of them',
      path: field?.path ?? [],
      span: field?.keySpan ?? reader.fields.span,
    });
  }
  return serial ?? parallel === false;
}

function readId(context: CompileContext, found: FoundForm): string {
  const field = found.fields.get('id');
  const node: DocumentNode | undefined = found.nameField?.node ?? field?.node;
  const id = node?.kind === 'scalar' ? node.text : undefined;
  if (node === undefined || id === undefined || id === '') {
    context.sink.report({
      code: 'missing_key',
      message: 'the workflow has no id',
      hint: 'write `Workflow: <id>`, or `id: <id>` inside `workflow:`',
      path: found.fields.path,
      span:
        field?.keySpan ??
        (found.fields.path.length > 0 ? found.fields.span : { start: found.fields.span.start, end: found.fields.span.start + 1 }),
    });
    return 'unknown';
  }
  if (found.nameField !== undefined && field?.node.kind === 'scalar' && field.node.text !== id) {
    context.sink.report({
      code: 'contradiction',
      message: `the workflow has two ids, \`${shorten(id)}\` and \`${shorten(field.node.text)}\``,
      path: field.path,
      span: field.node.span,
      related: [{ message: 'the first one', span: node.span }],
    });
  }
  if (!definitionIdPattern.test(id)) {
    context.sink.report({
      code: 'bad_id',
      message: `\`${shorten(id)}\` cannot be a workflow's id`,
      hint: 'at most 100 letters, digits, `_`, `-` and `.`, the first a letter or digit',
      path: field?.path ?? ['Workflow'],
      span: node.span,
    });
  } else if (isReservedDefinitionId(id)) {
    context.sink.report({
      code: 'reserved_id',
      message: `\`${id}\` is reserved`,
      hint: 'choose another id',
      path: field?.path ?? ['Workflow'],
      span: node.span,
    });
  }
  return id;
}

/** Groups of people; a group may be one person. */
function readApprovers(reader: FieldReader): Plan['approvers'] {
  const field = reader.present('approvers');
  if (field === undefined) return {};
  if (field.node.kind !== 'map') {
    reader.context.sink.report({
      code: 'bad_value',
      message: '`approvers` is a map of groups',
      hint: 'write `approvers: {release-board: [ana, ben]}`',
      path: field.path,
      span: field.node.span,
    });
    return {};
  }
  const groups: Plan['approvers'] = {};
  for (const entry of field.node.entries) {
    if (isUsersOwnKey(entry.key)) continue;
    const members = readWords(reader.context, entry.value, [...field.path, entry.key], { split: true }) ?? [];
    groups[entry.key] = members.map((word) => word.text);
    if (members.length > 0) continue;
    reader.context.sink.report({
      code: 'missing_key',
      message: `the group \`${shorten(entry.key)}\` has no members`,
      hint: 'write `<group>: [ana, ben]`',
      path: [...field.path, entry.key],
      span: entry.keySpan,
    });
  }
  return groups;
}
