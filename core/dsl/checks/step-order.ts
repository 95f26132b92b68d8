import { type Graph, topologicalOrder } from '../../plan/graph';
import { Reachability } from '../../plan/reachability';
import type { DraftStep, WorkflowDraft } from '../draft';

/** In which order the steps come; there is none when they wait for each other in a circle. */
export interface StepOrder {
  graph: Graph;
  nodes: ReadonlyMap<string, number>;
  reach: Reachability;
  /** Steps by their place in the file (and ends of phases, after them), each after what it waits for. */
  sorted: readonly number[];
  /** Place of each node in topological order. */
  ranks: readonly number[];
}

/** `graph` has no cycle; `nodes` are its nodes by the ids of the steps. */
export function orderSteps(draft: WorkflowDraft, graph: Graph, nodes: ReadonlyMap<string, number>): StepOrder {
  const count = draft.steps.length;
  // Ends of phases come as soon as they can, so that they never hold back a step that stands earlier in the file.
  const sorted = topologicalOrder(graph, (node) => (node < count ? node : node - graph.dependencies.length));
  const ranks = new Array<number>(sorted.length);
  sorted.forEach((node, rank) => (ranks[node] = rank));
  return { graph, nodes, reach: new Reachability(graph, sorted), sorted, ranks };
}

export function nodeOf(step: DraftStep, order: StepOrder): number {
  return order.nodes.get(step.plan.id) ?? 0;
}
