import { EngineDriver, type DriverOptions } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft, type StepDraft } from '../../test/support/plan-builder';
import type { Condition } from '../plan/condition';

const run = (approval: StepDraft['approval'], options: DriverOptions = {}, plan: Partial<PlanDraft> = {}): EngineDriver =>
  new EngineDriver(buildPlan({ ...plan, steps: { a: { role: 'architect', approval: approval! }, b: { after: ['a'] } } }), options).run();
const lastAudit = (driver: EngineDriver, action: string) => driver.audit().findLast((entry) => entry.action === action);

const lookAlike = 'a\u200bna ';
test.each<[string, StepDraft['approval'], DriverOptions['engine'], Record<string, string[]>]>([
  ['an approver', { approvers: [lookAlike] }, {}, {}],
  ['a member of a group', { approvers: ['leads'] }, {}, { leads: [lookAlike] }],
  ['a group', { approvers: ['leads\u200d'] }, {}, { '\ufeffleads': ['ana'] }],
  ['a person of the registry', true, { humans: [{ id: lookAlike, role: 'architect' }] }, {}],
])('%s written with what cannot be seen is who the name shows', (_, approval, engine = {}, approvers) => {
  const driver = run(approval, { engine }, { approvers });
  expect(driver.state.gates['a']?.approvers).toEqual(['ana']);
  expect(driver.vote('a', 'approve', 'ana').finished).toEqual({ status: 'completed' });
});

test('nor does it get an initiator past distinct_from', () => {
  const driver = run({ distinctFrom: ['initiator'] }, { engine: { initiator: lookAlike } }).vote('a', 'approve', 'ana');
  expect(driver.stateOf('a')).toBe('waiting_approval');
});

test('an approver whose name shows nothing is nobody, not anybody', () => {
  const driver = run({ approvers: ['\u200b'] }).vote('a', 'approve', 'mallory');
  expect(driver.stateOf('a')).toBe('waiting_approval');
});

test.each([
  ['nobody knows the gate', 'nope', 'ana', undefined, 'no_such_gate'],
  ['it is decided', 'a', 'ana', undefined, 'already_decided'],
  ['somebody else decides', 'b', 'mallory', undefined, 'not_approver'],
  ['it overrides without a reason', 'c:blocked', 'ana', undefined, 'reason_needed'],
  ['it is the same again', 'b', 'bob', undefined, 'repeated'],
])('a vote is refused with a code where %s', (_, gate, by, reason, code) => {
  const held: Condition = { op: 'metric', name: 'ok' };
  const approval = { approvers: ['ana', 'bob', 'eva'], quorum: 2 };
  const driver = new EngineDriver(buildPlan({ steps: { a: { approval: true }, b: { approval }, c: { gate: held } } })).run();
  driver.vote('a', 'approve').vote('b', 'approve', 'bob').vote(gate, 'approve', by, reason);
  expect(lastAudit(driver, 'vote.ignored')).toMatchObject({ details: { code } });
});
