import { personName } from '../contract/person-name';
import type { BarredPerson } from '../contract/views';
import type { PlanApproval } from '../plan/types';
import type { StepNode } from './plan-index';
import type { Run } from './run';

const decisionMaker = 'decision-maker';

/** Names → people: a name of a group in `approvers` stands for its members (groups may hold groups), any other for itself. */
export function expandPeople(groups: Record<string, string[]>, names: readonly string[]): string[] {
  const members = new Map(Object.entries(groups).map(([group, people]) => [writtenName(group), people]));
  const people = new Set<string>();
  const seen = new Set<string>();
  const open = [...names].reverse();
  for (let written = open.pop(); written !== undefined; written = open.pop()) {
    const name = writtenName(written);
    if (seen.has(name)) continue;
    seen.add(name);
    const group = members.get(name);
    if (group === undefined) people.add(name);
    else open.push(...[...group].reverse());
  }
  return [...people];
}

/** A name that shows nothing stays what it is: nobody can vote under it, and it must not come to mean that anyone may. */
export function writtenName(written: string): string {
  return personName(written) || written;
}

/** Who may decide: those named, else the people of the step's role, else the decision-makers, else (empty) anyone. */
export function findApprovers(run: Run, approval: PlanApproval | undefined, role: string | undefined): string[] {
  if (approval !== undefined && approval.approvers.length > 0) return expandPeople(run.plan.approvers, approval.approvers);
  const ofRole = run.options.humans.filter((human) => human.role === role);
  return ofRole.length > 0 ? ofRole.map((human) => writtenName(human.id)) : findDecisionMakers(run);
}

export function findDecisionMakers(run: Run): string[] {
  return run.options.humans.filter((human) => human.role === decisionMaker).map((human) => writtenName(human.id));
}

/** Whoever may not vote: `author` = the agents of the step itself and of the steps whose work it looks at. */
export function findBarred(run: Run, approval: PlanApproval | undefined, node: StepNode | undefined): BarredPerson[] {
  const barred = new Map<string, BarredPerson['why']>();
  const bar = (written: string, why: BarredPerson['why']): void => {
    const id = writtenName(written);
    if (!barred.has(id)) barred.set(id, why);
  };
  for (const who of approval?.distinctFrom ?? []) {
    if (who === 'initiator') {
      bar(run.options.initiator, 'initiator');
      continue;
    }
    if (node === undefined) continue;
    const authors = [node, ...node.plan.dependsOn.map((dependency) => run.index.byId.get(dependency.step))];
    for (const author of authors) for (const entry of author?.run.effects ?? []) if (entry.mode === 'do') bar(entry.agent, 'author');
  }
  return [...barred].map(([id, why]) => ({ id, why }));
}
