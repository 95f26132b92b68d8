import type { MetricValue } from '../contract/agent-document';
import { parseCondition } from '../dsl/condition-parser';
import { type ConditionScope, evaluateCondition, type ScopeStep } from './evaluate';

function step(id: string, rest: Partial<ScopeStep> = {}): ScopeStep {
  return { id, role: 'developer', taskType: 'CodeGeneration', outcome: 'passed', metrics: {}, ...rest };
}

function scopeOf(rest: Partial<ConditionScope> & { all?: ScopeStep[]; phases?: Record<string, ScopeStep[]> } = {}): ConditionScope {
  const { all = [], phases = {}, ...given } = rest;
  const steps = given.steps ?? [];
  const known = [...steps, ...all, ...(given.own === undefined ? [] : [given.own])];
  return {
    steps,
    inputs: {},
    findStep: (id) => known.find((candidate) => candidate.id === id),
    findPhase: (id) => phases[id],
    ...given,
  };
}

function evaluate(text: string, scope: ConditionScope = scopeOf()) {
  const parsed = parseCondition(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return evaluateCondition(parsed.condition, scope);
}

const withMetrics = (metrics: Record<string, MetricValue>): ConditionScope => scopeOf({ own: step('own', { metrics }) });

describe('metrics in their own units', () => {
  const percent = (value: number): MetricValue => ({ value, unit: '%' });
  test.each<[string, Record<string, MetricValue>, boolean | 'unknown', string[]]>([
    ['coverage > 85%', { coverage: percent(91.2) }, true, ['coverage 91.2 % is > 85 %']],
    ['coverage > 85%', { coverage: percent(71.3) }, false, ['coverage 71.3 % is not > 85 %']],
    ['coverage > 85%', { coverage: 0.713 }, false, ['coverage 0.713 (read as 71.3 %) is not > 85 %']],
    ['coverage > 85%', { coverage: 91.2 }, true, ['coverage 91.2 (read as 91.2 %) is > 85 %']],
    ['coverage > 0.85', { coverage: percent(91.2) }, true, ['coverage 91.2 % is > 85 %']],
    ['coverage > 85', { coverage: 0.9 }, true, ['coverage 0.9 (read as 90 %) is > 85 %']],
    ['coverage >= 100%', { coverage: 1 }, true, ['coverage 1 (read as 100 %) is >= 100 %']],
    ['error_rate > 1%', { error_rate: 0.02 }, true, ['error_rate 0.02 (read as 2 %) is > 1 %']],
    ['error_rate == 7%', { error_rate: 0.07 }, true, ['error_rate 0.07 (read as 7 %) is 7 %']],
    ['error_rate > 1%', { error_rate: { value: 0.02, unit: 'fraction' } }, true, ['error_rate 2 % is > 1 %']],
    ['p99_latency > 500ms', { latency: 620 }, true, ['p99_latency 620 ms is > 500 ms']],
    ['latency > 500ms', { p99: { value: 0.4, unit: 's' } }, false, ['latency 400 ms is not > 500 ms']],
    ['p99 > 300ms', { p99_latency: 301 }, true, ['p99 301 ms is > 300 ms']],
    ['cost_usd < $2.50', { cost_usd: 2 }, true, ['cost_usd $2 is < $2.5']],
    ['critical_vulns == 0', { critical_vulns: 2 }, false, ['critical_vulns 2 is not 0']],
    ['tests_passing', { tests_passing: true }, true, ['tests_passing is true']],
    ['not tests_passing', { tests_passing: false }, true, ['tests_passing is false']],
    ['tests_passing', { tests_passing: 1 }, 'unknown', ['tests_passing 1 is neither true nor false']],
    ['coverage > 300ms', { coverage: percent(90) }, 'unknown', ['coverage 90 % cannot be compared with 300 ms: their units differ']],
    ['score > 3 points'.slice(0, 9), { score: { value: 5, unit: 'points' } }, true, ['score 5 points is > 3']],
    ['coverage > 85%', { coverage: Number.NaN }, 'unknown', ['coverage is not a number']],
    ['toString', {}, 'unknown', ['toString was not reported by own']],
  ])('%s with %j is %s', (text, metrics, value, explanation) => {
    expect(evaluate(text, withMetrics(metrics))).toEqual({ value, explanation });
  });
});

describe('three values', () => {
  const scope = withMetrics({ yes: true, no: false });
  test.each<[string, boolean | 'unknown']>([
    ['yes and yes', true],
    ['yes and no', false],
    ['yes and missing', 'unknown'],
    ['no and missing', false],
    ['yes or missing', true],
    ['no or missing', 'unknown'],
    ['not missing', 'unknown'],
    ['missing > 3', 'unknown'],
    ['!yes || yes && no', false],
    ['(no or yes) and not no', true],
    ['yes == no', false],
    ['yes != no', true],
    ['\'a\' == "a"', true],
    ["'a' in ('b', 'a')", true],
    ['3 in [1, 2]', false],
    ['missing in [1, 2]', 'unknown'],
    ['1 + 2 * 3 == 7', true],
    ['-(2 - 3) == 1', true],
    ['0.1 + 0.2 == 0.3', true],
    ['1 / 0 > 1', 'unknown'],
    ['85% - 5% == 80%', true],
    ['50% * 10min == 5min', true],
    ['1h30m / 30min == 3', true],
    ['1h + 5% > 1h', 'unknown'],
    ["'a' < 'b'", 'unknown'],
    ['count(passed) == 1', true],
    ['count(passed) > 50%', 'unknown'],
  ])('%s is %s', (text, value) => {
    expect(evaluate(text, scope).value).toBe(value);
  });

  test('the explanation holds what decided, and nothing else', () => {
    expect(evaluate('yes and no and missing', scope).explanation).toEqual(['no is false']);
    expect(evaluate('yes and missing', scope).explanation).toEqual(['missing was not reported by own']);
    expect(evaluate('no or yes', scope).explanation).toEqual(['yes is true']);
  });
});

describe('where a metric comes from', () => {
  const tests = step('tests', { metrics: { coverage: { value: 70, unit: '%' } } });
  test('the own result first, then the scope in order', () => {
    const own = step('own', { metrics: { coverage: { value: 90, unit: '%' } } });
    expect(evaluate('coverage > 85%', scopeOf({ own, steps: [tests] })).value).toBe(true);
    expect(evaluate('coverage > 85%', scopeOf({ own: step('own'), steps: [tests] })).value).toBe(false);
  });

  test('a named step, and who should have reported', () => {
    const scope = scopeOf({ all: [tests, step('late', { outcome: 'pending' })] });
    expect(evaluate('steps.tests.coverage > 60%', scope).value).toBe(true);
    expect(evaluate('steps["tests"].cpu > 60%', scope)).toEqual({ value: 'unknown', explanation: ['cpu was not reported by tests'] });
    expect(evaluate('steps.late.cpu > 60%', scope).explanation).toEqual(['cpu was not reported by late, which is not done']);
    expect(evaluate('steps.gone.cpu > 60%', scope).explanation).toEqual(['there is no step gone']);
    expect(evaluate('cpu > 60%', scopeOf()).explanation).toEqual(['cpu was not reported: no step is in scope']);
  });

  test('inputs', () => {
    const scope = scopeOf({ inputs: { full: true, tier: 'gold', services: ['api', 'web'] } });
    expect(evaluate("inputs.full and inputs.tier == 'gold' and 'api' in inputs.services", scope).value).toBe(true);
    expect(evaluate('inputs.toString == 1', scope)).toEqual({ value: 'unknown', explanation: ['the run input toString was not given'] });
  });
});

describe('quantifiers', () => {
  const approved = step('a', { verdict: 'approved', role: 'code-reviewer', taskType: 'CodeReview' });
  const silent = step('b');
  const rejected = step('c', { verdict: 'changes_requested', taskType: 'SecurityAudit' });
  const failed = step('d', { outcome: 'failed', taskType: 'Testing' });
  const pending = step('e', { outcome: 'pending' });
  const skipped = step('f', { outcome: 'skipped' });
  const tested = step('g', { taskType: 'Testing' });

  test.each<[string, ScopeStep[], boolean | 'unknown', string]>([
    ['all_approved', [approved, silent], true, 'a is approved'],
    ['all_approved', [approved, rejected], false, 'c is not approved (verdict changes_requested)'],
    ['all_approved', [approved, pending], 'unknown', 'e is not done'],
    ['all_approved', [rejected, pending], false, 'c is not approved (verdict changes_requested)'],
    ['all_approved', [approved, skipped], true, 'a is approved'],
    ['all_approved', [skipped], 'unknown', 'all_approved speaks of no step: all were skipped'],
    ['all_approved', [], 'unknown', 'all_approved speaks of no step'],
    ['any_approved', [rejected, approved], true, 'a is approved'],
    ['any_approved', [rejected, pending], 'unknown', 'e is not done'],
    ['any_approved', [rejected], false, 'c is not approved (verdict changes_requested)'],
    ['all_passed', [rejected, silent], true, 'c passed'],
    ['all_passed', [failed, silent], false, 'd has not passed: it failed'],
    ['any_passed', [failed, silent], true, 'b passed'],
    ['none_failed', [silent, skipped], true, 'no step failed'],
    ['none_failed', [failed, pending], false, 'd failed'],
    ['none_failed', [pending], 'unknown', 'e is not done'],
    ['all_tests_pass', [tested, failed], false, 'd has not passed: it failed'],
    ['all_tests_pass', [tested, silent], true, 'g passed'],
    ['all_tests_pass', [silent], 'unknown', 'all_tests_pass speaks of no step'],
    ['all_reviews_approved', [approved, tested], true, 'a is approved'],
    ['all_reviews_approved', [approved, rejected], false, 'c is not approved (verdict changes_requested)'],
    ['all_reviews_approved', [step('peer_REVIEW', { verdict: 'rejected' })], false, 'peer_REVIEW is not approved (verdict rejected)'],
    ['count(approved) >= 2', [approved, silent, rejected], true, 'count(approved) 2 is >= 2'],
    ['count(approved) >= 2', [approved, pending], 'unknown', 'count(approved) 1 >= 2 is not decided yet'],
    ['count(approved) >= 1', [approved, pending], true, 'count(approved) 1 is >= 1'],
    ['count(failed) == 0', [pending], 'unknown', 'count(failed) 0 == 0 is not decided yet'],
    ['count(skipped) == 1', [skipped, silent], true, 'count(skipped) 1 is 1'],
    ['any_error', [failed], true, 'd failed'],
    ['any_error', [pending], false, 'nothing failed'],
    ['critical_error', [pending], false, 'no critical error was reported'],
  ])('%s', (text, steps, value, reason) => {
    const result = evaluate(text, scopeOf({ steps }));
    expect(result.value).toBe(value);
    expect(result.explanation[0]).toBe(reason);
  });

  test('the own result counts once it is there', () => {
    expect(evaluate('all_approved', scopeOf({ own: rejected, steps: [approved] })).value).toBe(false);
    expect(evaluate('all_approved', scopeOf({ own: { ...rejected, outcome: 'pending' }, steps: [approved] })).value).toBe(true);
  });

  test('critical_error reads the sample', () => {
    expect(evaluate('critical_error', withMetrics({ critical_error: true })).value).toBe(true);
    expect(evaluate('critical_error', withMetrics({ critical_errors: 2 })).value).toBe(true);
    expect(evaluate('critical_error', withMetrics({ critical_errors: 0 })).value).toBe(false);
    expect(evaluate('critical_error', scopeOf({ sampleError: true })).value).toBe(true);
  });

  test('predicates of steps and phases', () => {
    const scope = scopeOf({ all: [approved, failed, pending], phases: { build: [silent, skipped], check: [tested, failed] } });
    expect(evaluate('approved(a) and failed(d)', scope).value).toBe(true);
    expect(evaluate('passed(e)', scope)).toEqual({ value: 'unknown', explanation: ['e is not done'] });
    expect(evaluate('passed(build)', scope).value).toBe(true);
    expect(evaluate('passed(check)', scope).value).toBe(false);
    expect(evaluate('failed(check)', scope).value).toBe(true);
    expect(evaluate('passed("no such")', scope).explanation).toEqual(['there is no step or phase no such']);
  });

  test('aggregates', () => {
    const steps = [step('a', { metrics: { coverage: 0.8 } }), step('b', { metrics: { coverage: { value: 90, unit: '%' } } }), step('c')];
    const scope = scopeOf({ steps });
    expect(evaluate('avg(coverage) == 85%', scope).value).toBe(true);
    expect(evaluate('min(coverage) >= 80% and max(coverage) <= 90%', scope).value).toBe(true);
    expect(evaluate('sum(coverage) > 85%', scope).explanation).toEqual(['sum(coverage) 170 % is > 85 %']);
    expect(evaluate('sum(cpu) > 1%', scope).explanation).toEqual(['cpu was reported by no step in scope']);
  });
});
