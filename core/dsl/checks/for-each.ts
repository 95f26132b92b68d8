import { didYouMean } from '../diagnostic-sink';
import type { DraftStep, WorkflowDraft } from '../draft';
import type { Word } from '../fields';
import type { CompileContext } from '../keyed-map';
import type { StepOrder } from './step-order';
import { findStep, type Names } from './names';

/** What `for_each` reads must be a list, and there when the step is multiplied. */
export function checkForEach(context: CompileContext, draft: WorkflowDraft, names: Names, order: StepOrder | undefined): void {
  const inputs = new Map(draft.plan.inputs.map((input) => [input.name, input.type]));
  for (const step of draft.steps) {
    const { forEach: word } = step;
    const { forEach } = step.plan;
    if (word === undefined || forEach === undefined) continue;
    if ('input' in forEach) checkItemsOfInput(context, word, inputs);
    else if ('step' in forEach)
      checkItemsOfStep(context, step, { word, output: forEach.output, producer: findStep(context, names, word), order });
  }
}

function checkItemsOfInput(context: CompileContext, word: Word, inputs: ReadonlyMap<string, string>): void {
  const type = inputs.get(word.text);
  const { path, span } = word;
  if (type === undefined) {
    context.sink.report({
      code: 'unknown_input',
      message: `\`for_each\` reads the run input \`${word.text}\`, which is not declared`,
      hint: didYouMean(context.sink.suggest(word.text, inputs.keys())) ?? 'declare it under `inputs:`',
      path,
      span,
    });
  } else if (type !== 'list') {
    const hint = `declare it as \`${word.text}: list\``;
    context.sink.report({
      code: 'bad_value',
      message: `\`for_each\` needs a list, and the input \`${word.text}\` is a ${type}`,
      hint,
      path,
      span,
    });
  }
}

function checkItemsOfStep(
  context: CompileContext,
  step: DraftStep,
  items: { word: Word; output: string; producer: DraftStep | undefined; order: StepOrder | undefined },
): void {
  const { word, output, producer, order } = items;
  if (producer === undefined) return;
  const { path, span } = word;
  const [own, other] = [order?.nodes.get(step.plan.id), order?.nodes.get(producer.plan.id)];
  if (order !== undefined && own !== undefined && other !== undefined && !order.reach.isBefore(other, own)) {
    context.sink.report({
      code: 'input_unordered',
      message: `\`for_each\` needs the items of \`${producer.plan.id}\`, which is not before \`${step.plan.id}\``,
      hint: producer === step ? 'name a step before it' : `add \`depends_on: [${producer.plan.id}]\``,
      path,
      span,
    });
  }
  if (producer.outputs.some((known) => known.text === output)) return;
  context.sink.report({
    code: 'input_never_produced',
    severity: 'warning',
    message: `\`${producer.plan.id}\` does not say that it produces \`${output}\``,
    hint: `add \`output: ${output}\` to it`,
    path,
    span,
    related: [{ message: 'the step is here', span: producer.idSpan }],
  });
}
