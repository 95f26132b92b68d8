import { CancelledFailure, ApplicationFailure, TerminatedFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import type { VaporaClient } from './connect';
import { outcomeOfFailure, waitForResult } from './run-outcome';

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

test('a wait that was interrupted before it began ends at once', async () => {
  // A connection that notices an abort only during a call: it never answers.
  const never = new Promise<never>(() => undefined);
  const temporal = { workflow: { getHandle: () => ({ result: () => never }) }, connection: { withAbortSignal: () => never } };
  const client = { temporal: () => Promise.resolve(temporal) } as unknown as VaporaClient;
  await expect(waitForResult(client, 'x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'interrupted' });
});
