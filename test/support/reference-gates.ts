import type { Answer } from './run-script';
import { answersTo } from './run-script';
import { passTime, startClock } from './reference-escalation';
import { approversOf, tallyVotes, type Voice } from './reference-rules';
import { isSettled, openGates, type Gate, type Phase, type Step, type World } from './reference-world';

/** The gates of the reference model: who may vote, what counts, what is decided. */

type Spec = Pick<Gate, 'id' | 'kind' | 'isOverride'> & Partial<Pick<Gate, 'step' | 'phase' | 'approval'>>;
type Vote = Pick<Answer, 'by' | 'decision' | 'reason'> & { gate: string };

export function openGate(world: World, spec: Spec): void {
  const { id, step, isOverride } = spec;
  const gate: Gate = {
    ...{ ...spec, generation: step?.generation ?? 0, votes: [], isCarriedOut: false, level: 0 },
    ...{ approvers: whoMayVote(world, spec), barred: barredOf(world, spec) },
  };
  world.gates.push(gate);
  const opening = world.gates.filter((other) => other.id === id).length;
  for (const { afterMs, ...vote } of answersTo(world.script, id, opening)) {
    const atMs = world.nowMs + afterMs;
    world.agenda.push({ atMs, event: { kind: 'vote', atMs, gate: id, ...vote } });
  }
  if (!isOverride) {
    const early = world.early.filter((vote) => vote.gate === id);
    world.early = world.early.filter((vote) => vote.gate !== id);
    gate.votes = early.filter((vote) => mayVote(gate, vote));
    decideByVotes(gate, world);
  }
  if (gate.decision === undefined) startClock(world, gate);
}

function whoMayVote({ script }: World, { approval, step, isOverride }: Spec): string[] {
  // An override without an approval of the step is no matter of the step's role.
  return approversOf(script, approval, isOverride && approval === undefined ? undefined : step?.plan.role);
}

/** A vote counts for the gate that is open, or is kept for one that is to come; else it changes nothing. */
export function castVote(world: World, vote: Vote): void {
  if (world.ending !== undefined) return;
  const gate = openGates(world).find((one) => one.id === vote.gate);
  if (gate === undefined) return keepVote(world, vote);
  const overridesUnsaid = gate.isOverride && gate.kind !== 'unknown' && vote.decision === 'approve' && vote.reason === undefined;
  if (!mayVote(gate, vote) || overridesUnsaid) return;
  gate.votes = [...gate.votes.filter((other) => other.by !== vote.by), vote];
  decideByVotes(gate, world);
}

function keepVote(world: World, vote: Vote): void {
  const planned = findPlanned(world, vote.gate);
  if (planned === undefined || !mayVote({ approvers: whoMayVote(world, planned), barred: barredOf(world, planned) }, vote)) return;
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

function mayVote({ approvers, barred }: Pick<Gate, 'approvers' | 'barred'>, { by }: Voice): boolean {
  return !barred.includes(by) && (approvers.length === 0 || approvers.includes(by));
}

function decideByVotes(gate: Gate, world: World): void {
  const { approvers, barred, votes, approval } = gate;
  const voters = approvers.length === 0 ? undefined : approvers.filter((person) => !barred.includes(person)).length;
  const decision = tallyVotes(votes, { quorum: approval?.quorum ?? 1, voters });
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

/** The time of some gates has run out. */
export function expireGates(world: World): void {
  for (const gate of passTime(world)) closeGate(world, gate, gate.approval?.onTimeout === 'approve' ? 'approved' : 'timed_out');
}
