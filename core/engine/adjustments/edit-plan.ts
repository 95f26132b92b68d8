import type { AdjustReply, EditedFile } from '../../contract/adjustments';
import type { Actor } from '../../contract/local-activities';
import type { Refusal } from '../../contract/messages';
import type { Plan } from '../../plan/types';
import { findUndecidableGates } from '../approvers';
import { moveStep } from '../moves';
import { applyEdits } from '../plan-edits';
import { comparePhases, comparePlans, compareSteps, hasOnlyLabels, type PlanDifference } from '../plan-difference';
import type { PhaseNode, StepNode } from '../plan-index';
import { withdrawEarlyVotes } from '../rework';
import type { Run } from '../run';
import type { PlanEditing } from '../run-state';
import type { CompiledPlan } from '../types';
import { stepsById, whyNotTheirs } from './edit-rights';
import { accept, list, refuse, type Asked, type Judged } from './judged';

/** The rules of a run that began before its steps could be edited know no decision to compile. */
const firstVersion = 4;

/** Asks for the edited file to be compiled: what comes of it is judged by `judgeEdit`. */
export function askForPlan(
  run: Run,
  kind: PlanEditing['kind'],
  { source, format = 'yaml', steps }: EditedFile,
  { by, reason }: Asked,
): Judged {
  if (run.version < firstVersion)
    return refuse('does_not_apply', 'the run began before steps could be edited: it goes on by the rules of then');
  const busy = whyBusy(run);
  if (busy !== undefined) return refuse('does_not_apply', busy);
  if (run.unsettledSteps === 0 && run.unpassedPhases === 0) return refuse('run_ending', 'all steps of the run have ended');
  return accept(() => {
    run.state.editing = { kind, by, ...(reason === undefined ? {} : { reason }), ...(steps === undefined ? {} : { steps }) };
    run.decisions.push({ type: 'compilePlan', source, format });
    return { message: '', steps: [] };
  });
}

/** One question that changes what the run follows at a time. */
export function whyBusy({ state: { adding, editing } }: Run): string | undefined {
  if (adding !== undefined) return `agents for ${adding.role} are being added: try again in a moment`;
  return editing === undefined ? undefined : 'another change of its steps is being compiled: try again in a moment';
}

/** What of the edited plan is new. */
export interface EditDetails {
  planHash: string;
  planHashBefore: string;
  added: string[];
  changed: string[];
}

export type JudgedEdit = { ok: true; details: EditDetails; apply(): Omit<AdjustReply, 'kind'> } | ({ ok: false } & Refusal);

/**
 * Whether the run may follow the edited plan. Only steps of which nothing has begun may differ, none may be gone, and what the others
 * rest on stays; what somebody has to decide stays theirs to decide.
 */
export function judgeEdit(run: Run, asked: PlanEditing, compiled: CompiledPlan): JudgedEdit {
  if ('problem' in compiled) return refuse('invalid_plan', compiled.problem);
  const before = run.options.plan;
  const { plan: after } = compiled;
  if (after.id !== before.id) return refuse('does_not_apply', `the file is of ${after.id}, and the run of ${before.id}`);
  const areLabels = hasOnlyLabels(before) && hasOnlyLabels(after);
  const difference = comparePlans(before, after, { areLabels });
  const edit: Edit = { run, before, after, areLabels, difference, by: asked.by };
  const why =
    whyNotMeant(asked, difference) ??
    whyElsewhere(difference) ??
    (areLabels ? undefined : whyPhasesDiffer(edit)) ??
    whyBegun(edit) ??
    whyUndecidable(edit);
  if (why !== undefined) return refuse('does_not_apply', why);
  const refusal = whyNotTheirs(run, edit);
  if (refusal !== undefined) return { ok: false, ...refusal };
  const added = difference.added.map(({ id }) => id);
  const changed = difference.changed.map(({ before: { id } }) => id);
  const { planHash } = compiled.frozen;
  return {
    ok: true,
    details: { planHash, planHashBefore: run.options.planHash, added, changed },
    apply: () => {
      follow(edit, compiled);
      const parts = [say(added, 'added'), say(changed, 'changed')].filter((part) => part !== '');
      return { message: parts.join('; '), steps: [...added, ...changed], planHash };
    },
  };
}

