import { CancelledFailure, ApplicationFailure, TerminatedFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import { outcomeOfFailure } from './run-outcome';

const reported = {
  schemaVersion: 1,
  id: 'x',
  status: 'rolled_back',
  reason: 'smoke test failed',
  definition: 'd',
  planHash: 'h',
  steps: { failed: 1 },
};

test.each([
  [
    'what the run reports',
    ApplicationFailure.create({ type: 'RunRolledBack', message: 'smoke test failed', details: [reported] }),
    { ...reported, failureType: 'RunRolledBack' },
  ],
  [
    'a cancelled run that reports',
    new CancelledFailure('stop', [{ ...reported, status: 'cancelled' }]),
    { status: 'cancelled', reason: 'smoke test failed' },
  ],
  ["Temporal's own cancel", new CancelledFailure('Workflow cancelled'), { status: 'cancelled', reason: 'Workflow cancelled' }],
  ['terminate', new TerminatedFailure('by an admin'), { status: 'failed', reason: 'terminated through Temporal: by an admin' }],
  [
    'a timeout',
    new TimeoutFailure('Workflow timed out', undefined, TimeoutType.START_TO_CLOSE),
    { status: 'failed', reason: 'Workflow timed out' },
  ],
  [
    'a source that does not compile',
    ApplicationFailure.create({ type: 'InvalidWorkflow', message: 'the workflow file has errors', details: [{ diagnostics: [] }] }),
    { status: 'failed', failureType: 'InvalidWorkflow', details: { diagnostics: [] } },
  ],
  ['nothing at all', undefined, { schemaVersion: 1, id: 'x', status: 'failed' }],
])('%s', (_, cause, expected) => expect(outcomeOfFailure('x', cause)).toMatchObject(expected));
