import { runStatuses, stepStates, type RunStatus, type StepState } from '../contract/states';
import { checkRunTransition, isSettled, nextStepState, runTransitions, stepTransitions, type StepCause } from './transitions';

const causes: StepCause[] = [
  'start', 'assign', 'launch', 'ask', 'block', 'defer', 'invalidate', 'release', 'rework', 'retry', 'rollback', 'resume', 'pass', 'fail', 'skip', 'stop', 'undo', 'undone', 'undoFailed',
]; // prettier-ignore

test.each(stepStates)('from %s every cause either has its state or is impossible', (state) => {
  for (const cause of causes) {
    const next = stepTransitions[state][cause];
    if (next === undefined) expect(() => nextStepState('s', state, cause)).toThrow(`Internal error: step s is ${state}`);
    else expect(nextStepState('s', state, cause)).toBe(next);
  }
});

test.each<[StepState, StepCause, StepState | undefined]>([
  ['pending', 'start', 'ready'],
  ['pending', 'launch', undefined],
  ['ready', 'pass', undefined],
  ['running', 'pass', 'passed'],
  ['running', 'ask', 'waiting_approval'],
  ['passed', 'rework', 'reworking'],
  ['passed', 'fail', undefined],
  ['cancelled', 'start', undefined],
  ['passed', 'undo', 'compensating'],
  ['failed', 'undo', undefined],
  ['compensating', 'undoFailed', 'compensation_failed'],
])('%s, %s → %s', (state, cause, next) => {
  expect(stepTransitions[state][cause]).toBe(next);
});

test('a settled step is left only by rework, by a retry that somebody asked for, or by rollback', () => {
  for (const state of stepStates.filter(isSettled)) {
    for (const cause of Object.keys(stepTransitions[state]))
      expect(['rework', 'retry', 'invalidate', 'undo', 'undone', 'undoFailed']).toContain(cause);
  }
});

test('every step state can be reached, and every unsettled one can be stopped', () => {
  const reached = new Set<StepState>(['pending']);
  for (const state of stepStates) for (const next of Object.values(stepTransitions[state])) reached.add(next);
  expect([...reached].sort()).toEqual([...stepStates].sort());
  for (const state of stepStates.filter((one) => !isSettled(one))) expect(stepTransitions[state].stop).toBe('cancelled');
});

test.each<[RunStatus, RunStatus]>([
  ['completed', 'in_progress'],
  ['cancelled', 'rolling_back'],
  ['created', 'completed'],
  ['rolling_back', 'in_progress'],
])('a run that is %s does not become %s', (from, to) => {
  expect(() => checkRunTransition(from, to)).toThrow('Internal error');
});

test('every run status but the first can be reached', () => {
  const reached = new Set(runStatuses.flatMap((status) => runTransitions[status]));
  expect(runStatuses.filter((status) => !reached.has(status))).toEqual(['created']);
});
