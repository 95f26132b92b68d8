import type { GateView } from '../../core/contract/views';
import { aGate } from '../../test/support/run-views';
import { decideCommand } from './commands';

const voted = [{ by: 'ana', decision: 'approve' as const, at: '2025-11-09T11:00:00Z', assurance: 'local' as const }];

test.each<[string, Partial<GateView>, string | undefined, string]>([
  ['anyone may vote', {}, 'root', ''],
  ['the user may', { approvers: ['luis', 'ana'] }, 'ana', ''],
  ['others may', { approvers: ['luis', 'ana'] }, 'root', ' --by luis'],
  ['nobody knows the user', { approvers: ['luis', 'ana'] }, undefined, ' --by luis'],
  ['one of them has voted', { approvers: ['ana', 'luis'], quorum: 2, votes: voted }, 'root', ' --by luis'],
  ['the user has voted', { approvers: ['ana', 'luis'], quorum: 2, votes: voted }, 'ana', ' --by luis'],
  ['a name with a blank', { approvers: ['ana maria'] }, 'root', " --by 'ana maria'"],
  ['something is held back', { kind: 'blocked', isOverride: true }, 'root', " --reason 'why'"],
  ['a phase is held back', { kind: 'phase', isOverride: true, approvers: ['ana'] }, 'root', " --by ana --reason 'why'"],
  ['a phase is to be approved', { kind: 'phase', approvers: ['ana'] }, 'root', ' --by ana'],
  ['the user may not', { approvers: ['root', 'ana'], barred: [{ id: 'root', why: 'initiator' }] }, 'root', ' --by ana'],
  ['an outcome is unknown', { kind: 'unknown', isOverride: true }, 'root', ''],
])('approve where %s', (_, gate, user, flags) => {
  expect(decideCommand('approve', 'r1', aGate({ id: 'g', ...gate }), user)).toBe(`vapora workflow approve --id r1 --gate g${flags}`);
});

test('a rejection always says why', () => {
  expect(decideCommand('reject', 'r1', aGate({ id: 'g', approvers: ['ana'] }), 'root')).toBe(
    "vapora workflow reject --id r1 --gate g --by ana --reason 'why'",
  );
});
