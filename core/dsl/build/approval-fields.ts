import type { DraftStep } from '../draft';
import { FieldReader, readChoice, type Word } from '../fields';
import { type CompileContext, type Field, readFields } from '../keyed-map';

const dayMs = 86_400_000;

export interface ReadApproval {
  /** Undefined where the file does not say. An `approval` map asks for one. */
  required?: boolean;
  plan: DraftStep['approval'];
  approvers: Word[];
}

/** `approval_required` and `approval {when, approvers, quorum, distinct_from, timeout, on_timeout, prompt}`. */
export function readApproval(reader: FieldReader): ReadApproval {
  const { context } = reader;
  const required = reader.boolean('approval_required');
  const plan: DraftStep['approval'] = {
    approvers: [],
    quorum: 1,
    distinctFrom: [],
    timeoutMs: dayMs,
    timeoutIsExplicit: false,
    onTimeout: 'escalate',
  };
  const field = reader.present('approval');
  if (field === undefined) return { ...(required === undefined ? {} : { required }), plan, approvers: [] };
  checkContradiction(reader, field, required);
  if (field.node.kind === 'scalar' && typeof field.node.value === 'boolean') {
    return { required: required ?? field.node.value, plan, approvers: [] };
  }
  if (field.node.kind === 'scalar') {
    // `approval: before` and `approval: after` need no map.
    const when = readChoice(context, field, ['before', 'after']);
    return { required: required ?? true, plan: { ...plan, ...(when === undefined ? {} : { when }) }, approvers: [] };
  }
  const fields = readFields(context, field.node, { level: 'approval', path: field.path, what: '`approval`', span: field.keySpan });
  if (fields === undefined) return { required: required ?? true, plan, approvers: [] };
  const own = new FieldReader(context, fields);
  const when = own.choice('when', ['before', 'after']);
  const approvers = own.words('approvers') ?? [];
  const timeoutMs = own.duration('timeout', { min: 1 });
  const prompt = own.text('prompt');
  return {
    required: required ?? true,
    plan: {
      ...(when === undefined ? {} : { when }),
      approvers: approvers.map((word) => word.text),
      quorum: own.integer('quorum', { min: 1, max: 1_000 }) ?? 1,
      distinctFrom: readDistinctFrom(context, own),
      timeoutMs: timeoutMs ?? dayMs,
      timeoutIsExplicit: timeoutMs !== undefined,
      onTimeout: own.choice('on_timeout', ['escalate', 'reject', 'approve', 'block']) ?? 'escalate',
      ...(prompt === undefined ? {} : { prompt }),
    },
    approvers,
  };
}

function checkContradiction(reader: FieldReader, field: Field, required: boolean | undefined): void {
  const written = reader.fields.own('approval_required');
  if (required !== false || written === undefined || reader.fields.own('approval') === undefined) return;
  reader.context.sink.report({
    code: 'contradiction',
    message: '`approval_required: false` against `approval`',
    hint: 'keep one of them',
    path: written.path,
    span: written.node.span,
    related: [{ message: '`approval` is here', span: field.keySpan }],
  });
}

function readDistinctFrom(context: CompileContext, reader: FieldReader): ('initiator' | 'author')[] {
  const words = reader.words('distinct_from') ?? [];
  return words.flatMap((word): ('initiator' | 'author')[] => {
    const name = word.text.toLowerCase();
    if (name === 'initiator' || name === 'author') return [name];
    context.sink.report({ code: 'bad_value', message: '`distinct_from` knows `initiator` and `author`', path: word.path, span: word.span });
    return [];
  });
}
