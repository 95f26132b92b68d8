import { createHash } from 'node:crypto';
import { canonicalPlanText } from '../core/plan/canonical';
import type { Plan } from '../core/plan/types';
import { canonicalJson } from './json-text';

/** Lower-case hexadecimal sha256 (64 digits) of a text's UTF-8 or of bytes. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** A plan's identity: the sha256 of its RFC 8785 text, 64 hex digits. */
export function planHashOf(plan: Plan): string {
  return sha256Hex(canonicalPlanText(plan));
}

/** What a signature of a message is of: the sha256 of its RFC 8785 text, 64 hex digits. */
export function messageDigest(message: object): string {
  return sha256Hex(canonicalJson(message));
}
