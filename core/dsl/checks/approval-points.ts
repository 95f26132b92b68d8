import type { PlanApproval, PlanStep } from '../../plan/types';
import { didYouMean } from '../diagnostic-sink';
import { shorten, type DocumentPath, type Span } from '../document';
import type { DraftStep, WorkflowDraft } from '../draft';
import type { Word } from '../fields';
import type { CompileContext } from '../keyed-map';
import { isRole, normalizeRole } from '../roles';
import { taskTypes, wordsOf } from '../../plan/task-type';

/**
 * Decides where people must approve: `approval_required: true`, a name in `approval_required_at`, and what a decision-maker's
 * step implies.
 */
export function resolveApprovalPoints(context: CompileContext, draft: WorkflowDraft): void {
  const required = new Map<DraftStep, Word | undefined>();
  for (const step of draft.steps) {
    if (step.approvalRequired === true) required.set(step, undefined);
  }
  resolveNames(context, draft, required);
  for (const step of draft.steps) {
    if (required.has(step) || step.approvalRequired !== undefined) continue;
    const implied = findImplied(step);
    if (implied === undefined) continue;
    required.set(step, undefined);
    context.sink.report({
      code: 'implied_approval',
      severity: 'info',
      message: `\`${step.plan.id}\` waits for a person's approval: ${implied.why}`,
      hint: 'write `approval_required: true` to say so, or `false` to let the agent decide alone',
      path: implied.path,
      span: implied.span,
    });
  }
  for (const [step, word] of required) {
    if (step.approvalRequired === false) reportRefused(context, step, word);
    else step.plan.approval = approvalOf(step);
  }
}

/** Names resolve, ignoring case, as a step, a phase, a role, or a task type or its first word. */
function resolveNames(context: CompileContext, draft: WorkflowDraft, required: Map<DraftStep, Word | undefined>): void {
  if (draft.approvalPoints.length === 0) return;
  const byId = groupSteps(draft, ({ plan }) => [plan.id.toLowerCase()]);
  const byRole = groupSteps(draft, ({ plan }) => [plan.role]);
  const byTaskType = groupSteps(draft, ({ plan }) => [plan.taskType.toLowerCase(), wordsOf(plan.taskType)[0] ?? '']);
  const phases = new Map(draft.phases.map((phase) => [phase.plan.id.toLowerCase(), phase]));
  const taken = new Set<readonly DraftStep[]>();
  for (const word of draft.approvalPoints) {
    const name = word.text.toLowerCase();
    const phase = byId.has(name) ? undefined : phases.get(name);
    if (phase !== undefined) phase.plan.approval ??= { ...defaultApproval, approvers: [], distinctFrom: [] };
    const found = phase === undefined ? (byId.get(name) ?? byRole.get(normalizeRole(word.text)) ?? byTaskType.get(name) ?? []) : [];
    if (!taken.has(found)) for (const step of found) required.set(step, word);
    taken.add(found);
    if (found.length > 0 || phase !== undefined) continue;
    context.sink.report({
      code: 'no_approval_point',
      severity: 'warning',
      message: `\`${shorten(word.text)}\` is no step, phase, role or task type of this workflow: nobody is asked`,
      hint: didYouMean(context.sink.suggest(word.text, () => [...byId.keys(), ...phases.keys(), ...byRole.keys(), ...taskTypes])),
      path: word.path,
      span: word.span,
    });
  }
}

const defaultApproval: PlanApproval = {
  when: 'after',
  approvers: [],
  quorum: 1,
  distinctFrom: [],
  timeoutMs: 86_400_000,
  timeoutIsExplicit: false,
  onTimeout: 'escalate',
};

function groupSteps(draft: WorkflowDraft, keysOf: (step: DraftStep) => string[]): ReadonlyMap<string, DraftStep[]> {
  const groups = new Map<string, DraftStep[]>();
  for (const step of draft.steps) {
    for (const key of new Set(keysOf(step))) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [step]);
      else group.push(step);
    }
  }
  return groups;
}

/** A decision-maker's `approve…` action, or a name that ends in `approval`. */
function findImplied(step: DraftStep): { why: string; span: Span; path: DocumentPath } | undefined {
  if (!isRole(step.plan.role, 'decision-maker')) return undefined;
  const action = step.actions.find((word) => word.text.toLowerCase().startsWith('approve'));
  if (action !== undefined) return { why: `its action is \`${shorten(action.text)}\``, span: action.span, path: action.path };
  if (!step.plan.id.toLowerCase().endsWith('approval')) return undefined;
  return { why: "a decision-maker's step of that name", span: step.idSpan, path: step.path };
}

/** The agent works first, unless the step merges, deploys or acts on an environment: then nothing happens before the approval. */
function approvalOf(step: DraftStep): PlanApproval {
  const { merges, deploys, environments }: PlanStep = step.plan;
  const actsOutside = merges || deploys || environments.length > 0;
  return { ...step.approval, when: step.approval.when ?? (actsOutside ? 'before' : 'after') };
}

function reportRefused(context: CompileContext, step: DraftStep, word: Word | undefined): void {
  context.sink.report({
    code: 'contradiction',
    message: `\`approval_required_at\` names \`${step.plan.id}\`, which says \`approval_required: false\``,
    hint: 'remove the one or the other',
    path: word?.path ?? step.path,
    span: word?.span ?? step.idSpan,
    related: [{ message: 'the step is here', span: step.idSpan }],
  });
}
