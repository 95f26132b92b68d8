import { stepIdPattern } from '../../contract/ids';
import { didYouMean } from '../diagnostic-sink';
import { shorten, type Span } from '../document';
import type { DraftStep, WorkflowDraft } from '../draft';
import type { Word } from '../fields';
import type { CompileContext } from '../keyed-map';
import { type Producer, Producers } from './producers';
import { SerialOrder } from './serial-order';
import { nodeOf, type StepOrder } from './step-order';

/** Fills `inputs` of every step and warns of inputs that nobody produces and of artifacts with two unordered producers. */
export function resolveArtifacts(context: CompileContext, draft: WorkflowDraft, order: StepOrder | undefined): void {
  const serial = new SerialOrder(draft);
  const byName = collectProducers(context, draft, { order, serial });
  const nobody = new Producers([], order, serial);
  const declared = new Set(draft.plan.inputs.map((input) => input.name));
  const missing = new Map<string, Word[]>();
  for (const step of draft.steps) {
    if (step.inputs.length === 0) continue;
    const seen = new Set<string>();
    for (const word of step.inputs) {
      if (seen.has(word.text) || !checkName(context, word)) continue;
      seen.add(word.text);
      const producers = byName.get(word.text) ?? nobody;
      const producer = producers.findBefore(step);
      step.plan.inputs.push({
        name: word.text,
        ...(producer === undefined ? {} : { from: producer.step.plan.id, output: producer.output }),
      });
      if (producer !== undefined || declared.has(word.text)) continue;
      const other = producers.inFileOrder.find((candidate) => candidate.step !== step);
      if (other !== undefined) {
        if (order !== undefined) reportUnordered(context, { step, word, producer: other });
        continue;
      }
      const words = missing.get(word.text);
      if (words === undefined) missing.set(word.text, [word]);
      else words.push(word);
    }
  }
  reportMissing(context, missing, byName.keys());
}

/** Outputs by their names, and by their names without extension (`design_doc` finds `design_doc.md`). */
function collectProducers(
  context: CompileContext,
  draft: WorkflowDraft,
  { order, serial }: { order: StepOrder | undefined; serial: SerialOrder },
): ReadonlyMap<string, Producers> {
  const byOutput = new Map<string, Producer[]>();
  for (const step of draft.steps) {
    if (step.outputs.length === 0) continue;
    const seen = new Set<string>();
    for (const word of step.outputs) {
      if (seen.has(word.text) || !checkName(context, word)) continue;
      seen.add(word.text);
      const producers = byOutput.get(word.text) ?? [];
      producers.push({ step, output: word.text, word });
      byOutput.set(word.text, producers);
    }
    step.plan.outputs = [...seen];
  }
  const byName = new Map<string, Producer[]>();
  for (const [output, producers] of byOutput) {
    byName.set(output, producers);
  }
  for (const [output, producers] of byOutput) {
    const stem = output.slice(0, Math.max(0, output.lastIndexOf('.')));
    if (stem === '' || byOutput.has(stem)) continue;
    const known = byName.get(stem);
    if (known === undefined) byName.set(stem, [...producers]);
    else for (const producer of producers) known.push(producer);
  }
  const found = new Map([...byName].map(([name, producers]) => [name, new Producers(producers, order, serial)]));
  if (order !== undefined) {
    for (const output of byOutput.keys()) checkDuplicates(context, found.get(output)?.latestFirst ?? [], order);
  }
  return found;
}

/** Neighbours in topological order suffice: if all of them are ordered, so are all pairs. */
function checkDuplicates(context: CompileContext, latestFirst: readonly Producer[], order: StepOrder): void {
  const sorted = latestFirst.toReversed();
  sorted.forEach((producer, index) => {
    const before = sorted[index - 1];
    if (before === undefined || order.reach.isBefore(nodeOf(before.step, order), nodeOf(producer.step, order))) return;
    const [first, later] = before.step.plan.order < producer.step.plan.order ? [before, producer] : [producer, before];
    context.sink.report({
      code: 'duplicate_output',
      severity: 'warning',
      message: `\`${shorten(later.output)}\` is produced by \`${first.step.plan.id}\` too, and nothing orders the two`,
      hint: 'give it another name, or let one step depend on the other',
      path: later.word.path,
      span: later.word.span,
      related: [{ message: 'also produced here', span: first.word.span }],
    });
  });
}

function reportUnordered(context: CompileContext, input: { step: DraftStep; word: Word; producer: Producer }): void {
  const { producer } = input;
  context.sink.report({
    code: 'input_unordered',
    severity: 'warning',
    message: `\`${input.word.text}\` comes from \`${producer.step.plan.id}\`, which is not before \`${input.step.plan.id}\`: it will be absent`,
    hint: `add \`depends_on: [${producer.step.plan.id}]\``,
    path: input.word.path,
    span: input.word.span,
    related: [{ message: 'produced here', span: producer.word.span }],
  });
}

function reportMissing(context: CompileContext, missing: ReadonlyMap<string, Word[]>, known: Iterable<string>): void {
  const names = [...known];
  for (const [name, [first, ...others]] of missing) {
    if (first === undefined) continue;
    const suggestion = didYouMean(context.sink.suggest(name, names));
    const related: { message: string; span: Span }[] = others.map((word) => ({ message: 'also read here', span: word.span }));
    context.sink.report({
      code: 'input_never_produced',
      severity: 'warning',
      message: `nobody produces \`${shorten(name)}\`: it will be absent`,
      hint: suggestion ?? `declare it under \`inputs:\`, or give it with \`--input ${name}=@<file>\``,
      path: first.path,
      span: first.span,
      related,
    });
  }
}

function checkName(context: CompileContext, word: Word): boolean {
  if (stepIdPattern.test(word.text)) return true;
  context.sink.report({
    code: 'bad_id',
    message: `\`${shorten(word.text)}\` cannot be the name of an artifact`,
    path: word.path,
    span: word.span,
  });
  return false;
}