function say(ids: readonly string[], what: string): string {
  return ids.length === 0 ? '' : `${list(ids)} ${ids.length === 1 ? 'is' : 'are'} ${what}`;
}

interface Edit {
  run: Run;
  before: Plan;
  after: Plan;
  areLabels: boolean;
  difference: PlanDifference;
  by: Actor;
}

/** `add_step` adds, `edit_step` does not; and only those may differ that were named, where some were. */
function whyNotMeant({ kind, steps }: PlanEditing, { added, changed, removed }: PlanDifference): string | undefined {
  const differing = [...added.map(({ id }) => id), ...changed.map(({ before: { id } }) => id)];
  if (removed.length > 0) return `the file has no ${list(removed)}: no step can be taken out, skip what is not to be done`;
  if (differing.length === 0) return 'the steps of the file are those that the run follows already';
  if (kind === 'add_step' && added.length === 0)
    return `the file adds no step, it changes ${list(differing)}: that is edit_step, not add_step`;
  if (kind === 'edit_step' && added.length > 0) return `the file adds ${list(added.map(({ id }) => id))}: that is add_step, not edit_step`;
  if (steps === undefined) return undefined;
  const meant = new Set(steps);
  const others = differing.filter((id) => !meant.has(id));
  if (others.length > 0) return `the file changes ${list(others)} too: name what is meant, or take it back`;
  const same = steps.filter((id) => !differing.includes(id));
  return same.length > 0 ? `the file does not change ${list(same)}` : undefined;
}

function whyElsewhere({ fields }: PlanDifference): string | undefined {
  if (fields.length === 0) return undefined;
  return `the file changes ${list(fields.map(keyOf))} too: only steps can be changed while the run goes on`;
}

