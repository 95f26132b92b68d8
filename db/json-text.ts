import canonicalize from 'canonicalize';

/** An escape in JSON text: a backslash, NUL, or half of a surrogate pair (JSON.stringify escapes only the lone ones). */
const escapes = /\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g;

/**
 * JSON text that Postgres can keep: jsonb refuses NUL characters and lone surrogates, both of which an agent may print, in keys
 * too. They become U+FFFD.
 */
export function jsonText(value: unknown): string {
  // JSON.stringify gives undefined for undefined and functions.
  const text = (JSON.stringify(value) as string | undefined) ?? 'null';
  return text.includes('\\u') ? text.replace(escapes, (found) => (found === '\\\\' ? found : '\\ufffd')) : text;
}

/** Text without what Postgres cannot store. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').replace(/\p{Surrogate}/gu, '\uFFFD');
}

/** RFC 8785 canonical bytes of a JSON value: what is hashed. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(JSON.parse(jsonText(value)));
  if (text === undefined) throw new TypeError('not a JSON value');
  return text;
}
