import type { AgentResult } from '../contract/agent-document';
import { shortenText } from '../contract/text-size';
import type { GateView } from '../contract/views';
import type { PlanApproval } from '../plan/types';
import { findApprovers, findBarred } from './approvers';
import type { StepNode } from './plan-index';
import type { Run } from './run';
import type { GateRunState } from './run-state';
import { generationOf } from './votes';
import { boundList, boundTexts, type ViewBounds } from './view-bounds';

/** Every gate that was or will be asked: those the plan has, then those that arose. The open ones are the last to be left out. */
export function createGateViews(run: Run, bounds: ViewBounds): GateView[] {
  const rank = { open: 0, pending: 1, decided: 2 };
  const shown = boundList(listGates(run), bounds.gates, ({ present }) => rank[present?.state ?? 'pending']);
  return shown.map((gate) => (gate.present === undefined ? viewFuture(run, gate, bounds) : viewGate(run, gate.present, bounds)));
}

export function countGates(run: Run): number {
  return listGates(run).length;
}

interface ListedGate {
  id: string;
  kind: GateView['kind'];
  node?: StepNode;
  approval?: PlanApproval | undefined;
  /** Absent: it has not been asked yet. */
  present?: GateRunState | undefined;
}

function listGates(run: Run): ListedGate[] {
  const { gates } = run.state;
  const listed: ListedGate[] = [];
  for (const node of run.index.steps) {
    const { approval, automatic, id } = node.plan;
    const add = (gate: string, kind: GateView['kind'], isPlanned: boolean): void => {
      const present = gates[gate];
      if (present !== undefined || isPlanned) listed.push({ id: gate, kind, node, approval, present });
    };
    add(`${id}:start`, 'start', !automatic);
    add(id, 'approval', approval !== undefined);
    add(`${id}:blocked`, 'blocked', false);
    add(`${id}:unknown`, 'unknown', false);
  }
  for (const { plan } of run.index.phases) {
    const present = gates[plan.id];
    if (present !== undefined || plan.approval !== undefined) listed.push({ id: plan.id, kind: 'phase', approval: plan.approval, present });
  }
  return listed;
}

function viewFuture(run: Run, { id, kind, node, approval: planned }: ListedGate, bounds: ViewBounds): GateView {
  const approval = kind === 'start' ? undefined : planned;
  return {
    id,
    kind,
    ...(node === undefined ? {} : { step: node.plan.id }),
    generation: generationOf(run, id) ?? 1,
    state: 'pending',
    decision: null,
    approvers: findApprovers(run, approval, node?.plan.role).slice(0, bounds.names),
    barred: findBarred(run, approval, node).slice(0, bounds.names),
    isOverride: false,
    quorum: approval?.quorum ?? 1,
    votes: [],
    deadline: null,
    ...(kind === 'phase' || approval?.prompt === undefined ? {} : { prompt: shortenText(approval.prompt, bounds.textLength) }),
  };
}

function viewGate(run: Run, gate: GateRunState, bounds: ViewBounds): GateView {
  const result = gate.step === undefined ? undefined : run.index.byId.get(gate.step)?.run.result;
  const prompt = gate.prompt ?? (gate.isOverride === true ? gate.reason : undefined);
  const text = (value: string): string => shortenText(value, bounds.textLength);
  return {
    id: gate.id,
    kind: gate.kind,
    ...(gate.step === undefined ? {} : { step: gate.step }),
    generation: gate.generation,
    state: gate.state,
    decision: gate.decision ?? null,
    approvers: gate.approvers.slice(0, bounds.names),
    barred: gate.barred.slice(0, bounds.names),
    isOverride: gate.isOverride === true,
    quorum: gate.quorum,
    votes: gate.votes.slice(-bounds.names).map(({ by, decision, reason, atMs, assurance }) => ({
      by,
      decision,
      ...(reason === undefined ? {} : { reason: text(reason) }),
      at: new Date(atMs).toISOString(),
      assurance,
    })),
    deadline: gate.deadlineMs === undefined ? null : new Date(gate.deadlineMs).toISOString(),
    ...(prompt === undefined ? {} : { prompt: text(prompt) }),
    ...(gate.isOverride !== true || gate.reason === undefined || gate.reason === prompt ? {} : { reason: text(gate.reason) }),
    ...(result === undefined ? {} : { result: viewResult(result, bounds) }),
  };
}

/** What the approver should read. */
function viewResult({ summary, outputs, metrics }: AgentResult, bounds: ViewBounds): NonNullable<GateView['result']> {
  return {
    ...(summary === undefined ? {} : { summary: shortenText(summary, bounds.textLength) }),
    ...(outputs === undefined ? {} : { outputs: boundTexts(outputs, bounds) as Record<string, unknown> }),
    ...(metrics === undefined ? {} : { metrics: boundTexts(metrics, bounds) as Record<string, unknown> }),
  };
}
