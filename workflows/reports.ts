import { readReportedResult } from '../core/contract/report';
import type { Report, SignedMessage } from '../core/engine/types';
import { parseFields, readId, readOptionalId, readPerson, readSigned, readText, show, type Fields, type Parsed } from './message-fields';

export interface ParsedReport {
  report: Report;
  /** A signature, and what it is of. */
  signed: SignedMessage;
}

/** `report` `{step, by?, agent?, task?, progress?, message?, result?}`, signal and update: who says it is `by`, else `agent`. */
export function parseReport(args: readonly unknown[]): Parsed<ParsedReport> {
  const fields = parseFields(args);
  if (!fields.ok) return fields;
  const step = readId(fields.value, 'step');
  if (!step.ok) return step;
  const by = readPerson(fields.value, false);
  if (!by.ok) return by;
  const agent = readAgent(fields.value);
  if (!agent.ok) return agent;
  const who = by.value ?? agent.value;
  if (who === undefined) return { ok: false, reason: '"by" is missing: who reports?' };
  const task = readOptionalId(fields.value, 'task');
  if (!task.ok) return task;
  const progress = readProgress(fields.value);
  if (!progress.ok) return progress;
  const message = readText(fields.value, 'message', false);
  if (!message.ok) return message;
  const signed = readSigned(fields.value);
  if (!signed.ok) return signed;
  const report: Report = {
    step: step.value,
    by: who,
    ...(agent.value !== undefined && { agent: agent.value }),
    ...(task.value !== undefined && { task: task.value }),
    ...(progress.value !== undefined && { progress: progress.value }),
    ...(message.value !== undefined && { message: message.value }),
  };
  const { result: given } = fields.value;
  if (given === undefined || given === null) {
    const saysNothing = report.progress === undefined && report.message === undefined;
    return saysNothing
      ? { ok: false, reason: 'it says nothing: "progress", "message" or "result" is needed' }
      : { ok: true, value: { report, signed: signed.value } };
  }
  const read = readReportedResult(given);
  if (!read.ok) return { ok: false, reason: `"result": ${read.problem}` };
  return { ok: true, value: { report: { ...report, result: read.result }, signed: signed.value } };
}

/** A person too, in the one form of the names. */
function readAgent(fields: Fields): Parsed<string | undefined> {
  const read = readPerson({ by: fields['agent'] }, false);
  return read.ok ? read : { ok: false, reason: read.reason.replace('"by"', '"agent"') };
}

function readProgress(fields: Fields): Parsed<number | undefined> {
  const { progress } = fields;
  if (progress === undefined || progress === null) return { ok: true, value: undefined };
  if (typeof progress === 'number' && progress >= 0 && progress <= 1) return { ok: true, value: progress };
  return { ok: false, reason: `"progress" must be a number from 0 to 1, not ${show(progress)}` };
}
