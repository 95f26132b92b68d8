import fc from 'fast-check';
import { findBrokenPromises } from '../../test/support/compile-promises';
import { hostileTexts } from '../../test/support/hostile-texts';
import type { Diagnostic } from '../plan/diagnostic';
import { compileWorkflow, type CompileResult } from './compile';

// `node scripts/fuzz.cjs` does the same a hundred thousand times, in a process that may break or hang.
test('damaged workflow files, soups of words and random bytes get an answer that keeps its promises', () => {
  fc.assert(
    fc.property(hostileTexts(), ({ input, format }) => {
      expect(findBrokenPromises(compileWorkflow(input, { format }))).toEqual([]);
    }),
    { numRuns: 2_500 },
  );
});

describe('a broken promise is seen', () => {
  const good = compileWorkflow('Workflow: w\nSteps: {a: {agent: developer, output: o}, b: {agent: tester}}\n');
  const [place] = Object.values(good.sourceRanges);
  if (good.plan === null || place === undefined) throw new Error('this compiles');
  const warning: Diagnostic = { code: 'bad_value', severity: 'warning', message: 'm', path: [], range: place };

  test.each<[string, Partial<CompileResult>, RegExp]>([
    ['no plan, and no error', { plan: null }, /no plan/u],
    ['a plan beside an error', { diagnostics: [{ ...warning, severity: 'error' }] }, /a plan/u],
    ['an unknown code', { diagnostics: [{ ...warning, code: 'nonsense' }] }, /not known/u],
    ['an empty message', { diagnostics: [{ ...warning, message: ' ' }] }, /empty message/u],
    ['an endless message', { diagnostics: [{ ...warning, message: 'x'.repeat(10_000) }] }, /10000 characters/u],
    ['a place that ends before it begins', { diagnostics: [{ ...warning, range: { ...place, endLine: 0 } }] }, /place that is none/u],
    ['a number that JSON does not know', { plan: { ...good.plan, metadata: { n: Number.NaN } } }, /JSON|NaN/u],
    ['a step without a place', { sourceRanges: {} }, /has no place/u],
  ])('%s', (_, change, expected) => {
    const changed = { plan: good.plan, diagnostics: good.diagnostics, sourceRanges: good.sourceRanges, ...change };
    expect(findBrokenPromises(good)).toEqual([]);
    let broken: string;
    try {
      broken = findBrokenPromises(changed).join('\n');
    } catch (error) {
      broken = String(error);
    }
    expect(broken).toMatch(expected);
  });
});
