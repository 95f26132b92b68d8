import { checkPhaseGate } from './conditions';
import { beginEnding } from './ending';
import { openGate, withdrawGate } from './gates';
import { audit, engineActor, type Run } from './run';
import type { PhaseNode } from './plan-index';
import { meetOne } from './readiness';

/**
 * A phase whose steps (but for `async` ones) have settled: its condition, then its approval, then it has passed; what waits for it
 * goes on. A phase without either passes by itself. One behind a barrier cannot pass before it has opened.
 */
export function checkPhase(run: Run, phase: PhaseNode): void {
  const { plan, run: state } = phase;
  if (run.state.ending !== undefined || phase.unsettled > 0 || !phase.open || state.state === 'passed' || state.state === 'failed') return;
  if (run.openGates.has(plan.id)) return;
  if (plan.gate !== undefined && state.overridden !== true) {
    const check = checkPhaseGate(run, phase, plan.gate);
    const text = `${plan.gateText ?? 'gate'}: ${check.explanation.join('; ')}`;
    if (check.value !== true && !plan.optional) {
      setPhase(run, phase, 'gated');
      state.generation += 1;
      return openGate(run, {
        id: plan.id,
        kind: 'phase',
        phase: plan.id,
        generation: state.generation,
        isOverride: true,
        prompt: `Phase ${plan.title ?? plan.id} is held back. Approve (with a reason) to override, reject to end the run.`,
        reason: text,
      });
    }
    audit(run, {
      actor: engineActor,
      action: check.value === true ? 'phase.gate_held' : 'phase.gate_waived',
      object: plan.id,
      reason: check.value === true ? text : `${text}; the phase is optional`,
    });
  }
  if (plan.approval !== undefined && state.approved !== true) {
    setPhase(run, phase, 'gated');
    state.generation += 1;
    return openGate(run, {
      id: plan.id,
      kind: 'phase',
      phase: plan.id,
      generation: state.generation,
      approval: plan.approval,
      prompt: plan.approval.prompt,
    });
  }
  passPhase(run, phase);
}

function passPhase(run: Run, phase: PhaseNode): void {
  phase.run.endedAtMs = run.now;
  setPhase(run, phase, 'passed');
  run.unpassedPhases -= 1;
  for (const node of phase.dependents) meetOne(run, node);
  openPhases(run, phase.index + 1);
}

/** Opens the phases that have nothing unpassed before them, from `from` on. */
function openPhases(run: Run, from: number): void {
  const { phases } = run.index;
  for (let index = from; index < phases.length; index += 1) {
    const phase = phases[index] as PhaseNode;
    if (!phase.open) {
      if (phases.slice(0, index).some((before) => before.run.state !== 'passed')) return;
      phase.open = true;
      for (const node of phase.steps) meetOne(run, node);
    }
    if (phase.unsettled === 0) run.work.phases.add(phase);
    if (phase.plan.barrier && phase.run.state !== 'passed') return;
  }
}

/** Somebody has decided about the phase's gate. */
export function onPhaseDecided(run: Run, phase: PhaseNode): void {
  const gate = run.state.gates[phase.plan.id];
  if (gate === undefined) return;
  if (gate.decision === 'approved') {
    if (gate.isOverride === true) phase.run.overridden = true;
    else phase.run.approved = true;
    run.work.phases.add(phase);
    return;
  }
  setPhase(run, phase, 'failed');
  phase.run.endedAtMs = run.now;
  const reason = `phase ${phase.plan.id} was not approved: ${gate.reason ?? gate.decision ?? ''}`;
  if (run.plan.onFailure === 'continue' || phase.plan.optional) {
    audit(run, { actor: engineActor, action: 'phase.waived', object: phase.plan.id, reason: `${reason}; the run goes on` });
    passPhase(run, phase);
    return;
  }
  beginEnding(run, { kind: 'fail', reason, rollback: run.plan.onFailure === 'rollback' ? 'all' : 'production' });
}

/** Steps of it run again: its gate will be asked again, and what has not started behind it waits. */
export function reopenPhase(run: Run, phase: PhaseNode, reason: string): void {
  withdrawGate(run, phase.plan.id, reason);
  delete phase.run.overridden;
  delete phase.run.approved;
  if (phase.run.state === 'passed') run.unpassedPhases += 1;
  if (phase.run.state === 'passed' || phase.run.state === 'gated') {
    delete phase.run.endedAtMs;
    setPhase(run, phase, 'running');
  }
  for (const later of run.index.phases.slice(phase.index + 1)) if (later.plan.barrier) later.open = false;
}

/**
 * After the plan was changed: a phase that had passed may have got a step (only a label may), and one may have lost what it waited for.
 */
export function judgePhasesAnew(run: Run): void {
  for (const phase of run.index.phases) {
    if (phase.run.state === 'passed' && phase.unsettled > 0) reopenPhase(run, phase, 'it has got another step');
    else if (phase.unsettled === 0) run.work.phases.add(phase);
  }
}

function setPhase(run: Run, phase: PhaseNode, state: PhaseNode['run']['state']): void {
  if (phase.run.state === state) return;
  phase.run.state = state;
  phase.run.startedAtMs ??= run.now;
  run.changes.run = true;
  audit(run, { actor: engineActor, action: `phase.${state === 'running' ? 'reopened' : state}`, object: phase.plan.id });
}
