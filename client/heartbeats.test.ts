import { defaultPayloadConverter } from '@temporalio/common';
import type { RunStatusView, StepView } from '../core/contract/views';
import { addHeartbeats, type PendingActivity } from './heartbeats';

function aView(...ids: string[]): RunStatusView {
  const steps = ids.map((id): StepView => ({
    id,
    phase: 'p',
    state: 'running',
    generation: 1,
    agent: 'a',
    role: 'r',
    progress: null,
    reason: null,
    waitsFor: [],
    estimateMs: null,
  }));
  return { steps } as unknown as RunStatusView;
}

const beat = (activityId: string, details: unknown, more: Partial<PendingActivity> = {}): PendingActivity => ({
  activityId,
  heartbeatDetails: { payloads: [defaultPayloadConverter.toPayload(details)] },
  ...more,
});

function check(activities: PendingActivity[], expected: [number | null, string?][]): void {
  const view = addHeartbeats(aView('build', 'test'), activities);
  expect(view.steps.map(({ progress, message }) => (message === undefined ? [progress] : [progress, message]))).toEqual(expected);
}

test('progress and message of a running step', () => {
  check([beat('build#1', { progress: 0.4, message: 'compiling' })], [[0.4, 'compiling'], [null]]);
});

test('several agents on one step: their mean', () => {
  check([beat('build#1', { progress: 0.5 }), beat('build#1.2', { progress: 1 }), beat('test#2.1.2', { progress: 0.25 })], [[0.75], [0.25]]);
});

test('what counts for no step as a whole', () => {
  check(
    [
      beat('build/deploy#1', { progress: 0.5 }),
      beat('build#1!undo', { progress: 0.5 }),
      beat('other#1', { progress: 0.5 }),
      { activityId: null },
    ],
    [[null], [null]],
  );
});

test('a foreign worker beats with anything', () => {
  check([beat('build#1', 'half'), beat('test#1', { progress: 'NaN', message: 7 })], [[null], [null]]);
  check(
    [
      beat('build#1', { progress: 17 }),
      { activityId: 'test#1', heartbeatDetails: { payloads: [{ metadata: {}, data: new Uint8Array([1]) }] } },
    ],
    [[1], [null]],
  );
});

test('an attempt after a failed one says so where the agent says nothing', () => {
  check(
    [{ activityId: 'build#1', attempt: 2, lastFailure: { message: 'exit code 1' } }],
    [[null, 'attempt 2, the last one failed: exit code 1'], [null]],
  );
});
