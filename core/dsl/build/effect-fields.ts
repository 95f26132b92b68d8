import type { ExecutorKind } from '../../contract/agents';
import type { PlanDeployment, PlanStep } from '../../plan/types';
import { describeNode, type DocumentNode, toPlainValue } from '../document';
import type { ConditionUse, DraftStep } from '../draft';
import { FieldReader, readChoice, reportBadValue, type Word } from '../fields';
import { type Field, hasFiniteNumbers, readFields } from '../keyed-map';
import { parsePercent } from '../values';
import { readExecutor } from './executor-fields';

type EffectPlan = Pick<PlanStep, 'escalationIf'> &
  Partial<
    Pick<
      PlanStep,
      'ifBlocked' | 'escalateAfterMs' | 'onUnknown' | 'deployment' | 'rollbackOn' | 'compensate' | 'onFailure' | 'rework' | 'forEach'
    >
  >;

export interface ReadEffects {
  plan: EffectPlan;
  draft: Pick<DraftStep, 'rework' | 'forEach'>;
  conditions: ConditionUse[];
  rollbacks: DraftStep['rollbacks'];
}

/** What a step does when things go wrong or right: blocking, deployment, rollback, compensation, rework, one step per item. */
export function readEffects(reader: FieldReader): ReadEffects {
  const conditions: ConditionUse[] = [];
  const plan: EffectPlan = { escalationIf: reader.texts('escalation_if') ?? [] };
  const ifBlocked = readIfBlocked(reader);
  if (ifBlocked !== undefined) plan.ifBlocked = ifBlocked;
  const escalateAfterMs = reader.duration('escalate_after', { min: 1 });
  if (escalateAfterMs !== undefined) plan.escalateAfterMs = escalateAfterMs;
  const onUnknown = reader.choice('on_unknown', ['retry', 'ask']);
  if (onUnknown !== undefined) plan.onUnknown = onUnknown;
  const deployment = readDeployment(reader, conditions);
  if (deployment !== undefined) plan.deployment = deployment;
  const rollbackOn = reader.condition('rollback_on');
  if (rollbackOn !== undefined) {
    plan.rollbackOn = { condition: rollbackOn.condition, text: rollbackOn.text };
    conditions.push({ written: rollbackOn, purpose: 'rollback' });
  }
  const compensate = readCompensate(reader);
  if (compensate !== undefined) plan.compensate = compensate;
  const onFailure = reader.choice('on_failure', ['rollback', 'fail', 'block', 'continue']);
  if (onFailure !== undefined) plan.onFailure = onFailure;
  const rework = readRework(reader);
  if (rework !== undefined) plan.rework = { steps: rework.words.map((word) => word.text), maxRounds: rework.maxRounds };
  const forEach = readForEach(reader);
  if (forEach !== undefined) plan.forEach = forEach.plan;
  return {
    plan,
    draft: {
      ...(rework === undefined ? {} : { rework: rework.words }),
      ...(forEach?.word === undefined ? {} : { forEach: forEach.word }),
    },
    conditions,
    rollbacks: rollbackOn === undefined ? [] : [{ key: 'rollback_on', span: rollbackOn.span }],
  };
}

/** `defer_to_next_week`, `{defer: 2hours}`, `escalate`, `skip` or `fail`. */
function readIfBlocked(reader: FieldReader): PlanStep['ifBlocked'] {
  const field = reader.present('if_blocked');
  if (field === undefined) return undefined;
  if (field.node.kind === 'map') {
    const fields = readFields(reader.context, field.node, { level: 'if_blocked', path: field.path, what: '`if_blocked`' });
    if (fields === undefined) return undefined;
    const forMs = new FieldReader(reader.context, fields).duration('defer', { min: 1 });
    if (fields.get('defer') === undefined)
      reader.context.sink.report({
        code: 'missing_key',
        message: '`if_blocked` as a map needs `defer`',
        hint: 'write `if_blocked: {defer: 2hours}`',
        path: field.path,
        span: field.keySpan,
      });
    return forMs === undefined ? undefined : { kind: 'defer', forMs };
  }
  const kind = readChoice(reader.context, field, ['defer_to_next_week', 'escalate', 'skip', 'fail']);
  if (kind === undefined) return undefined;
  if (kind !== 'defer_to_next_week') return { kind };
  return { kind: 'defer', untilNextWeek: true };
}

