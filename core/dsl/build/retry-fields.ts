import type { PlanRetry } from '../../plan/types';
import { FieldReader } from '../fields';
import { readFields } from '../keyed-map';

/** `retry: {attempts, initial_interval, backoff, max_interval, on}`, or a bare number of attempts. */
export function readRetry(reader: FieldReader): PlanRetry {
  const defaults: PlanRetry = { attempts: 3, initialIntervalMs: 1_000, backoff: 2, maxIntervalMs: 60_000 };
  const field = reader.present('retry');
  if (field === undefined) return defaults;
  const attemptBounds = { min: 1, max: 1_000 };
  if (field.node.kind === 'scalar') return { ...defaults, attempts: reader.integer('retry', attemptBounds) ?? defaults.attempts };
  const fields = readFields(reader.context, field.node, { level: 'retry', path: field.path, what: '`retry`', span: field.keySpan });
  if (fields === undefined) return defaults;
  const retry = new FieldReader(reader.context, fields);
  const initialIntervalMs = retry.duration('initial_interval', { min: 1 }) ?? defaults.initialIntervalMs;
  const longest = retry.duration('max_interval', { min: 1 });
  const on = retry.words('on')?.map((word) => word.text);
  const maxIntervalMs = longest ?? Math.max(defaults.maxIntervalMs, initialIntervalMs);
  if (maxIntervalMs < initialIntervalMs) {
    const at = fields.get('max_interval') ?? field;
    reader.context.sink.report({
      code: 'contradiction',
      message: '`max_interval` is shorter than `initial_interval`',
      path: at.path,
      span: at.node.span,
    });
  }
  return {
    attempts: retry.integer('attempts', attemptBounds) ?? defaults.attempts,
    initialIntervalMs,
    backoff: retry.number('backoff', { min: 1, max: 100 }) ?? defaults.backoff,
    maxIntervalMs,
    ...(on === undefined ? {} : { on }),
  };
}
