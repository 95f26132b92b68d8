import type { PlanApproval } from '../plan/types';
import type { StepNode } from './plan-index';
import type { Run } from './run';

const decisionMaker = 'decision-maker';

/** Names → people: a name of a group in `approvers` stands for its members (groups may hold groups), any other for itself. */
export function expandPeople(groups: Record<string, string[]>, names: readonly string[]): string[] {
  const people = new Set<string>();
  const seen = new Set<string>();
  const open = [...names].reverse();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (Object.hasOwn(groups, name)) open.push(...[...(groups[name] ?? [])].reverse());
    else people.add(name);
  }
  return [...people];
}

/** Who may decide: those named, else the people of the step's role, else the decision-makers, else (empty) anyone. */
export function findApprovers(run: Run, approval: PlanApproval | undefined, role: string | undefined): string[] {
  if (approval !== undefined && approval.approvers.length > 0) return expandPeople(run.plan.approvers, approval.approvers);
  const ofRole = run.options.humans.filter((human) => human.role === role);
  const humans = ofRole.length > 0 ? ofRole : run.options.humans.filter((human) => human.role === decisionMaker);
  return humans.map((human) => human.id);
}

/** Whoever may not vote: `author` = the agents of the step itself and of the steps whose work it looks at. */
export function findBarred(run: Run, approval: PlanApproval | undefined, node: StepNode | undefined): string[] {
  const barred = new Set<string>();
  for (const who of approval?.distinctFrom ?? []) {
    if (who === 'initiator') {
      barred.add(run.options.initiator);
      continue;
    }
    if (node === undefined) continue;
    const authors = [node, ...node.plan.dependsOn.map((dependency) => run.index.byId.get(dependency.step))];
    for (const author of authors) for (const entry of author?.run.effects ?? []) if (entry.mode === 'do') barred.add(entry.agent);
  }
  return [...barred];
}