function readDeployment(reader: FieldReader, conditions: ConditionUse[]): PlanDeployment | undefined {
  const field = reader.present('deployment_strategy');
  if (field === undefined) return undefined;
  checkAlone(reader, field);
  const strategies = ['blue_green', 'rolling', 'recreate', 'canary'] as const;
  if (field.node.kind !== 'map') {
    const strategy = readChoice(reader.context, field, strategies);
    return strategy === undefined ? undefined : strategy === 'canary' ? { strategy, steps: [5, 25, 100], waitMs: 600_000 } : { strategy };
  }
  const fields = readFields(reader.context, field.node, { level: 'deployment', path: field.path, what: '`deployment_strategy`' });
  const named = strategies.filter((strategy) => fields?.get(strategy) !== undefined);
  const [strategy] = named;
  if (fields === undefined || strategy === undefined || named.length > 1) {
    reportBadValue(reader.context, { node: field.node, path: field.path, name: field.written, expected: 'one strategy' });
    return undefined;
  }
  if (strategy !== 'canary') return { strategy };
  const canary = fields.get('canary');
  return canary === undefined ? undefined : readCanary(reader, canary, conditions);
}

/** Sub-steps follow each other: there is nothing that several agents could do side by side. */
function checkAlone(reader: FieldReader, strategy: Field): void {
  const count = reader.fields.get('count');
  if (count === undefined || (count.node.kind === 'scalar' && count.node.text.trim() === '1')) return;
  reader.context.sink.report({
    code: 'contradiction',
    message: `one agent does a deployment: \`${count.written}\` has no place beside \`${strategy.written}\``,
    hint: `remove \`${count.written}\``,
    path: count.path,
    span: count.keySpan,
    related: [{ message: `\`${strategy.written}\` is here`, span: strategy.keySpan }],
  });
}

function readCanary(reader: FieldReader, field: Field, conditions: ConditionUse[]): PlanDeployment | undefined {
  const fields = readFields(reader.context, field.node, { level: 'canary', path: field.path, what: '`canary`', span: field.keySpan });
  if (fields === undefined) return undefined;
  const own = new FieldReader(reader.context, fields);
  const written = own.words('steps');
  const stepsField = own.fields.get('steps');
  if (stepsField !== undefined && written?.length === 0) {
    reportBadValue(reader.context, {
      node: stepsField.node,
      path: stepsField.path,
      name: 'steps',
      expected: 'a list of shares like `25%`',
    });
  }
  const steps = (written ?? []).map((word) => ({ word, share: parsePercent(word.text) }));
  steps.forEach(({ word, share }, index) => {
    const before = steps[index - 1]?.share ?? 0;
    if (share !== undefined && share > before && share <= 100) return;
    reader.context.sink.report({
      code: share === undefined ? 'bad_unit' : 'bad_value',
      message: share === undefined ? 'a share of traffic is a percentage' : 'shares of traffic grow from step to step, up to 100 %',
      hint: 'write shares like `5%, 25%, 100%`',
      path: word.path,
      span: word.span,
    });
  });
  const abortIf = own.condition('abort_if');
  if (abortIf !== undefined) conditions.push({ written: abortIf, purpose: 'rollback' });
  return {
    strategy: 'canary',
    steps: written === undefined ? [5, 25, 100] : steps.flatMap(({ share }) => (share === undefined ? [] : [share])),
    waitMs: own.duration('wait', { min: 1 }) ?? 600_000,
    ...(abortIf === undefined ? {} : { abortIf: { condition: abortIf.condition, text: abortIf.text } }),
  };
}

