import type { EngineEvent } from '../core/engine/types';
import { parseAdjustment } from './adjustments';
import {
  maxShownLength,
  parseFields,
  personNamed,
  readByAndReason,
  readFlag,
  readId,
  readPerson,
  readText,
  readToken,
  show,
  type Fields,
  type Parsed,
} from './message-fields';
import { parseReport } from './reports';

export interface DecisionMessage {
  gate: string;
  by: string;
  decision: 'approve' | 'reject';
  reason?: string;
  token?: string;
}

/** `approve`, `reject` and the update `decide`: `{gate, by, reason?}`, the update with `decision`. */
export function parseDecision(args: readonly unknown[], decision?: 'approve' | 'reject'): Parsed<DecisionMessage> {
  const fields = parseFields(args);
  if (!fields.ok) return fields;
  const gate = readId(fields.value, 'gate');
  if (!gate.ok) return gate;
  const by = readPerson(fields.value, true);
  if (!by.ok) return by;
  const reason = readText(fields.value, 'reason', false);
  if (!reason.ok) return reason;
  const chosen = decision ?? fields.value['decision'];
  if (chosen !== 'approve' && chosen !== 'reject') {
    return { ok: false, reason: `"decision" must be "approve" or "reject", not ${show(chosen)}` };
  }
  const token = readToken(fields.value);
  if (!token.ok) return token;
  return {
    ok: true,
    value: {
      gate: gate.value,
      by: by.value,
      decision: chosen,
      ...(reason.value && { reason: reason.value }),
      ...(token.value !== undefined && { token: token.value }),
    },
  };
}

/** The signals beside votes, by name: each turns its arguments into an engine event. */
const signalParsers: Record<string, (fields: Fields, atMs: number) => Parsed<EngineEvent>> = {
  pause(fields, atMs) {
    const texts = readByAndReason(fields, true);
    if (!texts.ok) return texts;
    const freeze = readFlag(fields, 'freeze');
    if (!freeze.ok) return freeze;
    const { by, reason = '' } = texts.value;
    return { ok: true, value: { type: 'pauseRequested', atMs, by, reason, ...(freeze.value && { freeze: true }) } };
  },
  resume(fields, atMs) {
    const texts = readByAndReason(fields, false);
    if (!texts.ok) return texts;
    return { ok: true, value: { type: 'resumeRequested', atMs, ...texts.value } };
  },
  cancel(fields, atMs) {
    const texts = readByAndReason(fields, true);
    if (!texts.ok) return texts;
    const noRollback = readFlag(fields, 'noRollback');
    if (!noRollback.ok) return noRollback;
    const { by, reason = '' } = texts.value;
    return { ok: true, value: { type: 'cancelRequested', atMs, by, reason, noRollback: noRollback.value } };
  },
  alert(fields, atMs) {
    const name = readText(fields, 'name', true);
    if (!name.ok) return name;
    const severity = readText(fields, 'severity', true);
    if (!severity.ok) return severity;
    const message = readText(fields, 'message', true);
    if (!message.ok) return message;
    const by = readPerson(fields, false);
    if (!by.ok) return by;
    const texts = { name: name.value, severity: severity.value, message: message.value };
    return { ok: true, value: { type: 'alertReceived', atMs, by: personNamed(by.value), ...texts } };
  },
};

/** Any signal → exactly one event: what it asks for, or `signalIgnored` with the reason. */
export function parseSignal(name: string, args: readonly unknown[], atMs: number): EngineEvent {
  const ignored = (reason: string): EngineEvent => ({ type: 'signalIgnored', atMs, name: shortName(name), reason });
  if (name === 'approve' || name === 'reject') {
    const parsed = parseDecision(args, name);
    if (!parsed.ok) return ignored(parsed.reason);
    const { token, ...vote } = parsed.value;
    return { type: 'voted', vote: { ...vote, atMs, assurance: 'local', via: 'signal' }, ...(token !== undefined && { token }) };
  }
  if (name === 'adjust') {
    const request = parseAdjustment(args);
    if (!request.ok) return ignored(request.reason);
    const { signed, ...asked } = request.value;
    return { type: 'adjusted', atMs, request: { ...asked, via: 'signal' }, ...signed };
  }
  if (name === 'report') {
    const report = parseReport(args);
    if (!report.ok) return ignored(report.reason);
    return { type: 'reported', atMs, report: report.value.report, ...report.value.signed };
  }
  const parser = Object.hasOwn(signalParsers, name) ? signalParsers[name] : undefined;
  if (!parser) return ignored('there is no such signal; known are approve, reject, report, adjust, pause, resume, cancel and alert');
  const fields = parseFields(args);
  if (!fields.ok) return ignored(fields.reason);
  const event = parser(fields.value, atMs);
  return event.ok ? event.value : ignored(event.reason);
}

function shortName(name: string): string {
  return name.length > maxShownLength ? `${name.slice(0, maxShownLength)}…` : name;
}
