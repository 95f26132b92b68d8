import type { Condition } from '../../plan/condition';
import type { PlanMonitor, PlanStep } from '../../plan/types';
import type { Span } from '../document';
import type { ConditionUse } from '../draft';
import { type FieldReader, readCondition, type WrittenCondition } from '../fields';

export interface ReadMonitor {
  plan?: PlanMonitor;
  conditions: ConditionUse[];
  rollbacks: { key: string; span: Span }[];
}

const monitorKeys = ['metrics', 'interval', 'alert_if', 'alert_thresholds', 'for', 'on_alert', 'auto_rollback_if'] as const;

/**
 * `duration` makes a step a monitor; the other monitor keys need it. Its `rollback_on` is asked of every sample, beside
 * `auto_rollback_if`: both roll back what it watches.
 */
export function readMonitor(reader: FieldReader, rollbackOn: PlanStep['rollbackOn']): ReadMonitor {
  if (reader.fields.get('duration') === undefined) {
    const stray = monitorKeys.map((key) => reader.fields.own(key)).find((field) => field !== undefined);
    if (stray === undefined) return { conditions: [], rollbacks: [] };
    reader.context.sink.report({
      code: 'monitor_without_duration',
      message: `\`${stray.written}\` belongs to a monitor step, and that needs a \`duration\``,
      hint: 'add `duration: 1hour`',
      path: stray.path,
      span: stray.keySpan,
    });
  }
  // Without a duration there is no plan, but its other mistakes are told as well.
  const knownDurationMs = reader.duration('duration', { min: 1 });
  const durationMs = knownDurationMs ?? 60_000;
  const intervalMs = reader.duration('interval', { min: 1 });
  const alerts = readAlerts(reader);
  const autoRollback = reader.condition('auto_rollback_if');
  const rollback = eitherOf([autoRollback, rollbackOn].filter((condition) => condition !== undefined));
  const onAlert = reader.choice('on_alert', ['continue', 'fail', 'rollback']) ?? 'continue';
  const plan: PlanMonitor = {
    durationMs,
    intervalMs: intervalMs ?? Math.min(60_000, Math.max(1_000, Math.round(durationMs / 60))),
    intervalIsExplicit: intervalMs !== undefined,
    metrics: (reader.words('metrics') ?? []).map((word) => word.text),
    alerts: alerts.map(({ condition, text }) => ({ condition, text })),
    forSamples: reader.integer('for', { min: 1, max: 100_000 }) ?? 1,
    onAlert,
    ...(rollback === undefined ? {} : { autoRollbackIf: rollback.condition, autoRollbackText: rollback.text }),
  };
  if (knownDurationMs !== undefined) checkSamples(reader, plan);
  const onAlertField = onAlert === 'rollback' ? reader.fields.get('on_alert') : undefined;
  return {
    plan,
    conditions: [
      ...alerts.map((written) => ({ written, purpose: 'alert' as const })),
      ...(autoRollback === undefined ? [] : [{ written: autoRollback, purpose: 'rollback' as const }]),
    ],
    rollbacks: [
      ...(autoRollback === undefined ? [] : [{ key: 'auto_rollback_if', span: autoRollback.span }]),
      ...(onAlertField === undefined ? [] : [{ key: 'on_alert: rollback', span: onAlertField.node.span }]),
    ],
  };
}

function eitherOf(conditions: readonly { condition: Condition; text: string }[]): { condition: Condition; text: string } | undefined {
  const [first] = conditions;
  if (first === undefined || conditions.length === 1) return first;
  return {
    condition: { op: 'or', args: conditions.flatMap(({ condition }) => (condition.op === 'or' ? condition.args : [condition])) },
    text: conditions.map(({ text }) => text).join(' or '),
  };
}

/** There is one sample at the start of each interval: none if it is longer than the whole, and never more than there are. */
function checkSamples(reader: FieldReader, plan: PlanMonitor): void {
  const interval = reader.fields.get('interval');
  if (interval !== undefined && plan.intervalMs > plan.durationMs) {
    reader.context.sink.report({
      code: 'contradiction',
      message: 'the interval is longer than the monitor runs',
      hint: 'shorten `interval`, or lengthen `duration`',
      path: interval.path,
      span: interval.node.span,
    });
    return;
  }
  const samples = Math.max(1, Math.ceil(plan.durationMs / plan.intervalMs));
  const wanted = reader.fields.get('for');
  if (wanted === undefined || plan.forSamples <= samples) return;
  reader.context.sink.report({
    code: 'contradiction',
    message: `an alert needs ${plan.forSamples} samples in a row, and there are ${samples}`,
    hint: 'lower `for`, shorten `interval`, or lengthen `duration`',
    path: wanted.path,
    span: wanted.node.span,
  });
}

/** `alert_if`, then each of `alert_thresholds`. */
function readAlerts(reader: FieldReader): WrittenCondition[] {
  const single = reader.condition('alert_if');
  const field = reader.present('alert_thresholds');
  const nodes = field === undefined ? [] : field.node.kind === 'list' ? field.node.items : [field.node];
  const thresholds = nodes.map((node, index) => readCondition(reader.context, node, [...(field?.path ?? []), index]));
  return [single, ...thresholds].filter((condition) => condition !== undefined);
}
