import { stepIdPattern } from '../../contract/ids';
import { didYouMean } from '../diagnostic-sink';
import { shorten } from '../document';
import type { DraftPhase, WorkflowDraft } from '../draft';
import type { CompileContext } from '../keyed-map';

/** The one phase of the agents form, and where steps without a `phase` go beside steps that have one. */
const mainPhase = 'main';

/**
 * Gives every step of the steps and agents forms its phase: as written, the one phase of the agents form, or (later, by
 * inference) a stage. Phases that are only named on steps come into being in file order.
 */
export function assignPhases(context: CompileContext, draft: WorkflowDraft): void {
  if (draft.plan.form !== 'phases') assignWrittenPhases(context, draft);
  const optional = new Set(draft.phases.filter((phase) => phase.plan.optional).map((phase) => phase.plan.id));
  const used = new Set<string>();
  for (const { plan, phaseWord } of draft.steps) {
    used.add(plan.phase);
    if (optional.has(plan.phase)) plan.optional = true;
    if (draft.plan.form !== 'phases' || phaseWord === undefined || phaseWord.text === plan.phase) continue;
    context.sink.report({
      code: 'contradiction',
      message: `the step stands in \`${plan.phase}\`, not in \`${shorten(phaseWord.text)}\``,
      hint: 'remove `phase`',
      path: phaseWord.path,
      span: phaseWord.span,
    });
  }
  const declared = new Set(draft.phases.map((phase) => phase.plan.id));
  // A step whose phase is misspelt has been reported: the phase that looks empty may be the one it means.
  const isAnyMisnamed = [...used].some((id) => !declared.has(id));
  for (const phase of draft.phases) {
    if (used.has(phase.plan.id) || isAnyMisnamed) continue;
    context.sink.report({
      code: 'missing_key',
      severity: 'warning',
      message: `the phase \`${shorten(phase.plan.id)}\` has no steps`,
      hint: 'give it steps, or remove it',
      path: phase.path,
      span: phase.idSpan,
    });
  }
}

function assignWrittenPhases(context: CompileContext, draft: WorkflowDraft): void {
  const known = new Map(draft.phases.map((phase) => [phase.plan.id, phase]));
  const areDeclared = known.size > 0;
  if (draft.plan.form === 'agents') {
    if (draft.steps.some((step) => step.phaseWord === undefined)) known.set(mainPhase, labelOf(mainPhase));
  } else if (!areDeclared && !draft.steps.some((step) => step.phaseWord !== undefined)) {
    return;
  }
  for (const { plan, phaseWord, path, idSpan } of draft.steps) {
    plan.phase = phaseWord?.text ?? mainPhase;
    if (known.has(plan.phase)) continue;
    if (phaseWord !== undefined && areDeclared) {
      context.sink.report({
        code: 'unknown_phase',
        message: `there is no phase \`${shorten(phaseWord.text)}\``,
        hint: didYouMean(context.sink.suggest(phaseWord.text, known.keys())),
        path: phaseWord.path,
        span: phaseWord.span,
      });
      continue;
    }
    if (phaseWord !== undefined && !stepIdPattern.test(phaseWord.text)) {
      context.sink.report({
        code: 'bad_id',
        message: `\`${shorten(phaseWord.text)}\` cannot be the id of a phase`,
        path: phaseWord.path,
        span: phaseWord.span,
      });
    }
    known.set(plan.phase, phaseWord === undefined ? labelOf(plan.phase) : { ...labelOf(plan.phase), idSpan, path });
  }
  draft.phases = [...known.values()];
}

function labelOf(id: string): DraftPhase {
  return { plan: { id, barrier: false, serial: false, optional: false }, idSpan: { start: 0, end: 0 }, path: [] };
}
