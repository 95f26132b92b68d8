import type { Plan, PlanApproval, PlanStep } from '../plan/types';

/**
 * What a drawing of a plan shows. Every text in it stands on one line and holds no control characters: an id or a title is a
 * stranger's text. Renderers only escape and cut.
 */
export interface GraphView {
  title: string;
  phases: GraphPhase[];
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface GraphPhase {
  title: string;
  /** Planned length, `one at a time`, `optional`. */
  notes: string[];
}

export interface GraphNode {
  /** `join`: all of a phase, with its gate: what waits for the phase waits for it. */
  kind: 'step' | 'approval' | 'monitor' | 'deploy' | 'join';
  name: string;
  /** Who does it and how long it should take. */
  detail: string;
  phase: number;
  /** Its phase runs one step at a time. */
  isSerial: boolean;
  marks: GraphMark[];
}

export interface GraphMark {
  kind: 'approval' | 'gate' | 'monitor' | 'undo' | 'note';
  text: string;
}

export interface GraphEdge {
  /** Indexes of nodes. */
  from: number;
  to: number;
  /** `failed`, `skipped`, `done` or `passed`, where it is not the plain dependency. */
  when?: string;
  /** Written, but a barrier between the phases says it already. */
  isImplied?: boolean;
}

/** One symbol for each kind of mark, in every drawing that can show it. */
export const markSymbols: Readonly<Record<GraphMark['kind'], string>> = {
  approval: '◆',
  gate: '⬢',
  monitor: '◔',
  undo: '↩',
  note: '·',
};

export interface GraphViewOptions {
  formatDuration(ms: number): string;
}

/** Steps in the order of the plan, then one join for each phase that something waits for. */
export function viewGraph(plan: Plan, options: GraphViewOptions): GraphView {
  const phaseIndexes = new Map(plan.phases.map(({ id }, index) => [id, index]));
  const phaseOf = (step: PlanStep): number => phaseIndexes.get(step.phase) ?? 0;
  const nodes = plan.steps.map((step) => nodeOfStep(step, phaseOf(step), plan.phases[phaseOf(step)]?.serial ?? false, options));
  const joins = new Map<number, number>();
  for (const phase of joinedPhases(plan, phaseIndexes)) {
    joins.set(phase, nodes.length);
    nodes.push(nodeOfJoin(plan, phase));
  }
  return {
    title: oneLine(plan.title ?? plan.id),
    phases: plan.phases.map(({ id, title, plannedMs, serial, optional }) => ({
      title: oneLine(title || id),
      notes: [
        ...(plannedMs === undefined ? [] : [options.formatDuration(plannedMs)]),
        ...(serial ? ['one at a time'] : []),
        ...(optional ? ['optional'] : []),
      ],
    })),
    nodes,
    edges: edgesOf(plan, { phaseIndexes, phaseOf, joins }),
  };
}

function nodeOfStep(step: PlanStep, phase: number, isSerial: boolean, { formatDuration }: GraphViewOptions): GraphNode {
  const { approval, monitor, estimateMs, compensate } = step;
  const who = step.agentId ?? [step.role, ...step.skills.map((skill) => `+${skill}`)].join(' ');
  const marks: GraphMark[] = [];
  const mark = (kind: GraphMark['kind'], text: string | undefined): void =>
    void (text !== undefined && marks.push({ kind, text: oneLine(text) }));
  if (approval !== undefined) mark('approval', approvalText(approval));
  mark('note', step.ifText === undefined ? undefined : `if ${step.ifText}`);
  mark('gate', step.requiresText === undefined ? undefined : `requires ${step.requiresText}`);
  mark('gate', step.gateText === undefined ? undefined : `must pass ${step.gateText}`);
  if (step.mustPassAll) mark('gate', 'must pass: all');
  if (step.mustPassIsExplicit === true) mark('gate', `${step.mustPassCount} of ${step.count} must approve`);
  else if (step.count > 1) mark('note', `${step.count} agents`);
  if (monitor !== undefined) mark('monitor', `watches for ${formatDuration(monitor.durationMs)}`);
  for (const { text } of monitor?.alerts ?? []) mark('monitor', `alert if ${text}`);
  if (monitor?.autoRollbackText !== undefined) mark('undo', `rolls back if ${monitor.autoRollbackText}`);
  if (step.rollbackOn !== undefined) mark('undo', `rolls back on ${step.rollbackOn.text}`);
  if (compensate !== undefined) mark('undo', 'action' in compensate ? `undone by ${compensate.action}` : 'can be undone');
  mark('note', step.deployment?.strategy.replaceAll('_', '/'));
  const notes = [step.automatic ? '' : 'started by hand', step.optional ? 'optional' : '', step.async ? 'async' : ''].filter(Boolean);
  if (notes.length > 0) mark('note', notes.join(', '));
  return {
    kind: approval !== undefined ? 'approval' : monitor !== undefined ? 'monitor' : step.deploys ? 'deploy' : 'step',
    name: oneLine(step.id),
    detail: oneLine(
      [step.title, who, estimateMs === undefined || monitor !== undefined ? '' : formatDuration(estimateMs)].filter(Boolean).join(' · '),
    ),
    phase,
    isSerial,
    marks,
  };
}

function nodeOfJoin(plan: Plan, index: number): GraphNode {
  const phase = plan.phases[index];
  const marks: GraphMark[] = [];
  if (phase?.approval !== undefined) marks.push({ kind: 'approval', text: approvalText(phase.approval) });
  return {
    kind: 'join',
    name: phase?.gateText === undefined ? 'all of it' : oneLine(phase.gateText),
    detail: phase?.gateText === undefined ? '' : 'gate of the phase',
    phase: index,
    isSerial: false,
    marks,
  };
}

function approvalText({ when, approvers, quorum }: PlanApproval): string {
  const who = approvers.length === 0 ? '' : ` by ${approvers.join(', ')}`;
  return oneLine(`approval ${when === 'before' ? 'before' : 'after'} the work${who}${quorum > 1 ? ` (${quorum})` : ''}`);
}

/** Those with a gate or an approval, those that a step waits for as a whole, and those before a barrier. */
function joinedPhases(plan: Plan, phaseIndexes: ReadonlyMap<string, number>): number[] {
  const joined = new Set<number>();
  plan.phases.forEach(({ gateText, approval, barrier }, index) => {
    if (gateText !== undefined || approval !== undefined) joined.add(index);
    if (barrier && index > 0) joined.add(index - 1);
  });
  for (const { dependsOn } of plan.steps) {
    for (const { phase } of dependsOn) if (phase !== undefined) joined.add(phaseIndexes.get(phase) ?? 0);
  }
  return [...joined].sort((a, b) => a - b);
}

interface EdgeContext {
  phaseIndexes: ReadonlyMap<string, number>;
  phaseOf(step: PlanStep): number;
  joins: ReadonlyMap<number, number>;
}

function edgesOf(plan: Plan, { phaseIndexes, phaseOf, joins }: EdgeContext): GraphEdge[] {
  const indexes = new Map(plan.steps.map(({ id }, index) => [id, index]));
  const edges = new Map<string, GraphEdge>();
  const add = (edge: GraphEdge): void => {
    const key = `${edge.from} ${edge.to} ${edge.when ?? ''}`;
    if (!edges.has(key)) edges.set(key, edge);
  };
  const hasInside = new Set<number>();
  const isLast = new Set(plan.steps.keys());
  plan.steps.forEach((step, to) => {
    for (const { step: id, when, phase } of step.dependsOn) {
      const join = phase === undefined ? undefined : joins.get(phaseIndexes.get(phase) ?? -1);
      const from = join ?? indexes.get(id);
      if (from === undefined) continue;
      const source = plan.steps[from];
      const isImplied = source !== undefined && phaseOf(source) < phaseOf(step) && plan.phases[phaseOf(step)]?.barrier === true;
      add({ from, to, ...(when !== 'holds' ? { when } : isImplied ? { isImplied } : {}) });
      if (source === undefined || phaseOf(source) !== phaseOf(step)) continue;
      hasInside.add(to);
      isLast.delete(from);
    }
  });
  plan.steps.forEach((step, index) => {
    const phase = phaseOf(step);
    const join = joins.get(phase);
    if (join !== undefined && isLast.has(index)) add({ from: index, to: join });
    const before = plan.phases[phase]?.barrier === true ? joins.get(phase - 1) : undefined;
    if (before !== undefined && !hasInside.has(index)) add({ from: before, to: index });
  });
  return [...edges.values()];
}

/** Line breaks, control and direction characters become spaces, what no document may hold a replacement character. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\s]+/gu, ' ')
    .replace(/[\p{Cs}\ufffe\uffff]/gu, '\ufffd')
    .trim();
}
