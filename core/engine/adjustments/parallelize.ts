import { whyKept } from '../plan-edits';
import type { Run } from '../run';
import { isSettled } from '../transitions';
import { accept, findSteps, list, refuse, type Judged } from './judged';

export function parallelize(run: Run, ids: readonly string[]): Judged {
  const found = findSteps(run, ids);
  if (!found.ok) return found;
  const chosen = new Set(found.nodes);
  if (chosen.size < 2) return refuse('does_not_apply', 'it takes two steps to run in parallel');
  const acting = found.nodes.find(({ plan }) => plan.deploys || plan.merges);
  if (acting !== undefined)
    return refuse('does_not_apply', `${acting.plan.id} ${acting.plan.deploys ? 'deploys' : 'merges'}: it keeps its place`);
  const started = found.nodes.filter((node) => node.run.state !== 'pending' && node.run.state !== 'ready');
  const kept: string[] = [];
  const freed = new Set<string>();
  for (const node of chosen) {
    if (started.includes(node)) continue;
    for (const dependency of node.plan.dependsOn) {
      const before = run.index.byId.get(dependency.step);
      if (before === undefined || !chosen.has(before) || isSettled(before.run.state)) continue;
      const why = whyKept(node.plan, before.plan, dependency);
      if (why === undefined) freed.add(node.plan.id);
      else kept.push(`${node.plan.id} still waits for ${before.plan.id}: ${why}`);
    }
    const { phase } = node;
    if (phase.plan.serial && [...chosen].some((other) => other !== node && other.phase === phase && !isSettled(other.run.state)))
      freed.add(node.plan.id);
  }
  if (freed.size === 0) {
    return refuse('does_not_apply', kept.length > 0 ? kept.join('; ') : `nothing but their start keeps ${list(ids)} in order`);
  }
  return accept(() => {
    run.state.edits = [...(run.state.edits ?? []), { kind: 'parallelize', steps: found.nodes.map((node) => node.plan.id) }];
    const note = kept.length === 0 ? '' : `; ${kept.join('; ')}`;
    return {
      message: `${list([...freed])} no longer ${freed.size === 1 ? 'waits' : 'wait'} for the others of ${list(ids)}${note}`,
      steps: [...freed],
    };
  });
}