/** A field of the plan as a file spells it. */
function keyOf(field: string): string {
  return field.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Phases that hold something stay as they are, and in order; a new one stands before none that has begun. */
function whyPhasesDiffer({ run, before, after }: Edit): string | undefined {
  const found = new Map(after.phases.map((phase) => [phase.id, phase]));
  for (const phase of before.phases) {
    const same = found.get(phase.id);
    if (same === undefined) return `the file has no phase ${phase.id}`;
    const fields = comparePhases(phase, same);
    if (fields.length > 0) return `the file changes ${list(fields.map(keyOf))} of the phase ${phase.id}: only steps can be changed`;
  }
  const kept = after.phases.filter(({ id }) => run.index.phaseById.has(id));
  const moved = before.phases.find(({ id }, place) => kept[place]?.id !== id);
  if (moved !== undefined) return `the file puts the phase ${moved.id} in another place`;
  const firstNew = after.phases.findIndex(({ id }) => !run.index.phaseById.has(id));
  if (firstNew === -1) return undefined;
  const begun = after.phases.slice(firstNew).find(({ id }) => hasBegun(run.index.phaseById.get(id)));
  return begun === undefined ? undefined : `the new phase ${after.phases[firstNew]?.id ?? ''} stands before ${begun.id}, which has begun`;
}

function hasBegun(phase: PhaseNode | undefined): boolean {
  return phase !== undefined && (phase.run.state !== 'pending' || phase.steps.some((node) => !isUntouched(node)));
}

/** Nothing of it has begun, and nobody is or was asked about it. */
function isUntouched({ run: { state, generation, slots, effects = [] } }: StepNode): boolean {
  if (state !== 'pending' && state !== 'ready') return false;
  return generation === 1 && effects.length === 0 && slots.every((slot) => slot.state === 'wanted' || slot.state === 'busy');
}

function whyBegun({ run, before, after, areLabels, difference }: Edit): string | undefined {
  for (const { before: step, fields } of difference.changed) {
    const node = run.index.byId.get(step.id);
    if (node === undefined) continue;
    if (!isUntouched(node)) return `${step.id} is ${stateOf(node)}: only what has not started can be changed (${list(fields.map(keyOf))})`;
    if (fields.includes('phase')) return `the file puts ${step.id} into another phase: it stays in ${step.phase}`;
  }
  if (!areLabels) {
    for (const { id, phase } of difference.added) {
      const { state = 'pending' } = run.index.phaseById.get(phase)?.run ?? {};
      if (state !== 'pending' && state !== 'running')
        return `the phase ${phase} ${state === 'gated' ? 'waits for its gate' : `has ${state}`}: put ${id} into a later one`;
    }
  }
  // What adjustments have parallelized rests on other steps than its own: those too have to stay.
  const { edits } = run.state;
  if (edits === undefined) return undefined;
  const [old, written] = [stepsById(before), stepsById(after)];
  for (const step of applyEdits(after, edits).steps) {
    const node = run.index.byId.get(step.id);
    if (node !== undefined && !isUntouched(node) && compareSteps(node.plan, step, { areLabels }).length > 0)
      return `${step.id} is ${stateOf(node)}, and would wait for other steps than it did: it was parallelized`;
    const known = old.get(step.id)?.dependsOn.map((one) => one.step) ?? [];
    const lost = written
      .get(step.id)
      ?.dependsOn.find((one) => !known.includes(one.step) && !step.dependsOn.some((kept) => kept.step === one.step));
    if (lost !== undefined) return `${step.id} cannot wait for ${lost.step}: they were parallelized`;
  }
  return undefined;
}

/** Where nobody decides without a signature, somebody has to be there who can: as at the start of the run. */
function whyUndecidable({ run: { options }, after }: Edit): string | undefined {
  if (options.signatures !== 'required') return undefined;
  const [problem] = findUndecidableGates(after, options.humans, options.initiator);
  return problem;
}

function stateOf({ run: { state, generation } }: StepNode): string {
  return state === 'pending' || state === 'ready' ? `${state} again (generation ${generation})` : state;
}

/** From now on the run follows the edited plan: its indexes are built anew, and what has changed begins from its beginning. */
function follow({ run, after, difference, by }: Edit, compiled: Exclude<CompiledPlan, { problem: string }>): void {
  const { frozen, historyEstimatesMs } = compiled;
  const why = `edited by ${by.id}`;
  const changed = new Set(difference.changed.map(({ before: { id } }) => id));
  const isHeldBack = [...difference.added, ...difference.changed.map((change) => change.after)].some(
    (step) => step.canBlockMerge || step.canBlockDeployment,
  );
  for (const node of run.index.steps) {
    if (changed.has(node.plan.id)) askAnew(run, node, why);
    // What can block a merge or a deployment is waited for by those that have not begun.
    else if (!isHeldBack || !(node.plan.merges || node.plan.deploys) || node.run.state !== 'ready' || !isUntouched(node)) continue;
    if (node.run.state === 'ready') moveStep(run, node, 'release', { reason: why, actor: by });
    else run.changes.steps.add(node);
    node.run.slots = [];
    delete node.run.readyAtMs;
  }
  const phases = new Map(after.steps.map((step) => [step.id, step.phase]));
  for (const node of run.index.steps) if (phases.get(node.plan.id) !== node.plan.phase) run.changes.steps.add(node);
  run.state.followed = { ...frozen, historyEstimatesMs };
  run.outdated = { ...run.options, plan: after, planHash: frozen.planHash, historyEstimatesMs };
}

/** Whatever was said about the step was said of another one. */
function askAnew(run: Run, node: StepNode, why: string): void {
  withdrawEarlyVotes(run, node, why);
  for (const id of [node.plan.id, `${node.plan.id}:start`]) {
    const gate = run.state.gates[id];
    if (gate?.state === 'decided') gate.ofGeneration = 0;
  }
  const { run: step } = node;
  delete step.approved;
  delete step.startGiven;
  delete step.overridden;
  delete step.heldNoLonger;
}
