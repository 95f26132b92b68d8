import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * Compares a text with the file that holds it. With `UPDATE_GOLDEN=1` in the environment the file is written instead; then read
 * the difference before you commit it.
 */
export function expectGolden(file: string, text: string): void {
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  const stored = existsSync(file) ? readFileSync(file, 'utf8') : `(there is no ${file}: write it with UPDATE_GOLDEN=1)`;
  expect(text).toBe(stored);
}

const lineWidth = 130;

/** JSON in the order of its keys, one line for whatever fits into one: so that a difference is short, and shows its place. */
export function layOutJson(value: unknown, indent = ''): string {
  const line = inlineJson(value);
  if (typeof value !== 'object' || value === null || indent.length + line.length <= lineWidth) return line;
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const items = Array.isArray(value)
    ? value.map((item) => `${inner}${layOutJson(item, inner)}`)
    : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${layOutJson(item, inner)}`);
  return `${open}\n${items.join(',\n')}\n${indent}${close}`;
}

function inlineJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inlineJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${inlineJson(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
