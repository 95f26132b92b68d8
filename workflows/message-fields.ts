import type { Actor } from '../core/contract/local-activities';
import { isUndecodable } from '../core/contract/names';
import { personName, unknownPerson } from '../core/contract/person-name';
import { maxTokenLength } from '../core/contract/signed-requests';
import { jsonBytes, utf8Bytes } from '../core/contract/text-size';

export type Fields = Record<string, unknown>;

/** A refusal is a sentence, never an exception: a signal must not be able to fail a workflow task. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };

const maxTextLength = 4_000;
export const maxShownLength = 80;
const maxPersonBytes = 200;
/** A file of the largest size, and what stands beside it: an activity's input ends at 2 MiB. */
const maxSignedBytes = 1_300_000;
const maxIdBytes = 300;

/** Control characters, line separators and halves of surrogate pairs: none is part of a name. */
const nameless = /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]/u;
/** What Postgres cannot store. */
// eslint-disable-next-line no-control-regex -- NUL is what is looked for
const unstorable = /[\u0000\p{Surrogate}]/gu;

export function parseFields(args: readonly unknown[]): Parsed<Fields> {
  const [message] = args;
  if (args.length > 1) return { ok: false, reason: `its argument must be one JSON object, not ${args.length} arguments` };
  if (isUndecodable(message)) return { ok: false, reason: `its argument cannot be decoded: ${message.undecodable}` };
  if (typeof message !== 'object' || message === null || Array.isArray(message) || ArrayBuffer.isView(message)) {
    return { ok: false, reason: `its argument must be one JSON object, not ${show(message)}` };
  }
  return { ok: true, value: message as Fields };
}

export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (ArrayBuffer.isView(value)) return 'bytes';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text;
}

export function readText(fields: Fields, key: string, required: true): Parsed<string>;
export function readText(fields: Fields, key: string, required: false): Parsed<string | undefined>;
export function readText(fields: Fields, key: string, required: boolean): Parsed<string | undefined> {
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
export function readPerson(fields: Fields, required: true): Parsed<string>;
export function readPerson(fields: Fields, required: false): Parsed<string | undefined>;
export function readPerson(fields: Fields, required: boolean): Parsed<string | undefined> {
  const text = required ? readText(fields, 'by', true) : readText(fields, 'by', false);
  if (!text.ok || text.value === undefined) return text;
  // As it was sent: what cannot be stored has been replaced in the text.
  const name = readName('by', personName(String(fields['by'])), maxPersonBytes);
  if (name.ok && name.value === '') return required ? { ok: false, reason: '"by" is empty' } : { ok: true, value: undefined };
  return name;
}

/** A signature: what it says is looked at when it is verified. */
export function readToken(fields: Fields): Parsed<string | undefined> {
  const { token } = fields;
  if (token === undefined || token === null) return { ok: true, value: undefined };
  if (typeof token !== 'string' || token === '') return { ok: false, reason: `"token" must be a signature, not ${show(token)}` };
  if (token.length > maxTokenLength) return { ok: false, reason: `"token" is longer than ${maxTokenLength} characters` };
  return { ok: true, value: token };
}

/** A signature of the whole message, and what it is of. `more`: what the message says by how it was sent. */
export function readSigned(fields: Fields, more: Fields = {}): Parsed<{ token?: string; message?: Fields }> {
  const token = readToken(fields);
  if (!token.ok) return token;
  if (token.value === undefined) return { ok: true, value: {} };
  const { token: _, ...message } = fields;
  // It goes to an activity, written anew: a number may then be five times as long as it was sent.
  if (jsonBytes(message) > maxSignedBytes) return { ok: false, reason: `it is longer than ${maxSignedBytes} bytes, too long to be signed` };
  return { ok: true, value: { token: token.value, message: { ...message, ...more } } };
}

/** The id of a gate, a step, a role…: one line of text, in one form. */
export function readId(fields: Fields, key: string): Parsed<string> {
  const text = readText(fields, key, true);
  return text.ok ? readName(key, String(fields[key]).normalize('NFC').trim(), maxIdBytes) : text;
}

export function readOptionalId(fields: Fields, key: string): Parsed<string | undefined> {
  return fields[key] === undefined || fields[key] === null ? { ok: true, value: undefined } : readId(fields, key);
}

const maxIds = 1_000;

/** A list of ids; one alone may stand for a list of one. */
export function readIds(fields: Fields, key: string): Parsed<string[]> {
  const value = fields[key];
  if (typeof value === 'string') {
    const one = readId(fields, key);
    return one.ok ? { ok: true, value: [one.value] } : one;
  }
  if (value === undefined || value === null) return { ok: false, reason: `"${key}" is missing` };
  if (!Array.isArray(value) || value.length === 0) return { ok: false, reason: `"${key}" must be a list of ids, not ${show(value)}` };
  if (value.length > maxIds) return { ok: false, reason: `"${key}" names more than ${maxIds}` };
  const ids: string[] = [];
  for (const item of value as unknown[]) {
    const id = readId({ [key]: item }, key);
    if (!id.ok) return id;
    ids.push(id.value);
  }
  return { ok: true, value: ids };
}

export function readFlag(fields: Fields, key: string): Parsed<boolean> {
  const value = fields[key] ?? false;
  return typeof value === 'boolean' ? { ok: true, value } : { ok: false, reason: `"${key}" must be true or false` };
}

export function readCount(fields: Fields, key: string, max: number): Parsed<number> {
  const value = fields[key] ?? 1;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return { ok: true, value };
  return { ok: false, reason: `"${key}" must be a whole number from 1 to ${max}, not ${show(value)}` };
}

export function readName(key: string, name: string, maxBytes: number): Parsed<string> {
  if (nameless.test(name)) return { ok: false, reason: `"${key}" has control characters or broken text: ${show(name)}` };
  if (utf8Bytes(name) > maxBytes) return { ok: false, reason: `"${key}" is longer than ${maxBytes} bytes` };
  return { ok: true, value: name };
}

export function personNamed(name: string | undefined): Actor {
  return { kind: 'person', id: name ?? unknownPerson, assurance: 'local' };
}

export function readByAndReason(fields: Fields, reasonRequired: boolean): Parsed<{ by: Actor; reason?: string }> {
  const reason = reasonRequired ? readText(fields, 'reason', true) : readText(fields, 'reason', false);
  if (!reason.ok) return reason;
  const by = readPerson(fields, false);
  if (!by.ok) return by;
  return { ok: true, value: { by: personNamed(by.value), ...(reason.value !== undefined && { reason: reason.value }) } };
}
