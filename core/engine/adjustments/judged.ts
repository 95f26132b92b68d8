import type { AdjustReply } from '../../contract/adjustments';
import type { Actor } from '../../contract/local-activities';
import type { Refusal, RefusalCode } from '../../contract/messages';
import { findApprovers, findBarred } from '../approvers';
import type { StepNode } from '../plan-index';
import type { Run } from '../run';
import type { GateRunState, Vote } from '../run-state';
import { judgeVoter } from '../votes';

/** What an adjustment would do: `apply` does it and says what has changed. */
export type Judged = { ok: true; apply(): Changed } | ({ ok: false } & Refusal);
export type Changed = Omit<AdjustReply, 'kind'>;

export interface Asked {
  by: Actor;
  reason: string | undefined;
  via: Vote['via'];
}

export function findSteps(run: Run, ids: readonly string[]): { ok: true; nodes: StepNode[] } | ({ ok: false } & Refusal) {
  const missing = ids.filter((id) => !run.index.byId.has(id));
  if (missing.length > 0) return { ok: false, code: 'no_such_step', reason: `there is no step ${list(missing)}` };
  const nodes = [...new Set(ids)].flatMap((id) => run.index.byId.get(id) ?? []);
  return { ok: true, nodes };
}

export function findOneStep(run: Run, id: string): { ok: true; node: StepNode } | ({ ok: false } & Refusal) {
  const node = run.index.byId.get(id);
  return node === undefined ? refuse('no_such_step', `there is no step ${id}`) : { ok: true, node };
}

export function accept(change: () => Changed): Judged {
  return { ok: true, apply: change };
}

export function refuse(code: RefusalCode, reason: string): { ok: false } & Refusal {
  return { ok: false, code, reason };
}

/** Who may let something pass that others rely on: those whose decision the step is, and never one alone where it takes several. */
export function judgeOverrider(run: Run, node: StepNode, by: Actor): Refusal | undefined {
  const { approval, id } = node.plan;
  const gate = openGateOf(run, node);
  const approvers = gate?.approvers ?? findApprovers(run, approval, undefined);
  const barred = gate?.barred ?? findBarred(run, approval, node);
  const vote = { gate: id, by: by.id, decision: 'approve' as const, atMs: run.now, assurance: 'local' as const, via: 'update' as const };
  const refusal = judgeVoter({ approvers, barred }, vote);
  if (refusal !== undefined) return refusal;
  const quorum = approval?.quorum ?? 1;
  return quorum > 1 ? { code: 'quorum_needed', reason: `${id} takes ${quorum} approvals: one person alone cannot do this` } : undefined;
}

export function openGateOf(run: Run, { plan: { id } }: StepNode): GateRunState | undefined {
  const open = [`${id}:blocked`, id, `${id}:unknown`, `${id}:start`].find((gate) => run.openGates.has(gate));
  return open === undefined ? undefined : run.state.gates[open];
}

const maxListed = 20;

/** At most twenty names, and how many more. */
export function list(names: readonly string[]): string {
  return names.length <= maxListed ? names.join(', ') : `${names.slice(0, maxListed).join(', ')} and ${names.length - maxListed} more`;
}
