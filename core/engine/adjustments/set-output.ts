import { findBarred } from '../approvers';
import { touchGate } from '../gate-timers';
import type { StepNode } from '../plan-index';
import type { Run } from '../run';
import { accept, findOneStep, judgeOverrider, list, refuse, type Asked, type Judged } from './judged';

const maxOutputLength = 64 * 1024;

export function setOutput(
  run: Run,
  { step: id, output, value }: { step: string; output: string; value: string },
  { by, reason }: Asked,
): Judged {
  const found = findOneStep(run, id);
  if (!found.ok) return found;
  const { node } = found;
  const { plan, run: step } = node;
  if (reason === undefined || reason.trim() === '') return refuse('reason_needed', 'what an agent gave is replaced only with a reason');
  if (value.length > maxOutputLength) return refuse('does_not_apply', `the value is longer than ${maxOutputLength} characters`);
  if (step.result === undefined) return refuse('does_not_apply', `${id} is ${step.state}: it has given nothing yet`);
  if (step.state !== 'passed' && step.state !== 'blocked' && step.state !== 'waiting_approval')
    return refuse('does_not_apply', `${id} is ${step.state}`);
  if (!plan.outputs.includes(output)) {
    const known = plan.outputs.length === 0 ? 'it has none' : `it has ${list(plan.outputs)}`;
    return refuse('does_not_apply', `${id} has no output ${output}: ${known}`);
  }
  if (step.approved === true || (run.state.gates[id]?.votes.length ?? 0) > 0) {
    return refuse('does_not_apply', `people have decided about what ${id} gave: retry it instead`);
  }
  const reader = node.dependents.find(
    (other) =>
      other.plan.inputs.some((input) => input.from === id && (input.output ?? input.name) === output) && other.run.slots.length > 0,
  );
  if (reader !== undefined) return refuse('does_not_apply', `${reader.plan.id} has read it already`);
  const refusal = judgeOverrider(run, node, by);
  if (refusal !== undefined) return { ok: false, ...refusal };
  return accept(() => {
    step.result = { ...step.result, status: 'success', outputs: { ...step.result?.outputs, [output]: value } };
    step.outputsBy = [...new Set([...(step.outputsBy ?? []), by.id])];
    barAnew(run, node);
    run.changes.steps.add(node);
    return { message: `${output} of ${id} is what ${by.id} gave`, steps: [id] };
  });
}

/** Whoever has a part in what is decided about may be kept out from now on. */
function barAnew(run: Run, node: StepNode): void {
  for (const { plan } of [node, ...node.dependents]) {
    const gate = run.state.gates[plan.id];
    if (gate?.state !== 'open' || gate.isOverride === true) continue;
    gate.barred = findBarred(run, plan.approval, run.index.byId.get(plan.id));
    touchGate(run, gate);
  }
}
