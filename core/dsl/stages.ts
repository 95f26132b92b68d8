import { dependentsOf, findAncestors, findDescendants, type Graph } from '../plan/graph';
import type { PlanPhase, PlanStep } from '../plan/types';
import { isRole } from './roles';

const stages = [
  { id: 'planning', title: 'Planning' },
  { id: 'implementation', title: 'Implementation' },
  { id: 'review', title: 'Review' },
  { id: 'merge_deploy', title: 'Merge & Deploy' },
  { id: 'release', title: 'Release' },
] as const;
type Stage = (typeof stages)[number]['id'];

/**
 * The stage of each step of a workflow without phases, by what the steps do. Labels only: for status and progress.
 * Release = production deployments, what follows them, and the decision-makers they directly wait for; Merge & Deploy = other
 * merges and deployments and what follows them; Review = remaining reviews, tests and audits of written code; Planning = what
 * remains before written code; Implementation = the rest.
 */
export function inferStages(steps: readonly PlanStep[], graph: Graph): Stage[] {
  const nodesWhere = (test: (step: PlanStep, node: number) => boolean): number[] =>
    steps.flatMap((step, node) => (test(step, node) ? [node] : []));
  const dependents = dependentsOf(graph);
  const withDescendants = (nodes: number[]): Set<number> => new Set([...nodes, ...findDescendants(graph, nodes, dependents)]);

  const productionDeploys = nodesWhere((step) => step.deploys && step.environments.includes('production'));
  const release = withDescendants(productionDeploys);
  const directlyBefore = new Set(productionDeploys);
  for (const node of nodesWhere((step) => isRole(step.role, 'decision-maker'))) {
    if (dependents[node]?.some((dependent) => directlyBefore.has(dependent)) === true) release.add(node);
  }
  const mergeDeploy = withDescendants(nodesWhere((step, node) => !release.has(node) && (step.merges || step.deploys)));
  const coding = nodesWhere((step) => step.taskType === 'CodeGeneration');
  const afterCode = findDescendants(graph, coding, dependents);
  const beforeCode = findAncestors(graph, coding);

  return steps.map((step, node): Stage => {
    if (release.has(node)) return 'release';
    if (mergeDeploy.has(node)) return 'merge_deploy';
    if (['CodeReview', 'Testing', 'SecurityAudit'].includes(step.taskType) && afterCode.has(node)) return 'review';
    return beforeCode.has(node) ? 'planning' : 'implementation';
  });
}

/** The stages that occur, in the order of the seed's machine, as label phases. */
export function phasesOfStages(found: readonly Stage[]): PlanPhase[] {
  const used = new Set(found);
  return stages
    .filter((stage) => used.has(stage.id))
    .map(({ id, title }) => ({ id, title, barrier: false, serial: false, optional: false }));
}
