import type { Adjustment, AdjustmentKind, AdjustVerdict } from '../../contract/adjustments';
import type { Actor } from '../../contract/local-activities';
import type { Refusal } from '../../contract/messages';
import { askBusyAgain } from '../assignment';
import { beginEnding } from '../ending';
import { pauseRun, resumeRun } from '../pausing';
import { audit, type Run } from '../run';
import { isSettled } from '../transitions';
import type { AdjustmentRequest, CompiledPlan } from '../types';
import { askForPlan, judgeEdit, whyBusy } from './edit-plan';
import { escalate } from './escalate';
import { accept, list, refuse, type Asked, type Changed, type Judged } from './judged';
import { overrideGate } from './override-gate';
import { parallelize } from './parallelize';
import { retryStep } from './retry-step';
import { setOutput } from './set-output';
import { skipSteps } from './skip-steps';

/** So many the run itself remembers; all of them are in the audit. */
const maxKept = 100;

/** Why it would be refused now; undefined where it applies. Changes nothing. */
export function judgeAdjustment(run: Run, request: AdjustmentRequest): Refusal | undefined {
  const judged = judge(run, request);
  return judged.ok ? undefined : { code: judged.code, reason: judged.reason };
}

/**
 * Changes the run as asked, or says in the audit why not. `add_agent` is answered by `onAgentsAdded`, `add_step` and `edit_step` by
 * `onPlanCompiled`: undefined until then. What asks for a change of the plan leaves it in `state.edits`: the run has to be indexed anew.
 */
export function adjustRun(run: Run, request: AdjustmentRequest): AdjustVerdict | undefined {
  const { adjustment, by, reason } = request;
  const judged = judge(run, request);
  if (!judged.ok) return refuseAdjustment(run, request, judged);
  const changed = judged.apply();
  if (adjustment.kind === 'add_agent' || adjustment.kind === 'add_step' || adjustment.kind === 'edit_step') return undefined;
  const { kind, ...rest } = adjustment;
  record(run, { kind, by, reason, object: objectOf(run, adjustment), details: rest, changed });
  return { ok: true, reply: { kind, ...changed } };
}

/** Says in the audit why the run is not changed. */
export function refuseAdjustment(run: Run, { adjustment, by, reason, via }: AdjustmentRequest, why: Refusal): { ok: false } & Refusal {
  run.state.ignoredSignals += via === 'signal' ? 1 : 0;
  return tellRefused(run, why, { kind: adjustment.kind, by, object: objectOf(run, adjustment), said: reason ?? null });
}

/** The answer to the decision `addAgents`. */
export function onAgentsAdded(run: Run, answer: { agentSet: string; added: string[]; problem?: string }): AdjustVerdict | undefined {
  const { adding } = run.state;
  if (adding === undefined) return undefined;
  delete run.state.adding;
  const { role, count, by, reason } = adding;
  const { added, problem } = answer;
  if (added.length === 0) {
    const refusal = { code: 'no_such_agent', reason: problem ?? `nobody could be added for ${role}` } as const;
    return tellRefused(run, refusal, { kind: 'add_agent', by, object: role });
  }
  run.state.agentSet = answer.agentSet;
  run.state.addedAgents = [...(run.state.addedAgents ?? []), ...added];
  askBusyAgain(run);
  const changed = {
    message: `${added.join(', ')} ${added.length === 1 ? 'works' : 'work'} on it too${problem === undefined ? '' : `; ${problem}`}`,
    steps: [],
    agents: added,
  };
  record(run, { kind: 'add_agent', by, reason, object: role, details: { role, count, added }, changed });
  return { ok: true, reply: { kind: 'add_agent', ...changed } };
}

/** The answer to the decision `compilePlan`: a plan that the run may follow is what it follows from now on (`outdated`). */
export function onPlanCompiled(run: Run, compiled: CompiledPlan): AdjustVerdict | undefined {
  const { editing } = run.state;
  if (editing === undefined) return undefined;
  delete run.state.editing;
  const { kind, by, reason } = editing;
  const object = run.options.run.id;
  const judged = whyEnding(run) ?? judgeEdit(run, editing, compiled);
  if (!judged.ok) return tellRefused(run, judged, { kind, by, object, said: reason ?? null });
  const changed = judged.apply();
  record(run, { kind, by, reason, object, details: judged.details, changed });
  return { ok: true, reply: { kind, ...changed } };
}

