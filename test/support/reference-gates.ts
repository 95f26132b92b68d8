import type { Answer } from './run-script';
import { answersTo } from './run-script';
import { approversOf, tallyVotes, type Voice } from './reference-rules';
import { isSettled, openGates, type Gate, type Phase, type Step, type World } from './reference-world';

/** The gates of the reference model: who may vote, what counts, what is decided. */

type Spec = Pick<Gate, 'id' | 'kind' | 'isOverride'> & Partial<Pick<Gate, 'step' | 'phase' | 'approval'>>;
type Vote = Pick<Answer, 'by' | 'decision' | 'reason'> & { gate: string };

export function openGate(world: World, spec: Spec): void {
  const { id, step, approval, isOverride } = spec;
  const gate: Gate = { ...spec, generation: step?.generation ?? 0, votes: [], barred: barredOf(world, spec), isCarriedOut: false };
  world.gates.push(gate);
  const opening = world.gates.filter((other) => other.id === id).length;
  for (const { afterMs, ...vote } of answersTo(world.script, id, opening)) {
    const atMs = world.nowMs + afterMs;
    world.agenda.push({ atMs, event: { kind: 'vote', atMs, gate: id, ...vote } });
  }
  // Silence overrides nothing.
  if (approval !== undefined && !isOverride) gate.deadlineMs = world.nowMs + approval.timeoutMs;
  if (isOverride) return;
  const early = world.early.filter((vote) => vote.gate === id);
  world.early = world.early.filter((vote) => vote.gate !== id);
  gate.votes = early.filter((vote) => mayVote(world, gate, vote));
  decideByVotes(world, gate);
}

/** A vote counts for the gate that is open, or is kept for one that is to come; else it changes nothing. */
export function castVote(world: World, vote: Vote): void {
  if (world.ending !== undefined) return;
  const gate = openGates(world).find((one) => one.id === vote.gate);
  if (gate === undefined) return keepVote(world, vote);
  const overridesUnsaid = gate.isOverride && gate.kind !== 'unknown' && vote.decision === 'approve' && vote.reason === undefined;
  if (!mayVote(world, gate, vote) || overridesUnsaid) return;
  gate.votes = [...gate.votes.filter((other) => other.by !== vote.by), vote];
  decideByVotes(world, gate);
}

function keepVote(world: World, vote: Vote): void {
  const planned = findPlanned(world, vote.gate);
  if (planned === undefined || !mayVote(world, { ...planned, barred: barredOf(world, planned) }, vote)) return;
  world.early = [...world.early.filter((other) => other.gate !== vote.gate || other.by !== vote.by), vote];
}

/** The gate that is still to be asked in this generation. */
function findPlanned(world: World, id: string): Spec | undefined {
  const [owner, question] = id.split(':');
  const step = world.steps.find((one) => one.plan.id === owner);
  const phase = world.phases.find((one) => one.plan.id === id);
  const isDecided = (generation: number): boolean =>
    world.gates.some(
      (gate) => gate.id === id && gate.generation === generation && gate.decision !== undefined && gate.decision !== 'withdrawn',
    );
  // Decided at this very moment.
  if (world.gates.some((gate) => gate.id === id && gate.decision !== undefined && !gate.isCarriedOut)) return undefined;
  if (phase?.plan.approval !== undefined && phase.state === 'unfinished') {
    return { id, kind: 'phase', phase, approval: phase.plan.approval, isOverride: false };
  }
  if (step === undefined || isSettled(step) || isDecided(step.generation)) return undefined;
  if (question === undefined && step.plan.approval !== undefined) {
    return { id, kind: 'approval', step, approval: step.plan.approval, isOverride: false };
  }
  const asksStart = question === 'start' && !step.plan.automatic && !step.isStarted;
  return asksStart ? { id, kind: 'start', step, isOverride: false } : undefined;
}

/** `distinct_from`: who started the run, and the agents of the step and of what it depends on. */
function barredOf(world: World, { step, approval }: Spec): string[] {
  const barred = approval?.distinctFrom.includes('initiator') === true ? ['ivo'] : [];
  if (step === undefined || approval?.distinctFrom.includes('author') !== true) return barred;
  const authored = [step.plan.id, ...step.plan.dependsOn.map((dependency) => dependency.step)];
  const works = world.effects.filter((effect) => effect.mode === 'do' && authored.includes(effect.step));
  return [...barred, ...works.map((effect) => effect.agent)];
}

function mayVote(world: World, { approval, barred }: Pick<Gate, 'approval' | 'barred'>, { by }: Voice): boolean {
  const approvers = approversOf(world.script.plan, approval);
  return !barred.includes(by) && (approvers.length === 0 || approvers.includes(by));
}

function decideByVotes(world: World, gate: Gate): void {
  const approvers = approversOf(world.script.plan, gate.approval);
  const voters = approvers.length === 0 ? undefined : approvers.filter((person) => !gate.barred.includes(person)).length;
  const decision = tallyVotes(gate.votes, { quorum: gate.approval?.quorum ?? 1, voters });
  if (decision !== undefined) closeGate(world, gate, decision);
}

export function closeGate(world: World, gate: Gate, decision: NonNullable<Gate['decision']>): void {
  gate.decision = decision;
  if (decision === 'withdrawn') gate.isCarriedOut = true;
  else world.decisions.push(`${world.nowMs} ${gate.id} ${decision}`);
}

/** What is asked is no longer asked. */
export function withdrawGates(world: World, owner?: Step | Phase): void {
  for (const gate of openGates(world, owner)) closeGate(world, gate, 'withdrawn');
}

/** Early votes belong to one generation. */
export function forgetVotes(world: World, owner: Step | Phase): void {
  world.early = world.early.filter((vote) => vote.gate.split(':')[0] !== owner.plan.id);
}

/** Deadlines that have come, by name as timers that fire together do. */
export function expireGates(world: World): void {
  const due = openGates(world).filter((gate) => gate.deadlineMs !== undefined && gate.deadlineMs <= world.nowMs);
  for (const gate of due.sort((a, b) => (a.id < b.id ? -1 : 1))) {
    closeGate(world, gate, gate.approval?.onTimeout === 'approve' ? 'approved' : 'timed_out');
  }
}
