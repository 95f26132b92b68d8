import type { AgentResult } from '../../core/contract/agent-document';
import type { Actor, AuditEntry, EffectRef, RunRef } from '../../core/contract/local-activities';
import type { Outcome } from '../../core/contract/states';
import { sha256Hex } from '../hash';
import { canonicalJson } from '../json-text';

/** The canonical bytes of one audit line: what `append_audit` links and hashes. */
export function auditBodyOf(entry: AuditEntry): string {
  const { atMs, occurrence: _, ...rest } = entry;
  return canonicalJson({ at: new Date(atMs).toISOString(), ...rest });
}

/** A uuid for something an execution of a run says: the same when it says it again, whatever time it is then. */
export function identityOf(run: RunRef, item: object): string {
  const { atMs: _, ...said } = item as { atMs?: number };
  return sha256Hex(`${run.runId}\n${JSON.stringify(said)}`).slice(0, 32);
}

const actionOfOutcome: Record<Outcome, string> = {
  success: 'execution.succeeded',
  failure: 'execution.failed',
  cancelled: 'execution.cancelled',
  unknown: 'execution.unknown',
};

export interface ExecutionEnd {
  effect: EffectRef;
  actor: Actor;
  outcome: Outcome;
  atMs: number;
  attempt?: number | undefined;
  result?: AgentResult | undefined;
  failure?: string | undefined;
}

/** The line for the one outcome of an effect. */
export function executionEndedBody(end: ExecutionEnd): string {
  const { effect, result } = end;
  return auditBodyOf({
    atMs: end.atMs,
    actor: end.actor,
    action: actionOfOutcome[end.outcome],
    object: effect.path,
    generation: effect.generation,
    outcome: end.outcome,
    reason: end.failure ?? result?.summary,
    details: {
      slot: effect.slot,
      assignment: effect.assignment,
      mode: effect.mode,
      attempt: end.attempt,
      verdict: result?.verdict,
      metrics: result?.metrics,
      outputs: result?.outputs,
    },
  });
}

/** The line for an effect that had ended, not well, before the run was reset, and is done again. */
export function executionReopenedBody({ run, effect, atMs }: { run: RunRef; effect: EffectRef; atMs: number }): string {
  return auditBodyOf({
    atMs,
    actor: { kind: 'temporal', id: 'reset' },
    action: 'execution.reopened',
    object: effect.path,
    generation: effect.generation,
    reason: 'the run was reset: what had not succeeded is done again',
    details: { slot: effect.slot, assignment: effect.assignment, mode: effect.mode, runId: run.runId },
  });
}
