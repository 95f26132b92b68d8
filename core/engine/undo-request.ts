import type { AssignmentRequest, EffectRef } from '../contract/local-activities';
import { findStep, type Run } from './run';
import type { CompensationEntry } from './run-state';

/** Asks for the agent that did the work, to undo it. */
export function undoRequest(run: Run, entry: CompensationEntry): AssignmentRequest {
  entry.state = 'requested';
  const { plan } = findStep(run, entry.step);
  return {
    ...undoEffect(entry),
    step: entry.step,
    role: plan.role,
    skills: plan.skills,
    taskType: plan.taskType,
    quality: plan.quality,
    ...(plan.environments[0] === undefined ? {} : { environment: plan.environments[0] }),
    agentId: entry.agent.id,
    exclude: [],
    policy: plan.policy ?? run.plan.policy,
  };
}

export function undoEffect(entry: CompensationEntry): EffectRef {
  return { ...entry.effect, mode: 'undo' };
}
