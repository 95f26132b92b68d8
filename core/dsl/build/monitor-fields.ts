import type { PlanMonitor } from '../../plan/types';
import type { Span } from '../document';
import type { ConditionUse } from '../draft';
import { type FieldReader, readCondition, type WrittenCondition } from '../fields';

export interface ReadMonitor {
  plan?: PlanMonitor;
  conditions: ConditionUse[];
  autoRollbackSpan?: Span;
}

const monitorKeys = ['metrics', 'interval', 'alert_if', 'alert_thresholds', 'for', 'on_alert', 'auto_rollback_if'] as const;

/** `duration` makes a step a monitor; the other monitor keys need it. */
export function readMonitor(reader: FieldReader): ReadMonitor {
  const duration = reader.present('duration');
  if (duration === undefined) {
    const stray = monitorKeys.map((key) => reader.fields.own(key)).find((field) => field !== undefined);
    if (stray !== undefined && reader.fields.own('duration') === undefined) {
      reader.context.sink.report({
        code: 'monitor_without_duration',
        message: `\`${stray.written}\` belongs to a monitor step, and that needs a \`duration\``,
        hint: 'add `duration: 1hour`',
        path: stray.path,
        span: stray.keySpan,
      });
    }
    return { conditions: [] };
  }
  const durationMs = reader.duration('duration', { min: 1 }) ?? 60_000;
  const intervalMs = reader.duration('interval', { min: 1 });
  const alerts = readAlerts(reader);
  const autoRollback = reader.condition('auto_rollback_if');
  if (intervalMs !== undefined && intervalMs > durationMs) {
    const field = reader.fields.get('interval') ?? duration;
    reader.context.sink.report({
      code: 'contradiction',
      message: 'the interval is longer than the monitor runs',
      path: field.path,
      span: field.node.span,
    });
  }
  return {
    plan: {
      durationMs,
      intervalMs: intervalMs ?? Math.min(60_000, Math.max(1_000, Math.round(durationMs / 60))),
      intervalIsExplicit: intervalMs !== undefined,
      metrics: (reader.words('metrics') ?? []).map((word) => word.text),
      alerts: alerts.map(({ condition, text }) => ({ condition, text })),
      forSamples: reader.integer('for', { min: 1, max: 100_000 }) ?? 1,
      onAlert: reader.choice('on_alert', ['continue', 'fail', 'rollback']) ?? 'continue',
      ...(autoRollback === undefined ? {} : { autoRollbackIf: autoRollback.condition, autoRollbackText: autoRollback.text }),
    },
    conditions: [
      ...alerts.map((written) => ({ written, purpose: 'alert' as const })),
      ...(autoRollback === undefined ? [] : [{ written: autoRollback, purpose: 'rollback' as const }]),
    ],
    ...(autoRollback === undefined ? {} : { autoRollbackSpan: autoRollback.span }),
  };
}

/** `alert_if`, then each of `alert_thresholds`. */
function readAlerts(reader: FieldReader): WrittenCondition[] {
  const single = reader.condition('alert_if');
  const field = reader.present('alert_thresholds');
  const nodes = field === undefined ? [] : field.node.kind === 'list' ? field.node.items : [field.node];
  const thresholds = nodes.map((node, index) => readCondition(reader.context, node, [...(field?.path ?? []), index]));
  return [single, ...thresholds].filter((condition) => condition !== undefined);
}
