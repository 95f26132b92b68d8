import { didYouMean } from '../diagnostic-sink';
import { editDistance } from '../did-you-mean';
import { shorten } from '../document';
import type { FieldReader } from '../fields';

/** The one environment that means something to the engine: what was done there is undone when the run fails. */
const production = 'production';

/** More are other environments: `preproduction`, `production-eu`. */
const maxSlips = 2;

/** What people write and mean production by; that a rollback is missing is noticed too late. */
const likelyProduction = new Set(['prod', 'prd', 'produccion', 'producción']);

/** The environments of a step. `production` in any case is `production`; what is nearly so is warned of. */
export function readEnvironments(reader: FieldReader): string[] {
  return (reader.words('environment') ?? []).map(({ text, span, path }) => {
    const name = text.toLowerCase();
    if (name === production) return production;
    if (likelyProduction.has(name) || editDistance(name, production, maxSlips) <= maxSlips) {
      reader.context.sink.report({
        code: 'bad_value',
        severity: 'warning',
        message: `\`${shorten(text)}\` is an environment like any other: only \`${production}\` turns on automatic rollback`,
        hint: didYouMean(production),
        path,
        span,
      });
    }
    return text;
  });
}
