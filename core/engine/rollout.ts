import type { AgentResult, TrafficShare } from '../contract/agent-document';
import type { PlanStep } from '../plan/types';
import { checkSubStep } from './conditions';
import type { StepNode } from './plan-index';
import { mergeSequence } from './results';
import { cancelTimer, realMs, startTimer, type Run } from './run';
import type { RolloutRunState } from './run-state';

/** One durable part of a deployment: an effect of its own, at the path `<step>/<name>`, with its own outcome and its own undo. */
export interface SubStep {
  /** Unique in the step. */
  name: string;
  /** What the agent is told to do, and told again when it is to undo it. */
  action: string;
  share?: TrafficShare;
  /** Before it begins. */
  waitMs?: number;
  /** Its metrics decide whether the deployment goes on. */
  judges?: boolean;
}

const actionsOf = {
  // The idle colour is deployed and checked before it gets the traffic.
  blue_green: ['deploy', 'health_check', 'traffic_switch'],
  rolling: ['deploy', 'health_check'],
  recreate: ['stop', 'deploy', 'health_check'],
  canary: ['deploy'],
};

/** What a deployment does, in order: the step's own `actions`, else those of its strategy; a canary's shares of the traffic after them. */
export function subStepsOf({ deployment, actions }: Pick<PlanStep, 'deployment' | 'actions'>): SubStep[] {
  if (deployment === undefined) return [];
  const parts: SubStep[] = (actions.length > 0 ? actions : actionsOf[deployment.strategy]).map((action) => ({
    name: nameOf(action),
    action,
  }));
  if (deployment.strategy === 'canary') {
    deployment.steps.forEach((percent, index) => {
      const share = { percent, before: deployment.steps[index - 1] ?? 0 };
      parts.push({ name: `traffic_${percent}`, action: 'traffic_shift', share });
      parts.push({ name: `health_check_${percent}`, action: 'health_check', share, waitMs: deployment.waitMs, judges: true });
    });
  }
  return withUniqueNames(parts);
}

const maxNameLength = 60;

/** A part of a path: an action is free text. */
function nameOf(action: string): string {
  return (
    action
      .trim()
      .replace(/[^\p{L}\p{N}_.-]+/gu, '_')
      .slice(0, maxNameLength) || 'action'
  );
}

function withUniqueNames(parts: readonly SubStep[]): SubStep[] {
  const taken = new Set<string>();
  return parts.map((part) => {
    let { name } = part;
    for (let n = 2; taken.has(name); n += 1) name = `${part.name}.${n}`;
    taken.add(name);
    return { ...part, name };
  });
}

/** A deployment that runs as sub-steps. Runs from before there were any do not, nor does one that several agents do side by side. */
export function isRollout(run: Run, { plan }: StepNode): boolean {
  return run.version >= 2 && plan.deployment !== undefined && plan.count === 1;
}

/** The sub-step that is next, or runs. */
export function currentSubStep(run: Run, node: StepNode): { part: SubStep; at: number; of: number } | undefined {
  if (!isRollout(run, node)) return undefined;
  const parts = subStepsOf(node.plan);
  const at = node.run.rollout?.at ?? 0;
  const part = parts[at];
  return part === undefined ? undefined : { part, at, of: parts.length };
}

/** `<step>`, or `<step>/<sub-step>` of a deployment. */
export function pathOf(run: Run, node: StepNode): string {
  const current = currentSubStep(run, node);
  return current === undefined ? node.plan.id : `${node.plan.id}/${current.part.name}`;
}

export type Advanced =
  | { kind: 'next' }
  /** All of it is done. */
  | { kind: 'done'; result: AgentResult }
  | { kind: 'abort'; reason: string };

/** A sub-step has succeeded: whether the deployment goes on. `next`: a slot is wanted, now or after the canary's wait. */
export function advanceRollout(run: Run, node: StepNode, result: AgentResult): Advanced {
  const current = currentSubStep(run, node);
  const rollout: RolloutRunState = (node.run.rollout ??= { at: 0 });
  const [slot] = node.run.slots;
  rollout.result = rollout.result === undefined ? result : mergeSequence(rollout.result, result);
  if (slot?.agent !== undefined) rollout.agentId = slot.agent.id;
  if (current === undefined) return { kind: 'done', result: rollout.result };
  const problem = findProblem(run, node, current.part, result);
  if (problem !== undefined) return { kind: 'abort', reason: `${current.part.name}: ${problem}` };
  if (current.at + 1 >= current.of) return { kind: 'done', result: rollout.result };
  rollout.at += 1;
  const next = currentSubStep(run, node)?.part;
  run.changes.steps.add(node);
  if (next?.waitMs === undefined) wantSubStep(run, node);
  else {
    const atMs = run.now + realMs(run, next.waitMs);
    startTimer(run, waitTimerId(node), { atMs, kind: 'rollout', target: node.plan.id, summary: `${node.plan.id}: ${next.name}` });
  }
  return { kind: 'next' };
}

/** By the same agent, if that can be; who has failed in this step stays excluded. */
export function wantSubStep(run: Run, node: StepNode): void {
  const { agent, excluded = [] } = node.run.slots[0] ?? {};
  node.run.slots = [{ slot: 1, assignment: 1, state: 'wanted', excluded, ...(agent === undefined ? {} : { agent }) }];
  run.wanting.add(node);
}

export function cancelWait(run: Run, node: StepNode): void {
  cancelTimer(run, waitTimerId(node));
}

function waitTimerId(node: StepNode): string {
  return `${node.plan.id}/wait`;
}

/** `abort_if` has to be answered by what judges; `rollback_on` by whatever reports its metrics. */
function findProblem(run: Run, node: StepNode, part: SubStep, result: AgentResult): string | undefined {
  const { deployment, rollbackOn } = node.plan;
  const abortIf = deployment?.strategy === 'canary' && part.judges === true ? deployment.abortIf : undefined;
  for (const condition of [abortIf, rollbackOn]) {
    if (condition === undefined) continue;
    const { value, explanation } = checkSubStep(run, node, condition.condition, result);
    if (value === true) return `${condition.text}: ${explanation.join('; ')}`;
    if (value === 'unknown' && condition === abortIf) return `abort_if ${condition.text} cannot be judged: ${explanation.join('; ')}`;
  }
  return undefined;
}
