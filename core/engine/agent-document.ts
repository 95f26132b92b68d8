import type { AgentDocument, AgentInputValue, AgentResult } from '../contract/agent-document';
import type { EffectRef, RunRef } from '../contract/local-activities';
import { idempotencyKeyOf, partsOfPath } from '../contract/ids';
import type { RunState } from './run-state';
import type { Decision } from './types';
import { subStepsOf } from './rollout';
import type { Plan, PlanStep } from '../plan/types';

export interface DocumentContext {
  plan: Plan;
  planHash: string;
  run: RunRef;
  initiator: string;
  inputs: Record<string, unknown>;
  state: RunState;
}

type Launch = Extract<Decision, { type: 'launch' }>;

/** The one JSON document that the agent of this launch gets. `attempt` and `workspace` are filled by the activity. */
export function buildAgentDocument(context: DocumentContext, step: PlanStep, launch: Launch): AgentDocument {
  const { plan, planHash, run, initiator } = context;
  const { effect, agent } = launch;
  const environment = step.environments[0];
  const parts = subStepsOf(step);
  const { subStep } = partsOfPath(effect.path);
  // What a deployment promised is there when all of it is done.
  const isLastPart = subStep === undefined || launch.sample !== undefined || parts.at(-1)?.name === subStep;
  const document: AgentDocument = {
    schemaVersion: 1,
    run: { id: run.workflowId, definition: plan.id, planHash, initiator },
    step: {
      id: step.id,
      ...(step.title !== undefined && { title: step.title }),
      role: step.role,
      taskType: step.taskType,
      phase: step.phase,
      quality: step.quality,
      ...(environment !== undefined && { environment }),
    },
    agent: { id: agent.id, role: agent.role, skills: agent.skills },
    generation: effect.generation,
    attempt: 1,
    idempotencyKey: idempotencyKeyOf({ rootRunId: run.rootRunId, ...effect }),
    mode: effect.mode,
    tasks: step.tasks,
    actions: subStep === undefined || launch.sample ? step.actions : parts.map(({ action }) => action),
    outputs: effect.mode === 'do' && !launch.sample && isLastPart ? step.outputs : [],
    inputs: collectInputs(context, step),
  };
  if (launch.action !== undefined) document.action = launch.action;
  if (launch.share !== undefined) document.share = launch.share;
  if (step.with !== undefined) document.with = step.with;
  if (step.count > 1) document.slot = { index: effect.slot - 1, count: step.count };
  if (launch.sample) document.sample = launch.sample;
  const comments = context.state.steps[step.id]?.comments;
  if (comments !== undefined && comments.length > 0) document.comments = comments;
  if (effect.mode === 'undo') document.undo = forwardResultOf(context.state, effect);
  return document;
}

function collectInputs(context: DocumentContext, step: PlanStep): Record<string, AgentInputValue> {
  const values: Record<string, AgentInputValue> = {};
  for (const { name, from, output } of step.inputs) {
    const edited = context.state.steps[step.id]?.inputs;
    values[name] =
      (edited !== undefined && Object.hasOwn(edited, name) ? givenValue(edited, name) : undefined) ??
      (from === undefined ? undefined : producedValue(context.state, from, output ?? name)) ??
      givenValue(context.inputs, name);
  }
  return values;
}

function producedValue(state: RunState, from: string, output: string): AgentInputValue | undefined {
  const outputs = state.steps[from]?.result?.outputs;
  if (!outputs || !Object.hasOwn(outputs, output)) return undefined;
  const value = outputs[output];
  if (typeof value === 'string') return { text: value };
  // A path is of the producer's workspace; the activity has turned it into an artifact by now.
  return value && 'artifact' in value ? { artifact: value.artifact } : undefined;
}

function givenValue(inputs: Record<string, unknown>, name: string): AgentInputValue {
  if (!Object.hasOwn(inputs, name)) return { absent: true };
  const value = inputs[name];
  return typeof value === 'string' ? { text: value } : { json: value };
}

function forwardResultOf(state: RunState, effect: EffectRef): { result?: AgentResult } {
  const forward = state.compensations.find(
    (entry) =>
      entry.effect.path === effect.path &&
      entry.effect.generation === effect.generation &&
      entry.effect.slot === effect.slot &&
      entry.effect.assignment === effect.assignment,
  );
  return forward?.result ? { result: forward.result } : {};
}
