import { rolePattern } from '../../contract/ids';
import type { PlanStep } from '../../plan/types';
import { didYouMean } from '../diagnostic-sink';
import { isEmpty, shorten, toPlainValue } from '../document';
import type { DraftStep, RawStep } from '../draft';
import { FieldReader, type Word } from '../fields';
import { type CompileContext, emptyFields, type Fields, hasFiniteNumbers, readFields } from '../keyed-map';
import { isRole, normalizeRole } from '../roles';
import { normalizeTaskType, taskTypes, wordsOf } from '../../plan/task-type';
import { inferTaskType } from '../task-type';
import { readApproval } from './approval-fields';
import { readDependencies } from './dependency-fields';
import { readEffects } from './effect-fields';
import { readEnvironments } from './environment-fields';
import { readGates } from './gate-fields';
import { readMonitor } from './monitor-fields';
import { readRetry } from './retry-fields';

const dayMs = 86_400_000;
const maxTaskTypeLength = 100;

export interface StepOptions {
  order: number;
  defaults: Fields | undefined;
}

/** Reads all of one step's own keys. Names of other steps stay words; core/dsl/checks resolves them. */
export function readStep(context: CompileContext, raw: RawStep, options: StepOptions): DraftStep {
  const read = readFields(context, raw.node, { level: 'step', path: raw.path, what: `the step \`${shorten(raw.id)}\``, span: raw.idSpan });
  const fields = (read ?? emptyFields).withDefaults(options.defaults);
  const reader = new FieldReader(context, fields);

  const doer = read === undefined ? { role: 'unknown' } : readDoer(reader, raw);
  const actions = reader.words('actions') ?? [];
  const environments = readEnvironments(reader);
  const gates = readGates(reader);
  const effects = readEffects(reader);
  const monitor = readMonitor(reader, effects.plan.rollbackOn);
  const approval = readApproval(reader);
  const title = reader.text('title');
  const description = reader.text('description');
  const testType = reader.text('test_type');
  const maxDurationMs = reader.duration('max_duration', { min: 1 });
  const estimateMs = reader.duration('estimated_duration') ?? monitor.plan?.durationMs;
  const phase = reader.text('phase');
  const phaseField = fields.get('phase');
  const phaseWord: Word | undefined =
    phase === undefined || phaseField === undefined ? undefined : { text: phase, span: phaseField.node.span, path: phaseField.path };
  const inputs = reader.words('input') ?? [];
  const outputs = reader.words('output') ?? [];
  const firstWords = actions.map((action) => wordsOf(action.text)[0]);
  const actsOnEnvironment =
    environments.length > 0 && !isRole(doer.role, 'tester', 'monitor', 'code-reviewer', 'security', 'decision-maker');

  // Ten thousand steps pass here, and each conditional spread costs what ten plain assignments do.
  const plan: PlanStep = {
    id: raw.id,
    order: options.order,
    phase: raw.phase ?? '',
    role: doer.role,
    skills: (reader.words('skill_match') ?? []).map((word) => word.text),
    dependsOn: [],
    inputs: [],
    outputs: outputs.map((word) => word.text),
    tasks: (reader.words('tasks') ?? []).map((word) => word.text),
    actions: actions.map((word) => word.text),
    taskType:
      readTaskType(reader) ??
      inferTaskType({
        role: doer.role,
        id: raw.id,
        title,
        actions: actions.map((word) => word.text),
        isMonitor: monitor.plan !== undefined,
        isTest: testType !== undefined,
      }),
    quality: reader.choice('quality', ['Low', 'Medium', 'High', 'Critical']) ?? 'Medium',
    priority: readPriority(reader),
    timeoutMs: reader.duration('timeout', { min: 1 }) ?? maxDurationMs ?? dayMs,
    retry: readRetry(reader),
    reassign: reader.integer('reassign', { min: 0, max: 100 }) ?? 1,
    parallelizable: reader.boolean('parallelizable') ?? false,
    parallelWith: [],
    securityReviewers: [],
    merges: firstWords.includes('merge'),
    deploys: effects.plan.deployment !== undefined || firstWords.includes('deploy') || actsOnEnvironment,
    environments,
    automatic: reader.boolean('automatic_after_merge') ?? true,
    async: reader.boolean('async') ?? false,
    optional: reader.boolean('optional') ?? false,
    ...gates.plan,
    ...effects.plan,
  };
  if (title !== undefined) plan.title = title;
  if (description !== undefined) plan.description = description;
  if (doer.agentId !== undefined) plan.agentId = doer.agentId;
  if (testType !== undefined) plan.testType = testType;
  if (estimateMs !== undefined) plan.estimateMs = estimateMs;
  if (maxDurationMs !== undefined) plan.maxDurationMs = maxDurationMs;
  if (monitor.plan !== undefined) plan.monitor = monitor.plan;
  const policy = reader.choice('policy', ['exploit', 'explore']);
  if (policy !== undefined) plan.policy = policy;
  const withField = fields.get('with');
  if (withField !== undefined && !isEmpty(withField.node)) {
    if (hasFiniteNumbers(context, withField)) plan.with = toPlainValue(withField.node);
  }

  const draft: DraftStep = {
    plan,
    idSpan: raw.idSpan,
    path: raw.path,
    dependencies: readDependencies(context, fields),
    parallelWith: reader.words('parallel_with') ?? [],
    inputs,
    outputs,
    actions,
    approvers: approval.approvers,
    approval: approval.plan,
    conditions: [...gates.conditions, ...effects.conditions, ...monitor.conditions],
    ...gates.draft,
    ...effects.draft,
    rollbacks: [...effects.rollbacks, ...monitor.rollbacks],
  };
  if (phaseWord !== undefined) draft.phaseWord = phaseWord;
  if (doer.word !== undefined) draft.roleWord = doer.word;
  if (approval.required !== undefined) draft.approvalRequired = approval.required;
  return draft;
}

