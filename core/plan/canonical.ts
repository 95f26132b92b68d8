import canonicalize from 'canonicalize';
import type { Plan } from './types';

/**
 * The RFC 8785 text of a plan: sorted keys, no white space, one spelling of each number. Its sha256 is the plan's identity;
 * hashing itself is done by callers (db/hash.ts), because nothing in core touches node builtins.
 */
export function canonicalPlanText(plan: Plan): string {
  const text = canonicalize(plan);
  if (text === undefined) throw new TypeError('a plan is always an object');
  return text;
}
