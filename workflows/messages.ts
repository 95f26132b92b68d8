import type { Actor } from '../core/contract/local-activities';
import { isUndecodable } from '../core/contract/names';
import { personName } from '../core/contract/person-name';
import { utf8Bytes } from '../core/contract/text-size';
import type { EngineEvent } from '../core/engine/types';

type Fields = Record<string, unknown>;

/** A refusal is a sentence, never an exception: a signal must not be able to fail a workflow task. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };

const maxTextLength = 4_000;
const maxShownLength = 80;
const maxPersonBytes = 200;
const maxGateBytes = 300;

/** Control characters, line separators and halves of surrogate pairs: none is part of a name. */
const nameless = /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u;
/** What Postgres cannot store. */
// eslint-disable-next-line no-control-regex -- NUL is what is looked for
const unstorable = /[\u0000\p{Surrogate}]/gu;

function parseFields(args: readonly unknown[]): Parsed<Fields> {
  const [message] = args;
  if (args.length > 1) return { ok: false, reason: `its argument must be one JSON object, not ${args.length} arguments` };
  if (isUndecodable(message)) return { ok: false, reason: `its argument cannot be decoded: ${message.undecodable}` };
  if (typeof message !== 'object' || message === null || Array.isArray(message) || ArrayBuffer.isView(message)) {
    return { ok: false, reason: `its argument must be one JSON object, not ${show(message)}` };
  }
  return { ok: true, value: message as Fields };
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (ArrayBuffer.isView(value)) return 'bytes';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text;
}

function readText(fields: Fields, key: string, required: true): Parsed<string>;
function readText(fields: Fields, key: string, required: false): Parsed<string | undefined>;
function readText(fields: Fields, key: string, required: boolean): Parsed<string | undefined> {
  const value = fields[key];
  if (value === undefined || value === null) {
    return required ? { ok: false, reason: `"${key}" is missing` } : { ok: true, value: undefined };
  }
  if (typeof value !== 'string') return { ok: false, reason: `"${key}" must be text, not ${show(value)}` };
  if (required && value.trim() === '') return { ok: false, reason: `"${key}" is empty` };
  if (value.length > maxTextLength) return { ok: false, reason: `"${key}" is longer than ${maxTextLength} characters` };
  return { ok: true, value: value.replace(unstorable, '\uFFFD') };
}

/** Who says it, in the one form of the name. */
function readPerson(fields: Fields, required: true): Parsed<string>;
function readPerson(fields: Fields, required: false): Parsed<string | undefined>;
function readPerson(fields: Fields, required: boolean): Parsed<string | undefined> {
  const text = required ? readText(fields, 'by', true) : readText(fields, 'by', false);
  if (!text.ok || text.value === undefined) return text;
  // As it was sent: what cannot be stored has been replaced in the text.
  const name = readName('by', personName(String(fields['by'])), maxPersonBytes);
  if (name.ok && name.value === '') return required ? { ok: false, reason: '"by" is empty' } : { ok: true, value: undefined };
  return name;
}

function readGate(fields: Fields): Parsed<string> {
  const text = readText(fields, 'gate', true);
  return text.ok ? readName('gate', String(fields['gate']).normalize('NFC').trim(), maxGateBytes) : text;
}

function readName(key: string, name: string, maxBytes: number): Parsed<string> {
  if (nameless.test(name)) return { ok: false, reason: `"${key}" has control characters or broken text: ${show(name)}` };
  if (utf8Bytes(name) > maxBytes) return { ok: false, reason: `"${key}" is longer than ${maxBytes} bytes` };
  return { ok: true, value: name };
}

function personNamed(name: string | undefined): Actor {
  return { kind: 'person', id: name ?? 'unknown', assurance: 'local' };
}

export interface DecisionMessage {
  gate: string;
  by: string;
  decision: 'approve' | 'reject';
  reason?: string;
}

/** `approve`, `reject` and the update `decide`: `{gate, by, reason?}`, the update with `decision`. */
export function parseDecision(args: readonly unknown[], decision?: 'approve' | 'reject'): Parsed<DecisionMessage> {
  const fields = parseFields(args);
  if (!fields.ok) return fields;
  const gate = readGate(fields.value);
  if (!gate.ok) return gate;
  const by = readPerson(fields.value, true);
  if (!by.ok) return by;
  const reason = readText(fields.value, 'reason', false);
  if (!reason.ok) return reason;
  const chosen = decision ?? fields.value['decision'];
  if (chosen !== 'approve' && chosen !== 'reject') {
    return { ok: false, reason: `"decision" must be "approve" or "reject", not ${show(chosen)}` };
  }
  return { ok: true, value: { gate: gate.value, by: by.value, decision: chosen, ...(reason.value && { reason: reason.value }) } };
}

/** The signals beside votes, by name: each turns its arguments into an engine event. */
const signalParsers: Record<string, (fields: Fields, atMs: number) => Parsed<EngineEvent>> = {
  pause(fields, atMs) {
    const texts = readByAndReason(fields, true);
    return texts.ok ? { ok: true, value: { type: 'pauseRequested', atMs, by: texts.value.by, reason: texts.value.reason ?? '' } } : texts;
  },
  resume(fields, atMs) {
    const texts = readByAndReason(fields, false);
    if (!texts.ok) return texts;
    return { ok: true, value: { type: 'resumeRequested', atMs, ...texts.value } };
  },
  cancel(fields, atMs) {
    const texts = readByAndReason(fields, true);
    if (!texts.ok) return texts;
    const { noRollback } = fields;
    if (noRollback !== undefined && typeof noRollback !== 'boolean') return { ok: false, reason: '"noRollback" must be true or false' };
    const event = { type: 'cancelRequested', atMs, by: texts.value.by, reason: texts.value.reason ?? '', noRollback: noRollback === true };
    return { ok: true, value: event as EngineEvent };
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

function readByAndReason(fields: Fields, reasonRequired: boolean): Parsed<{ by: Actor; reason?: string }> {
  const reason = reasonRequired ? readText(fields, 'reason', true) : readText(fields, 'reason', false);
  if (!reason.ok) return reason;
  const by = readPerson(fields, false);
  if (!by.ok) return by;
  return { ok: true, value: { by: personNamed(by.value), ...(reason.value !== undefined && { reason: reason.value }) } };
}

/** Any signal → exactly one event: what it asks for, or `signalIgnored` with the reason. */
export function parseSignal(name: string, args: readonly unknown[], atMs: number): EngineEvent {
  const ignored = (reason: string): EngineEvent => ({ type: 'signalIgnored', atMs, name: shortName(name), reason });
  if (name === 'approve' || name === 'reject') {
    const vote = parseDecision(args, name);
    return vote.ok ? { type: 'voted', vote: { ...vote.value, atMs, assurance: 'local', via: 'signal' } } : ignored(vote.reason);
  }
  const parser = Object.hasOwn(signalParsers, name) ? signalParsers[name] : undefined;
  if (!parser) return ignored('there is no such signal; known are approve, reject, pause, resume, cancel and alert');
  const fields = parseFields(args);
  if (!fields.ok) return ignored(fields.reason);
  const event = parser(fields.value, atMs);
  return event.ok ? event.value : ignored(event.reason);
}

function shortName(name: string): string {
  return name.length > maxShownLength ? `${name.slice(0, maxShownLength)}…` : name;
}