/** Who does it: `role`, or `agent` naming a role or one agent's id; both together = that agent in that role. */
function readDoer(reader: FieldReader, raw: RawStep): { role: string; agentId?: string; word?: Word } {
  const { context } = reader;
  // What the step says of either counts before the defaults of both.
  const { fields } = reader;
  const isOwn = fields.own('role') !== undefined || fields.own('agent') !== undefined;
  const roleField = isOwn ? fields.own('role') : fields.get('role');
  const agentField = isOwn ? fields.own('agent') : fields.get('agent');
  const field = roleField ?? agentField;
  if (field === undefined) {
    context.sink.report({
      code: 'missing_key',
      message: `the step \`${shorten(raw.id)}\` does not say who does it`,
      hint: 'add `agent: <role>`',
      path: raw.path,
      span: raw.idSpan,
    });
    return { role: 'unknown' };
  }
  const written = reader.text(field.spec.name);
  if (written === undefined) return { role: 'unknown' };
  const word: Word = { text: written, span: field.node.span, path: field.path };
  const agent = agentField === undefined ? undefined : agentField === field ? written : reader.text('agent');
  const named = roleField === undefined ? splitAgentId(written) : { role: written, ...(agent === undefined ? {} : { agentId: agent }) };
  const role = normalizeRole(named.role);
  if (!rolePattern.test(role)) {
    context.sink.report({
      code: 'bad_id',
      message: `\`${shorten(written)}\` cannot be a role`,
      hint: 'a role is letters, digits and hyphens, like `code-reviewer`',
      path: field.path,
      span: field.node.span,
    });
    return { role: 'unknown' };
  }
  return { role, ...(named.agentId === undefined ? {} : { agentId: named.agentId }), word };
}

/** `developer-backend-001` names one agent, by its number; anything else is a role. `role:` never names an agent. */
function splitAgentId(written: string): { role: string; agentId?: string } {
  const numbered = /^(.{1,99}?)-\d+$/u.exec(written);
  return numbered === null ? { role: written } : { role: numbered[1] ?? written, agentId: written };
}

function readTaskType(reader: FieldReader): string | undefined {
  const written = reader.text('task_type');
  if (written === undefined) return undefined;
  const taskType = normalizeTaskType(written);
  const field = reader.fields.get('task_type');
  if (field !== undefined && Math.max(written.length, taskType.length) > maxTaskTypeLength) {
    reader.context.sink.report({
      code: 'bad_value',
      message: `\`task_type\` has ${written.length} characters, more than ${maxTaskTypeLength}`,
      hint: 'a task type is a few words, like `coding`; put more into `description` or `task`',
      path: field.path,
      span: field.node.span,
    });
    return undefined;
  }
  if (field !== undefined && !(taskTypes as readonly string[]).includes(taskType)) {
    const suggestion = reader.context.sink.suggest(taskType, taskTypes);
    if (suggestion !== undefined) {
      reader.context.sink.report({
        code: 'unknown_task_type',
        severity: 'warning',
        message: `\`${shorten(written)}\` is not one of the usual task types`,
        hint: didYouMean(suggestion),
        path: field.path,
        span: field.node.span,
      });
    }
  }
  return taskType;
}

function readPriority(reader: FieldReader): PlanStep['priority'] {
  const field = reader.fields.firstOf('priority', 'low_priority');
  const other = field === undefined ? undefined : reader.fields.own(field.spec.name === 'priority' ? 'low_priority' : 'priority');
  if (field !== undefined && other !== undefined) {
    reader.context.sink.report({
      code: 'contradiction',
      message: '`priority` and `low_priority` exclude each other',
      hint: 'keep one of them',
      path: other.path,
      span: other.keySpan,
      related: [{ message: `\`${field.written}\` is here`, span: field.keySpan }],
    });
  }
  if (field?.spec.name === 'low_priority') return reader.boolean('low_priority') === true ? 'low' : 'normal';
  return (field === undefined ? undefined : reader.choice('priority', ['critical', 'high', 'normal', 'low'])) ?? 'normal';
}
