import { personName } from '../contract/person-name';
import type { BarredPerson } from '../contract/views';
import type { Plan, PlanApproval } from '../plan/types';
import type { StepNode } from './plan-index';
import type { Run } from './run';

const decisionMaker = 'decision-maker';

/** A human agent. */
interface Human {
  id: string;
  role: string;
}

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
export function findApprovers({ plan, options }: Run, approval: PlanApproval | undefined, role: string | undefined): string[] {
  return approversOf(plan, options.humans, approval, role);
}

function approversOf(plan: Plan, humans: readonly Human[], approval: PlanApproval | undefined, role: string | undefined): string[] {
  if (approval !== undefined && approval.approvers.length > 0) return expandPeople(plan.approvers, approval.approvers);
  const ofRole = peopleOf(humans, role);
  return ofRole.length > 0 ? ofRole : peopleOf(humans, decisionMaker);
}

export function findDecisionMakers(run: Run): string[] {
  return peopleOf(run.options.humans, decisionMaker);
}

function peopleOf(humans: readonly Human[], role: string | undefined): string[] {
  return humans.filter((human) => human.role === role).map((human) => writtenName(human.id));
}

/** Whoever may not vote: `author` = the agents of the step itself and of the steps whose work it looks at. */
export function findBarred(run: Run, approval: PlanApproval | undefined, node: StepNode | undefined): BarredPerson[] {
  const barred = new Map<string, BarredPerson['why']>();
  const bar = (written: string, why: BarredPerson['why']): void => {
    const id = writtenName(written);
    if (!barred.has(id)) barred.set(id, why);
  };
  for (const who of distinctFrom(run, approval)) {
    if (who === 'initiator') {
      bar(run.options.initiator, 'initiator');
      continue;
    }
    if (node === undefined) continue;
    const authors = [node, ...node.plan.dependsOn.map((dependency) => run.index.byId.get(dependency.step))];
    for (const author of authors) {
      for (const by of author?.run.outputsBy ?? []) bar(by, 'author');
      for (const { mode, agent, reporter } of author?.run.effects ?? []) {
        if (mode !== 'do') continue;
        bar(agent, 'author');
        if (reporter !== undefined) bar(reporter, 'author');
      }
    }
  }
  return [...barred].map(([id, why]) => ({ id, why }));
}

function distinctFrom({ options }: Run, approval: PlanApproval | undefined): PlanApproval['distinctFrom'] {
  return options.signatures === 'required' ? strictDistinctFrom(approval) : (approval?.distinctFrom ?? []);
}

/** Where signatures are required, nobody decides about what they have started, unless the plan says whom else to keep out. */
function strictDistinctFrom(approval: PlanApproval | undefined): PlanApproval['distinctFrom'] {
  return approval === undefined || approval.distinctFrom.length === 0 ? ['initiator'] : approval.distinctFrom;
}

/**
 * What could never be decided in a run that takes signed requests only, one sentence each: nobody is named, or too few are left without
 * who has started it. Whoever an escalation asks counts too.
 */
export function findUndecidableGates(plan: Plan, humans: readonly Human[], initiator: string): string[] {
  const later = plan.escalation.flatMap(({ to }) => expandPeople(plan.approvers, to));
  const problems: string[] = [];
  const check = (what: string, approval: PlanApproval | undefined, role: string | undefined): void => {
    const first = approversOf(plan, humans, approval, role);
    const people = new Set(first.length === 0 ? [] : [...first, ...later]);
    const isBarred = strictDistinctFrom(approval).includes('initiator') && people.delete(writtenName(initiator));
    const quorum = approval?.quorum ?? 1;
    if (people.size >= quorum) return;
    const left = people.size === 0 ? 'nobody could decide' : `${people.size} of ${quorum} could decide`;
    problems.push(`${left} about ${what}${isBarred ? `, since ${initiator} has started the run` : ''}`);
  };
  for (const { id, approval, automatic, role } of plan.steps) {
    if (approval !== undefined) check(id, approval, role);
    if (!automatic) check(`the start of ${id}`, undefined, role);
  }
  for (const { id, approval } of plan.phases) if (approval !== undefined) check(id, approval, undefined);
  check('what is blocked', undefined, undefined);
  return problems;
}
