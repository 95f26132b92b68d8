import type { Word } from '../fields';
import { didYouMean } from '../diagnostic-sink';
import { shorten } from '../document';
import type { DraftPhase, DraftStep, WorkflowDraft } from '../draft';
import type { CompileContext } from '../keyed-map';

/** Steps and written phases by id. Where an id stands twice, the first one has it. */
export interface Names {
  steps: ReadonlyMap<string, DraftStep>;
  phases: ReadonlyMap<string, DraftPhase>;
}

/** Collects ids; a repeated one, and a step with the name of a phase, are errors. */
export function collectNames(context: CompileContext, draft: WorkflowDraft): Names {
  const steps = new Map<string, DraftStep>();
  const phases = new Map<string, DraftPhase>();
  for (const phase of draft.phases) {
    // A phase that nobody wrote cannot be named, so it takes no name away.
    if (phase.path.length === 0) continue;
    const earlier = phases.get(phase.plan.id);
    if (earlier === undefined) phases.set(phase.plan.id, phase);
    else reportDuplicate(context, { later: phase, earlier, message: `the phase \`${phase.plan.id}\` stands here twice` });
  }
  for (const step of draft.steps) {
    const phase = phases.get(step.plan.id);
    const earlier = steps.get(step.plan.id);
    if (earlier === undefined) steps.set(step.plan.id, step);
    else reportDuplicate(context, { later: step, earlier, message: `the step \`${step.plan.id}\` stands here twice` });
    if (phase !== undefined)
      reportDuplicate(context, { later: step, earlier: phase, message: `\`${step.plan.id}\` is a phase and a step` });
  }
  return { steps, phases };
}

/** The step a word names, or an `unknown_step` diagnostic. */
export function findStep(
  context: CompileContext,
  names: Names,
  word: Word,
  options: { severity?: 'error' | 'warning'; what?: string; phases?: boolean } = {},
): DraftStep | undefined {
  const step = names.steps.get(word.text);
  if (step === undefined) reportUnknownStep(context, names, word, options);
  return step;
}

export function reportUnknownStep(
  context: CompileContext,
  names: Names,
  word: Word,
  options: { severity?: 'error' | 'warning'; what?: string; phases?: boolean } = {},
): void {
  const candidates = (): Iterable<string> =>
    options.phases === true ? [...names.steps.keys(), ...names.phases.keys()] : names.steps.keys();
  context.sink.report({
    code: 'unknown_step',
    severity: options.severity ?? 'error',
    message: `there is no step ${options.phases === true && names.phases.size > 0 ? 'or phase ' : ''}\`${shorten(word.text)}\``,
    hint: didYouMean(context.sink.suggest(word.text, candidates)),
    path: word.path,
    span: word.span,
  });
}

function reportDuplicate(
  context: CompileContext,
  duplicate: { later: DraftStep | DraftPhase; earlier: DraftStep | DraftPhase; message: string },
): void {
  context.sink.report({
    code: 'duplicate_id',
    message: duplicate.message,
    path: duplicate.later.path,
    span: duplicate.later.idSpan,
    related: [{ message: 'the first one', span: duplicate.earlier.idSpan }],
  });
}
