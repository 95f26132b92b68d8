import { didYouMean } from '../diagnostic-sink';
import type { WorkflowDraft } from '../draft';
import type { CompileContext } from '../keyed-map';

/** Names close to a group's but not one, and quorums that the named approvers cannot reach. */
export function checkApprovers(context: CompileContext, draft: WorkflowDraft): void {
  const groups = new Map(Object.entries(draft.plan.approvers));
  const members = new Set([...groups.values()].flat());
  for (const word of [...draft.people, ...draft.steps.flatMap((step) => step.approvers)]) {
    if (groups.has(word.text) || members.has(word.text) || groups.size === 0) continue;
    const suggestion = context.sink.suggest(word.text, groups.keys());
    if (suggestion === undefined) continue;
    context.sink.report({
      code: 'unknown_approver',
      severity: 'warning',
      message: `\`${word.text}\` is taken as a person; there is no group of that name`,
      hint: didYouMean(suggestion),
      path: word.path,
      span: word.span,
    });
  }
  for (const step of draft.steps) {
    const { approvers, quorum } = step.approval;
    if (approvers.length === 0 || quorum <= 1) continue;
    const people = new Set(approvers.flatMap((name) => groups.get(name) ?? [name]));
    if (quorum <= people.size) continue;
    context.sink.report({
      code: 'contradiction',
      message: `a quorum of ${quorum} cannot be reached by ${people.size} approver${people.size === 1 ? '' : 's'}`,
      path: step.path,
      span: step.approvers[0]?.span ?? step.idSpan,
    });
  }
}
