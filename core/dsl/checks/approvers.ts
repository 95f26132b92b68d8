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
  const roll = new Roll(groups);
  for (const step of draft.steps) {
    const { approvers, quorum } = step.approval;
    if (approvers.length === 0 || quorum <= 1) continue;
    const people = roll.count(approvers, quorum);
    if (quorum <= people) continue;
    context.sink.report({
      code: 'contradiction',
      message: `a quorum of ${quorum} cannot be reached by ${people} approver${people === 1 ? '' : 's'}`,
      hint: 'lower `quorum`, or name more approvers',
      path: step.path,
      span: step.approvers[0]?.span ?? step.idSpan,
    });
  }
}

/** Counts people, each once, whatever groups, or groups of groups, they come from: thousands of steps may name large ones. */
class Roll {
  readonly #numbers = new Map<string, number>();
  /** By number: who is in it; nothing for a person. */
  readonly #members: (readonly number[] | undefined)[] = [];
  /** By number: the last count that it was part of. */
  readonly #counted: number[] = [];
  #counts = 0;

  constructor(groups: ReadonlyMap<string, readonly string[]>) {
    for (const [name, members] of groups) this.#members[this.#numberOf(name)] = members.map((member) => this.#numberOf(member));
  }

  /** How many different people the names of groups and people stand for; stops at `enough`. */
  count(names: readonly string[], enough: number): number {
    this.#counts += 1;
    let people = 0;
    const groups: (readonly number[])[] = [names.map((name) => this.#numberOf(name))];
    for (let group = groups.pop(); group !== undefined; group = groups.pop()) {
      for (const number of group) {
        if (this.#counted[number] === this.#counts) continue;
        this.#counted[number] = this.#counts;
        const members = this.#members[number];
        if (members !== undefined) groups.push(members);
        else if ((people += 1) >= enough) return people;
      }
    }
    return people;
  }

  #numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#counted.length);
    return this.#counted.push(0) - 1;
  }
}
