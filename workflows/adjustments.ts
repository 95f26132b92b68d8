import { adjustmentKinds, type Adjustment, type AdjustmentKind, type EditedFile } from '../core/contract/adjustments';
import { jsonBytes } from '../core/contract/text-size';
import { limits } from '../core/dsl/limits';
import type { AdjustmentRequest, SignedMessage } from '../core/engine/types';
import {
  parseFields,
  personNamed,
  readCount,
  readFlag,
  readId,
  readIds,
  readOptionalId,
  readPerson,
  readSigned,
  readText,
  show,
  type Fields,
  type Parsed,
} from './message-fields';

const maxAddedAgents = 100;
const maxInputsBytes = 64 * 1024;
const maxValueLength = 64 * 1024;

type AdjustmentParsers = { [Kind in AdjustmentKind]: (fields: Fields) => Parsed<Adjustment> };

const parsers: AdjustmentParsers = {
  add_agent(fields) {
    const role = readId(fields, 'role');
    if (!role.ok) return role;
    const count = readCount(fields, 'count', maxAddedAgents);
    return count.ok ? value({ kind: 'add_agent', role: role.value, count: count.value }) : count;
  },
  parallelize(fields) {
    const steps = readIds(fields, 'steps');
    return steps.ok ? value({ kind: 'parallelize', steps: steps.value }) : steps;
  },
  skip_optional_steps(fields) {
    const steps = readIds(fields, 'steps');
    if (!steps.ok) return steps;
    const force = readFlag(fields, 'force');
    return force.ok ? value({ kind: 'skip_optional_steps', steps: steps.value, force: force.value }) : force;
  },
  skip_step(fields) {
    const step = readId(fields, 'step');
    if (!step.ok) return step;
    const force = readFlag(fields, 'force');
    return force.ok ? value({ kind: 'skip_step', step: step.value, force: force.value }) : force;
  },
  escalate_blocker(fields) {
    const step = readId(fields, 'step');
    return step.ok ? value({ kind: 'escalate_blocker', step: step.value }) : step;
  },
  pause(fields) {
    const freeze = readFlag(fields, 'freeze');
    return freeze.ok ? value({ kind: 'pause', freeze: freeze.value }) : freeze;
  },
  resume: () => value({ kind: 'resume' }),
  cancel(fields) {
    const noRollback = readFlag(fields, 'noRollback');
    return noRollback.ok ? value({ kind: 'cancel', noRollback: noRollback.value }) : noRollback;
  },
  retry_step(fields) {
    const step = readId(fields, 'step');
    if (!step.ok) return step;
    const agent = readOptionalId(fields, 'agent');
    if (!agent.ok) return agent;
    const inputs = readInputs(fields);
    if (!inputs.ok) return inputs;
    return value({
      kind: 'retry_step',
      step: step.value,
      ...(agent.value !== undefined && { agent: agent.value }),
      ...(inputs.value !== undefined && { inputs: inputs.value }),
    });
  },
  override_gate(fields) {
    const key = ['gate', 'step', 'phase'].find((one) => fields[one] !== undefined && fields[one] !== null) ?? 'gate';
    const gate = readId(fields, key);
    return gate.ok ? value({ kind: 'override_gate', gate: gate.value }) : gate;
  },
  set_output(fields) {
    const step = readId(fields, 'step');
    if (!step.ok) return step;
    const output = readId(fields, 'output');
    if (!output.ok) return output;
    const given = fields['value'];
    if (typeof given !== 'string') return { ok: false, reason: `"value" must be text, not ${show(given)}` };
    if (given.length > maxValueLength) return { ok: false, reason: `"value" is longer than ${maxValueLength} characters` };
    return value({ kind: 'set_output', step: step.value, output: output.value, value: given });
  },
  add_step(fields) {
    const file = readEditedFile(fields);
    return file.ok ? value({ kind: 'add_step', ...file.value }) : file;
  },
  edit_step(fields) {
    const file = readEditedFile(fields);
    return file.ok ? value({ kind: 'edit_step', ...file.value }) : file;
  },
};

function readEditedFile(fields: Fields): Parsed<EditedFile> {
  const { source, format = 'yaml' } = fields;
  if (typeof source !== 'string' || source.trim() === '')
    return { ok: false, reason: `"source" must be the text of the whole workflow file, not ${show(source)}` };
  // As JSON: what is signed travels on to an activity, whose input may have 2 MiB.
  if (jsonBytes(source) > limits.textBytes) return { ok: false, reason: `"source" is longer than ${limits.textBytes} bytes` };
  if (format !== 'yaml' && format !== 'toml') return { ok: false, reason: `"format" must be "yaml" or "toml", not ${show(format)}` };
  const isOpen = fields['steps'] === undefined || fields['steps'] === null;
  const steps = isOpen ? undefined : readIds(fields, 'steps');
  if (steps !== undefined && !steps.ok) return steps;
  return { ok: true, value: { source, format, ...(steps !== undefined && { steps: steps.value }) } };
}

/** What they change cannot be understood later without it. */
const needReason: ReadonlySet<AdjustmentKind> = new Set(['pause', 'cancel', 'override_gate', 'set_output', 'add_step', 'edit_step']);

export interface ParsedAdjustment extends Omit<AdjustmentRequest, 'via'> {
  /** A signature, and what it is of. */
  signed: SignedMessage;
}

/** `adjust` `{kind, …, by?, reason?}`; the updates that are named after one kind come without `kind`. */
export function parseAdjustment(args: readonly unknown[], kind?: AdjustmentKind): Parsed<ParsedAdjustment> {
  const fields = parseFields(args);
  if (!fields.ok) return fields;
  const asked = kind ?? fields.value['kind'];
  const known = adjustmentKinds.find((one) => one === asked);
  if (known === undefined) return { ok: false, reason: `"kind" must be one of ${adjustmentKinds.join(', ')}, not ${show(asked)}` };
  const by = readPerson(fields.value, false);
  if (!by.ok) return by;
  const reason = needReason.has(known) ? readText(fields.value, 'reason', true) : readText(fields.value, 'reason', false);
  if (!reason.ok) return reason;
  const adjustment = parsers[known](fields.value);
  if (!adjustment.ok) return adjustment;
  const signed = readSigned(fields.value, { kind: known });
  if (!signed.ok) return signed;
  return {
    ok: true,
    value: {
      adjustment: adjustment.value,
      by: personNamed(by.value),
      ...(reason.value !== undefined && { reason: reason.value }),
      signed: signed.value,
    },
  };
}

function value(adjustment: Adjustment): Parsed<Adjustment> {
  return { ok: true, value: adjustment };
}

function readInputs(fields: Fields): Parsed<Record<string, unknown> | undefined> {
  const { inputs } = fields;
  if (inputs === undefined || inputs === null) return { ok: true, value: undefined };
  if (typeof inputs !== 'object' || Array.isArray(inputs)) return { ok: false, reason: `"inputs" must be an object, not ${show(inputs)}` };
  if (jsonBytes(inputs) > maxInputsBytes) return { ok: false, reason: `"inputs" are larger than ${maxInputsBytes} bytes` };
  return { ok: true, value: inputs as Record<string, unknown> };
}
