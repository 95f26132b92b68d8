import type { Actor } from '../contract/local-activities';
import type { RefusalCode } from '../contract/messages';
import { findApprovers, findBarred } from './approvers';
import {
  approvalOf,
  cancelGateTimers,
  escalateGate,
  escalateOverride,
  nextLevel,
  startGateTimers,
  startLevelTimer,
  timerActor,
  touchGate,
} from './gate-timers';
import { audit, engineActor, type Run } from './run';
import type { GateRunState, Vote } from './run-state';
import { automaticVoter, judgeVote, judgeVoter, tally, type GateSpec, type Judgement } from './votes';

/** Opens the gate, counts the votes that came early, and starts its deadline. */
export function openGate(run: Run, spec: GateSpec): void {
  const gate = takeGate(run, spec);
  const node = spec.step === undefined ? undefined : run.index.byId.get(spec.step);
  const early = gate.votes;
  gate.state = 'open';
  gate.votes = [];
  gate.openedAtMs = run.now;
  gate.barred = findBarred(run, spec.approval, node);
  if (spec.reason !== undefined) gate.reason = spec.reason;
  run.openGates.add(gate.id);
  touchGate(run, gate);
  audit(run, {
    actor: engineActor,
    action: 'gate.opened',
    object: gate.id,
    generation: gate.generation,
    ...(spec.reason === undefined ? {} : { reason: spec.reason }),
    details: { approvers: gate.approvers, quorum: gate.quorum },
  });
  countEarlyVotes(run, gate, early);
  if (!run.openGates.has(gate.id)) return;
  if (run.options.autoApprove && gate.isOverride !== true) {
    castVote(run, {
      gate: gate.id,
      by: automaticVoter,
      decision: 'approve',
      reason: 'approved automatically',
      atMs: run.now,
      assurance: 'local',
      via: 'auto',
    });
  } else {
    startGateTimers(run, gate, spec.approval);
  }
}

/** They were recorded when they came; who may not vote now (an author is known only after the work) is said so. */
function countEarlyVotes(run: Run, gate: GateRunState, early: readonly Vote[]): void {
  for (const vote of early) {
    const refusal = judgeVoter(gate, vote);
    if (refusal === undefined) {
      gate.votes.push(vote);
      continue;
    }
    audit(run, {
      actor: voterActor(vote),
      action: 'vote.ignored',
      object: gate.id,
      generation: gate.generation,
      outcome: vote.decision,
      reason: refusal.reason,
      details: { code: refusal.code },
    });
    recordVote(run, gate, vote, false);
  }
  const decision = tally(gate, gate.votes);
  const last = gate.votes.at(-1);
  if (decision !== undefined && last !== undefined) closeGate(run, gate, decision, { actor: voterActor(last), reason: last.reason });
}

function voterActor({ by, via, assurance, key }: Vote): Actor {
  return { kind: via === 'auto' ? 'engine' : 'person', id: by, assurance, ...(key !== undefined && { key }) };
}

/** What is asked is no longer asked: the run ends, or the step runs again. */
export function withdrawGate(run: Run, id: string, reason: string): void {
  const gate = run.state.gates[id];
  if (gate === undefined) return;
  delete gate.kept;
  if (gate.state === 'decided') return;
  closeGate(run, gate, 'withdrawn', { actor: engineActor, reason });
}

/** Counts a vote, or says in the audit why it does not count. Gives what it did. */
export function castVote(run: Run, vote: Vote): Judgement {
  const judged = judgeVote(run, vote);
  const gate = run.state.gates[vote.gate];
  const actor = voterActor(vote);
  if (!judged.ok || judged.effect === 'repeated') {
    ignoreVote(run, vote, judged.ok ? { code: 'repeated', reason: 'the same vote again' } : judged);
    return judged;
  }
  const kept = judged.effect === 'early' ? takeGate(run, judged.spec) : (gate as GateRunState);
  kept.votes = [...kept.votes.filter((other) => other.by !== vote.by), vote];
  recordVote(run, kept, vote, true);
  touchGate(run, kept);
  audit(run, {
    actor,
    action: judged.effect === 'early' ? 'vote.kept' : judged.effect === 'changed' ? 'vote.changed' : 'vote.cast',
    object: vote.gate,
    generation: kept.generation,
    outcome: vote.decision,
    ...(vote.reason === undefined ? {} : { reason: vote.reason }),
  });
  if (kept.state !== 'open') return judged;
  const decision = tally(kept, kept.votes);
  if (decision !== undefined) closeGate(run, kept, decision, { actor, reason: vote.reason });
  return judged;
}

