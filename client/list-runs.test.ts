import { statusOf, visibilityQuery } from './list-runs';

test.each([
  [{}, 'VaporaDefinition IS NOT NULL AND ExecutionStatus != "ContinuedAsNew"'],
  [{ definition: 'ship.it-1' }, 'VaporaDefinition IS NOT NULL AND ExecutionStatus != "ContinuedAsNew" AND VaporaDefinition = "ship.it-1"'],
  [
    { status: 'paused' as const, isOpen: true },
    'VaporaDefinition IS NOT NULL AND ExecutionStatus != "ContinuedAsNew" AND ExecutionStatus = "Running" AND VaporaStatus = "paused"',
  ],
])('%j', (filter, query) => expect(visibilityQuery(filter)).toBe(query));

test('a value cannot leave its quotes', () => {
  expect(() => visibilityQuery({ definition: 'a" OR WorkflowId = "b' })).toThrow(expect.objectContaining({ code: 'bad_usage' }));
});

test.each([
  ['RUNNING', 'waiting_approval', 'waiting_approval'],
  ['RUNNING', undefined, 'created'],
  ['TERMINATED', 'in_progress', 'failed'],
  ['TIMED_OUT', 'in_progress', 'failed'],
  ['CANCELLED', 'in_progress', 'cancelled'],
  ['FAILED', 'rolled_back', 'rolled_back'],
  ['FAILED', 'planning', 'failed'],
  ['COMPLETED', 'completing', 'completed'],
  ['TERMINATED', 'completed', 'failed'],
  ['FAILED', 'completed', 'failed'],
  ['TIMED_OUT', 'completed', 'failed'],
  ['CANCELLED', 'completed', 'cancelled'],
] as const)('%s after %s is %s', (execution, recorded, expected) => expect(statusOf(execution, recorded)).toBe(expected));