/** An action's name, or `{executor: …}`. */
function readCompensate(reader: FieldReader): PlanStep['compensate'] {
  const field = reader.present('compensate');
  if (field === undefined) return undefined;
  if (field.node.kind === 'scalar') return { action: field.node.text };
  const fields = readFields(reader.context, field.node, { level: 'compensate', path: field.path, what: '`compensate`' });
  if (fields === undefined) return undefined;
  const action = new FieldReader(reader.context, fields).text('action');
  const executor = fields.get('executor');
  if ((action === undefined) === (executor === undefined)) {
    reader.context.sink.report({
      code: 'bad_value',
      message: '`compensate` is an action, or has `executor`',
      path: field.path,
      span: field.keySpan,
    });
    return undefined;
  }
  if (action !== undefined) return { action };
  const spec = executor === undefined ? undefined : readExecutor(reader.context, executor);
  if (executor === undefined || spec === undefined) return undefined;
  // Found out when the run is taken back, it would be too late.
  if (!undoKinds.includes(spec.kind)) {
    reader.context.sink.report({
      code: 'bad_value',
      message: `an executor of kind \`${spec.kind}\` cannot undo a step`,
      hint: `kinds: ${undoKinds.join(', ')}`,
      path: executor.path,
      span: executor.node.span,
    });
    return undefined;
  }
  return { executor: spec };
}

/** What this release can call. */
const undoKinds: readonly ExecutorKind[] = ['command', 'worker', 'simulate'];

/** `{steps, max_rounds}`, or the steps alone. */
function readRework(reader: FieldReader): { words: Word[]; maxRounds: number } | undefined {
  const field = reader.present('rework');
  if (field === undefined) return undefined;
  if (field.node.kind !== 'map') return { words: reader.words('rework') ?? [], maxRounds: 2 };
  const fields = readFields(reader.context, field.node, { level: 'rework', path: field.path, what: '`rework`' });
  if (fields === undefined) return undefined;
  const own = new FieldReader(reader.context, fields);
  return { words: own.words('steps') ?? [], maxRounds: own.integer('max_rounds', { min: 0, max: 100 }) ?? 2 };
}

const maxItems = 1_000;

/** `inputs.<name>`, `steps.<id>.outputs.<name>`, or a literal list. */
function readForEach(reader: FieldReader): { plan: NonNullable<PlanStep['forEach']>; word?: Word } | undefined {
  const field = reader.present('for_each');
  if (field === undefined) return undefined;
  const { node } = field;
  if (node.kind === 'list') {
    if (node.items.length > maxItems) {
      reader.context.sink.report({
        code: 'too_large',
        message: `\`for_each\` has more than ${maxItems} items`,
        path: field.path,
        span: field.keySpan,
      });
      return undefined;
    }
    if (node.items.length === 0) {
      reader.context.sink.report({
        code: 'unreachable_step',
        message: '`for_each` has no items, so the step never runs',
        hint: 'add an item, or remove the step',
        path: field.path,
        span: node.span,
      });
    }
    return hasFiniteNumbers(reader.context, field) ? { plan: { items: node.items.map(toPlainValue) } } : undefined;
  }
  const text = node.kind === 'scalar' ? node.text.trim() : '';
  const input = /^inputs\.([\p{L}\p{N}_.-]{1,100})$/u.exec(text)?.[1];
  if (input !== undefined) return { plan: { input }, word: { text: input, span: node.span, path: field.path } };
  const output = /^steps\.([\p{L}\p{N}_-]{1,100})\.outputs\.([\p{L}\p{N}_.-]{1,100})$/u.exec(text);
  const step = output?.[1];
  if (step !== undefined) return { plan: { step, output: output?.[2] ?? '' }, word: { text: step, span: node.span, path: field.path } };
  refuseForEach(reader, field, node);
  return undefined;
}

function refuseForEach(reader: FieldReader, field: Field, node: DocumentNode): void {
  reader.context.sink.report({
    code: 'bad_value',
    message: `\`for_each\` is a list of items, not ${describeNode(node)}`,
    hint: 'write a list, `inputs.<name>`, or `steps.<id>.outputs.<name>`',
    path: field.path,
    span: node.span,
  });
}
