import { judgeVoter } from '../core/engine/votes';
import { hintOfRefusal } from './control-run';

const vote = { gate: 'deploy', by: 'root', decision: 'approve' as const, atMs: 0, via: 'update' as const, assurance: 'local' as const };

test('a refused vote says which flag to give', () => {
  const outsider = judgeVoter({ approvers: ['ana', 'luis'], barred: [] }, vote) ?? '';
  const barred = judgeVoter({ approvers: [], barred: ['root'] }, vote) ?? '';
  expect(hintOfRefusal(outsider, 'r1')).toContain('--by NAME');
  expect(hintOfRefusal(barred, 'r1')).toContain('--by NAME');
  expect(hintOfRefusal('test:blocked holds something back: approving it overrides that, which needs a reason', 'r1')).toContain('--reason');
  expect(hintOfRefusal('deploy is already decided: approved', 'r1')).toContain('vapora workflow status --id r1');
});