/** Says in the audit why a vote does not count. */
export function ignoreVote(run: Run, vote: Vote, why: { code: RefusalCode | 'repeated'; reason: string }): void {
  const gate = run.state.gates[vote.gate];
  run.changes.urgent = true;
  audit(run, {
    actor: voterActor(vote),
    action: 'vote.ignored',
    object: vote.gate,
    outcome: vote.decision,
    reason: why.reason,
    details: { code: why.code, said: vote.reason ?? null },
  });
  if (gate !== undefined) recordVote(run, gate, vote, false);
}

/** The deadline or the reminder of an open gate. */
export function onGateTimer(run: Run, id: string, kind: 'gateDeadline' | 'gateReminder'): void {
  const gate = run.state.gates[id];
  if (gate?.state !== 'open') return;
  if (kind === 'gateReminder') {
    if (gate.isOverride === true && escalateOverride(run, gate, { actor: timerActor(id), reason: 'nobody has decided in time' })) return;
    run.changes.urgent = true;
    audit(run, {
      actor: timerActor(id),
      action: 'gate.reminded',
      object: id,
      generation: gate.generation,
      reason: 'nobody has decided yet',
    });
    return;
  }
  const approval = approvalOf(run, gate);
  const onTimeout = approval?.onTimeout ?? 'reject';
  const level = nextLevel(run, gate);
  if (onTimeout === 'escalate' && level !== undefined) {
    escalateGate(run, gate, { ...level, actor: timerActor(id), reason: 'nobody has decided in time' });
    startLevelTimer(run, gate, level);
    return;
  }
  const reason = `nobody decided in time (on_timeout: ${onTimeout})`;
  closeGate(run, gate, onTimeout === 'approve' ? 'approved' : 'timed_out', { actor: timerActor(id), reason });
}

function takeGate(run: Run, spec: GateSpec): GateRunState {
  const present = run.state.gates[spec.id];
  const isEarly = present?.state === 'pending' && present.generation >= spec.generation;
  if (isEarly && spec.isOverride !== true) return present;
  // Early votes approve a result; they do not override a condition. They wait until the approval itself is asked for.
  const kept = isEarly ? present.votes : spec.isOverride === true ? undefined : present?.kept;
  const role = spec.step === undefined ? undefined : run.index.byId.get(spec.step)?.plan.role;
  const gate: GateRunState = {
    id: spec.id,
    kind: spec.kind,
    ...(spec.step === undefined ? {} : { step: spec.step }),
    ...(spec.phase === undefined ? {} : { phase: spec.phase }),
    // One row per gate and generation: asking again within one generation of the step (blocked twice) counts on.
    generation: Math.max(spec.generation, (present?.generation ?? 0) + 1),
    ofGeneration: spec.generation,
    state: 'pending',
    approvers: findApprovers(run, spec.approval, spec.isOverride === true && spec.approval === undefined ? undefined : role),
    quorum: spec.approval?.quorum ?? 1,
    votes: spec.isOverride === true ? [] : (kept ?? []),
    ...(spec.isOverride === true && kept !== undefined ? { kept } : {}),
    level: 0,
    barred: [],
    ...(spec.isOverride === true ? { isOverride: true } : {}),
    ...(spec.prompt === undefined ? {} : { prompt: spec.prompt }),
  };
  run.state.gates[spec.id] = gate;
  return gate;
}

function closeGate(
  run: Run,
  gate: GateRunState,
  decision: NonNullable<GateRunState['decision']>,
  by: { actor: Actor; reason: string | undefined },
): void {
  gate.state = 'decided';
  gate.decision = decision;
  gate.decidedAtMs = run.now;
  if (by.reason !== undefined) gate.reason = by.reason;
  run.openGates.delete(gate.id);
  cancelGateTimers(run, gate);
  touchGate(run, gate);
  audit(run, {
    actor: by.actor,
    action: gate.isOverride === true && decision === 'approved' && gate.kind !== 'unknown' ? 'gate.overridden' : `gate.${decision}`,
    object: gate.id,
    generation: gate.generation,
    ...(by.reason === undefined ? {} : { reason: by.reason }),
    details: { votes: gate.votes.map((vote) => ({ by: vote.by, decision: vote.decision })) },
  });
  if (decision !== 'withdrawn') run.work.gates.push(gate.id);
}

function recordVote(run: Run, gate: GateRunState, vote: Vote, counted: boolean): void {
  run.changes.urgent = true;
  run.changes.votes.push({
    gate: gate.id,
    generation: gate.generation,
    by: vote.by,
    decision: vote.decision,
    ...(vote.reason === undefined ? {} : { reason: vote.reason }),
    atMs: vote.atMs,
    assurance: vote.assurance,
    counted,
  });
}