function tellRefused(
  run: Run,
  { code, reason }: Refusal,
  { kind, by, object, said }: { kind: AdjustmentKind; by: Actor; object: string; said?: string | null },
): { ok: false } & Refusal {
  run.changes.urgent = true;
  const details = { kind, code, ...(said !== undefined && { said }) };
  audit(run, { actor: by, action: 'adjustment.refused', object, reason, details });
  return { ok: false, code, reason };
}

function record(
  run: Run,
  change: { kind: AdjustmentKind; by: Actor; reason: string | undefined; object: string; details: object; changed: Changed },
): void {
  const { kind, by, reason, object, details, changed } = change;
  const why = reason === undefined ? {} : { reason };
  run.state.adjustments = [
    ...(run.state.adjustments ?? []).slice(1 - maxKept),
    { atMs: run.now, kind, by: by.id, ...why, message: changed.message },
  ];
  run.changes.urgent = true;
  run.changes.run = true;
  audit(run, { actor: by, action: 'run.adjusted', object, ...why, details: { kind, ...details, message: changed.message } });
}

function objectOf(run: Run, adjustment: Adjustment): string {
  if ('step' in adjustment) return adjustment.step;
  if ('gate' in adjustment) return adjustment.gate;
  return 'role' in adjustment ? adjustment.role : run.options.run.id;
}

function judge(run: Run, { adjustment, by, reason, via }: AdjustmentRequest): Judged {
  const ending = whyEnding(run);
  if (ending !== undefined) return ending;
  const asked: Asked = { by, reason, via };
  switch (adjustment.kind) {
    case 'add_agent':
      return addAgent(run, adjustment, asked);
    case 'parallelize':
      return parallelize(run, adjustment.steps);
    case 'skip_optional_steps':
      return skipSteps(run, adjustment.steps, { ...asked, force: adjustment.force === true });
    case 'skip_step':
      return skipSteps(run, [adjustment.step], { ...asked, force: adjustment.force === true });
    case 'escalate_blocker':
      return escalate(run, adjustment.step, asked);
    case 'pause':
      if (run.state.paused !== undefined) return refuse('does_not_apply', 'the run is paused already');
      return accept(() => {
        pauseRun(run, { by, reason: reason ?? '', freeze: adjustment.freeze === true });
        const frozen = adjustment.freeze === true ? ', and the deadlines of gates stand still' : '';
        return { message: `nothing new starts; what runs finishes${frozen}`, steps: [] };
      });
    case 'resume':
      if (run.state.paused === undefined) return refuse('does_not_apply', 'the run is not paused');
      return accept(() => {
        resumeRun(run, { by, reason });
        return { message: 'the run goes on', steps: [] };
      });
    case 'cancel':
      return accept(() => {
        const keep = adjustment.noRollback === true;
        beginEnding(run, { kind: 'cancel', reason: reason ?? '', rollback: keep ? 'none' : 'all' }, by);
        return { message: `the run stops${keep ? ', keeping what was done' : ' and undoes what it did'}`, steps: [] };
      });
    case 'retry_step':
      return retryStep(run, adjustment, asked);
    case 'override_gate':
      return overrideGate(run, adjustment.gate, asked);
    case 'set_output':
      return setOutput(run, adjustment, asked);
    case 'add_step':
    case 'edit_step':
      return askForPlan(run, adjustment.kind, adjustment, asked);
  }
}

function whyEnding({ state: { status, endedAtMs, ending } }: Run): ({ ok: false } & Refusal) | undefined {
  if (endedAtMs !== undefined) return refuse('run_ended', `the run has ended: ${status}`);
  return ending === undefined ? undefined : refuse('run_ending', `the run is ending: ${ending.reason}`);
}

function addAgent(run: Run, { role, count }: { role: string; count: number }, { by, reason }: Asked): Judged {
  const busy = whyBusy(run);
  if (busy !== undefined) return refuse('does_not_apply', busy);
  const left = run.index.steps.filter((node) => node.plan.role === role && !isSettled(node.run.state));
  if (left.length === 0) {
    const roles = [...new Set(run.index.steps.filter((node) => !isSettled(node.run.state)).map((node) => node.plan.role))];
    return refuse('does_not_apply', `no step of role ${role} is left: there are ${list(roles)}`);
  }
  return accept(() => {
    run.state.adding = { role, count, by, ...(reason === undefined ? {} : { reason }) };
    run.decisions.push({ type: 'addAgents', role, count });
    return { message: '', steps: [] };
  });
}
