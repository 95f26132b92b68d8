import type { DecideReply, Refusal, RefusalCode } from '../contract/messages';
import type { BarredPerson } from '../contract/views';
import type { PlanApproval } from '../plan/types';
import { findApprovers, findBarred } from './approvers';
import type { Run } from './run';
import { isSettled } from './transitions';
import type { GateRunState, Vote } from './run-state';

/** A gate as the plan knows it, before or when it opens. */
export interface GateSpec {
  id: string;
  kind: GateRunState['kind'];
  step?: string;
  phase?: string;
  generation: number;
  approval?: PlanApproval | undefined;
  isOverride?: boolean;
  prompt?: string | undefined;
  reason?: string | undefined;
}

/** Who votes when everything is approved automatically. */
export const automaticVoter = 'auto';
export type Judgement = { ok: true; effect: DecideReply['effect']; decided: boolean; spec: GateSpec } | ({ ok: false } & Refusal);

/** What a vote would do now. Changes nothing. */
export function judgeVote(run: Run, vote: Vote): Judgement {
  if (run.state.endedAtMs !== undefined) return refuse('run_ended', `the run has ended: ${run.state.status}`);
  if (run.state.ending !== undefined) return refuse('run_ending', `the run is ending: ${run.state.ending.reason}`);
  const gate = run.state.gates[vote.gate];
  if (gate?.state === 'open') return judgeOpen(gate, vote);
  const spec = plannedGate(run, vote.gate);
  if (spec === undefined) {
    return gate === undefined ? refuse('no_such_gate', `there is no gate ${vote.gate} now`) : refuseDecided(gate);
  }
  // What was withdrawn and is still to come will be asked anew.
  const isDecided = gate?.state === 'decided' && gate.decision !== 'withdrawn';
  if (isDecided && (gate.ofGeneration ?? gate.generation) >= spec.generation) return refuseDecided(gate);
  const node = spec.step === undefined ? undefined : run.index.byId.get(spec.step);
  const known = gate?.state === 'pending' && gate.generation >= spec.generation ? gate.votes : [];
  const refusal = judgeVoter(
    { approvers: findApprovers(run, spec.approval, node?.plan.role), barred: findBarred(run, spec.approval, node) },
    vote,
  );
  if (refusal !== undefined) return { ok: false, ...refusal };
  const before = lastVote(known, vote);
  return { ok: true, effect: before === vote.decision ? 'repeated' : 'early', decided: false, spec };
}

/** A gate that the plan will open, or undefined where it cannot open (any more). */
export function plannedGate(run: Run, id: string): GateSpec | undefined {
  const node = run.index.byId.get(id);
  if (node?.plan.approval !== undefined && !isSettled(node.run.state))
    return approvalGate(node.plan.id, node.run.generation, node.plan.approval);
  const phase = run.index.phaseById.get(id);
  if (phase?.plan.approval !== undefined && phase.run.state !== 'passed' && phase.run.state !== 'failed') {
    // Its condition was overridden while phases before it run again: its approval is still to be asked for.
    const isOverridden = phase.run.overridden === true && run.state.gates[id]?.isOverride === true;
    return {
      id,
      kind: 'phase',
      phase: id,
      generation: phase.run.generation + (phase.run.state === 'gated' && !isOverridden ? 0 : 1),
      approval: phase.plan.approval,
    };
  }
  const started = id.endsWith(':start') ? run.index.byId.get(id.slice(0, -':start'.length)) : undefined;
  if (started !== undefined && !started.plan.automatic && started.run.startGiven !== true && !isSettled(started.run.state))
    return { id, kind: 'start', step: started.plan.id, generation: started.run.generation };
  return undefined;
}

/** Of a gate as it is asked for now, or will be next; undefined where it is not (any more). */
export function generationOf(run: Run, id: string): number | undefined {
  const gate = run.state.gates[id];
  return gate?.state === 'open' ? gate.generation : plannedGate(run, id)?.generation;
}

export function approvalGate(step: string, generation: number, approval: PlanApproval): GateSpec {
  return { id: step, kind: 'approval', step, generation, approval, prompt: approval.prompt };
}

function judgeOpen(gate: GateRunState, vote: Vote): Judgement {
  const spec: GateSpec = { id: gate.id, kind: gate.kind, generation: gate.generation };
  if (vote.via !== 'auto') {
    const refusal = judgeVoter(gate, vote);
    if (refusal !== undefined) return { ok: false, ...refusal };
    if (gate.isOverride === true && gate.kind !== 'unknown' && vote.decision === 'approve' && (vote.reason ?? '').trim() === '') {
      return refuse('reason_needed', `${gate.id} holds something back: approving it overrides that, which needs a reason`);
    }
  }
  const before = lastVote(gate.votes, vote);
  if (before === vote.decision) return { ok: true, effect: 'repeated', decided: false, spec };
  const after = [...gate.votes.filter((other) => other.by !== vote.by), vote];
  return { ok: true, effect: before === undefined ? 'counted' : 'changed', decided: tally(gate, after) !== undefined, spec };
}

/** Why somebody may not vote; undefined when they may. */
export function judgeVoter(gate: { approvers: readonly string[]; barred: readonly BarredPerson[] }, vote: Vote): Refusal | undefined {
  const bar = gate.barred.find(({ id }) => id === vote.by);
  if (bar !== undefined) {
    return { code: 'barred', reason: `${vote.by} may not decide about ${vote.gate}: distinct_from ${bar.why}` };
  }
  if (gate.approvers.length > 0 && !gate.approvers.includes(vote.by)) {
    return { code: 'not_approver', reason: `${vote.by} is not an approver of ${vote.gate} (${gate.approvers.join(', ')})` };
  }
  return undefined;
}

/**
 * Approved by `quorum` people. Rejected by one, unless the quorum asks for several: then as soon as it can no longer be reached
 * (where anyone may vote: by as many rejections as it takes approvals).
 */
export function tally(gate: GateRunState, votes: readonly Vote[]): 'approved' | 'rejected' | undefined {
  const last = new Map(votes.map((vote) => [vote.by, vote]));
  if (last.get(automaticVoter)?.via === 'auto') return 'approved';
  let approvals = 0;
  let rejections = 0;
  for (const vote of last.values()) {
    if (vote.decision === 'approve') approvals += 1;
    else rejections += 1;
  }
  if (approvals >= gate.quorum) return 'approved';
  const voters = gate.approvers.filter((person) => !gate.barred.some(({ id }) => id === person)).length;
  const needed = gate.quorum === 1 ? 1 : gate.approvers.length === 0 ? gate.quorum : voters - gate.quorum + 1;
  return rejections >= Math.max(1, needed) ? 'rejected' : undefined;
}

function lastVote(votes: readonly Vote[], vote: Vote): Vote['decision'] | undefined {
  return votes.findLast((other) => other.by === vote.by)?.decision;
}

function refuseDecided({ id, decision = 'withdrawn' }: GateRunState): Judgement {
  return refuse('already_decided', `${id} is already decided: ${decision}`);
}

function refuse(code: RefusalCode, reason: string): Judgement {
  return { ok: false, code, reason };
}
