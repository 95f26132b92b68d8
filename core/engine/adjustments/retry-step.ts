import { agentKeyOf, findDescendants, type StepNode } from '../plan-index';
import { dependencyHolds } from '../readiness';
import { runAgain } from '../rework';
import type { Run } from '../run';
import { isSettled } from '../transitions';
import { accept, findOneStep, list, refuse, type Asked, type Judged } from './judged';

export function retryStep(
  run: Run,
  { step: id, agent, inputs }: { step: string; agent?: string; inputs?: Record<string, unknown> },
  { by, reason }: Asked,
): Judged {
  const found = findOneStep(run, id);
  if (!found.ok) return found;
  const { node } = found;
  const { plan, run: step } = node;
  const refusal = whyNotRetried(run, node);
  if (refusal !== undefined) return refuse('does_not_apply', refusal);
  const { agentIds } = run.options;
  if (agent !== undefined && agentIds !== undefined && ![...agentIds, ...(run.state.addedAgents ?? [])].includes(agent))
    return refuse('no_such_agent', `${agent} is not among the agents of this run: ${list(agentIds)}`);
  const unknown = Object.keys(inputs ?? {}).filter((name) => !plan.inputs.some((input) => input.name === name));
  if (unknown.length > 0) {
    const known = plan.inputs.map(({ name }) => name);
    return refuse('does_not_apply', `${id} has no input ${list(unknown)}: ${known.length === 0 ? 'it has none' : `it has ${list(known)}`}`);
  }
  return accept(() => {
    const why = `tried again by ${by.id}${reason === undefined ? '' : `: ${reason}`}`;
    if (reason !== undefined) step.comments = [...(step.comments ?? []), { from: by.id, text: reason, generation: step.generation }];
    if (agent === undefined) delete step.agentId;
    else step.agentId = agent;
    if (inputs !== undefined) step.inputs = { ...step.inputs, ...inputs };
    node.agentKey = agentKeyOf(plan, step.agentId);
    const affected = findDescendants([node]);
    const again = [...affected].filter((other) => other.run.state !== 'pending').map((other) => other.plan.id);
    runAgain(run, [node], { affected, cause: 'retry', reason: why, actor: by });
    const others = again.length === 0 ? '' : `, and after it ${list(again)}`;
    return {
      message: `${id} runs again as generation ${step.generation}${agent === undefined ? '' : ` by ${agent}`}${others}`,
      steps: [id, ...again],
    };
  });
}

const retried = new Set(['failed', 'blocked', 'deferred', 'waiting_approval', 'skipped']);

function whyNotRetried(run: Run, node: StepNode): string | undefined {
  const { plan, run: step } = node;
  const { id } = plan;
  if (!retried.has(step.state)) return `${id} is ${step.state}: only what failed, was skipped or is held can be tried again`;
  const broken = plan.dependsOn.find((one) => isSettled(run.index.byId.get(one.step)?.run.state ?? 'passed') && !dependencyHolds(run, one));
  if (broken !== undefined) return `${id} was skipped because of ${broken.step}: retry that one`;
  if (plan.dependsOn.some((one) => !isSettled(run.index.byId.get(one.step)?.run.state ?? 'passed')))
    return `what ${id} depends on runs again already`;
  const acted = [...findDescendants([node])].find((other) => (other.plan.deploys || other.plan.merges) && other.run.slots.length > 0);
  return acted === undefined ? undefined : `${acted.plan.id} has been started after it, and would be done twice`;
}
