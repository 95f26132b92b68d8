import { aGate, aRun, aStep } from '../../test/support/run-views';
import { describeChanges } from './changes';
import { plainOptions } from './style';

const options = { ...plainOptions, nowMs: new Date(2025, 10, 9, 12, 3, 4).getTime() };

test('the first look tells the status and what has begun, not what is still pending', () => {
  const view = aRun({ phase: 'planning', steps: [aStep({ id: 'a', state: 'running', agent: 'x' }), aStep({ id: 'b' })] });
  expect(describeChanges(undefined, view, options)).toEqual([
    '12:03:04 feature-auth-mfa in_progress (planning, 0%)',
    '12:03:04 a running by x',
  ]);
});

test('later looks tell only what changed', () => {
  const before = aRun({
    steps: [aStep({ id: 'a', state: 'running', agent: 'x' })],
    gates: [aGate({ id: 'g' }), aGate({ id: 'h', state: 'pending' })],
  });
  const after = aRun({
    steps: [aStep({ id: 'a', state: 'reworking', agent: 'x', generation: 2, reason: 'changes requested' })],
    gates: [aGate({ id: 'g', state: 'decided', decision: 'approved' }), aGate({ id: 'h' })],
    alerts: [{ step: 'm', name: 'cpu', severity: 'warning', message: 'cpu high', state: 'raised', at: '2025-11-09T11:00:00Z' }],
  });
  expect(describeChanges(before, after, options)).toEqual([
    '12:03:04 a reworking (round 2) by x: changes requested',
    '12:03:04 gate g approved',
    '12:03:04 gate h waits: vapora workflow approve --id feature-auth-mfa --gate h',
    '12:03:04 alert raised: m cpu high',
  ]);
  expect(describeChanges(after, after, options)).toEqual([]);
});
