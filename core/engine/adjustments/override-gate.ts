import { castVote } from '../gates';
import type { Run } from '../run';
import type { Vote } from '../run-state';
import { judgeVote } from '../votes';
import { accept, refuse, type Asked, type Judged } from './judged';

export function overrideGate(run: Run, asked: string, { by, reason, via }: Asked): Judged {
  const candidates = [asked, `${asked}:blocked`];
  const id = candidates.find((one) => run.state.gates[one]?.state === 'open' && run.state.gates[one].isOverride === true);
  if (id === undefined || run.state.gates[id]?.kind === 'unknown') {
    const open = candidates.find((one) => run.openGates.has(one));
    if (open !== undefined)
      return refuse('does_not_apply', `${open} holds back nothing that could be overridden: it asks for a decision, approve or reject it`);
    if (!run.index.byId.has(asked) && !run.index.phaseById.has(asked) && run.state.gates[asked] === undefined)
      return refuse('no_such_gate', `there is no step, phase or gate ${asked}`);
    const isDeferred = run.index.byId.get(asked)?.run.state === 'deferred';
    return refuse(
      'does_not_apply',
      isDeferred ? `${asked} is deferred: retry_step runs it now, skip_step goes on without it` : `nothing holds ${asked} back`,
    );
  }
  const vote: Vote = {
    gate: id,
    by: by.id,
    decision: 'approve',
    ...(reason === undefined ? {} : { reason }),
    atMs: run.now,
    assurance: by.assurance ?? 'local',
    ...(by.key === undefined ? {} : { key: by.key }),
    via,
  };
  const judged = judgeVote(run, vote);
  if (!judged.ok) return judged;
  return accept(() => {
    castVote(run, vote);
    const step = run.state.gates[id]?.step;
    return {
      message: judged.decided ? `${id} is overridden` : `the vote is counted; ${id} needs more`,
      steps: step === undefined ? [] : [step],
    };
  });
}
