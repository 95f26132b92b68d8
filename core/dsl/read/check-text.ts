import type { Span } from '../document';
import { forbiddenKeys, type ReadProblem } from './read-result';
import { findUnkeepable } from './text';

/** Why a key cannot be taken, if it cannot. */
export function checkKey(key: string, span: Span): ReadProblem | undefined {
  if (forbiddenKeys.has(key)) return { code: 'forbidden_key', message: `\`${key}\` cannot be a key`, span };
  if (key.includes('\ufeff')) {
    const hint = 'were two files joined here? Remove it; most editors show it as nothing at all';
    return { code: 'encoding', message: 'a byte order mark (U+FEFF) in the middle of the text', hint, span };
  }
  return checkText(key, span);
}

/** Why a text cannot be taken, if it cannot. */
export function checkText(text: string, span: Span): ReadProblem | undefined {
  if (findUnkeepable(text) < 0) return undefined;
  return { code: 'encoding', message: 'a NUL character or half a surrogate pair, which no database keeps', span };
}
