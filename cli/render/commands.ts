import type { GateView, TaskView } from '../../core/contract/views';

/** An argument as a POSIX shell takes it literally. */
export function shellQuote(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** Who can vote next: the user, where the gate takes the user's vote and does not have it yet, else the first approver it lacks. */
export function nextVoter(gate: GateView, user: string): string;
export function nextVoter(gate: GateView, user: string | undefined): string | undefined;
export function nextVoter({ approvers, barred, votes }: GateView, user: string | undefined): string | undefined {
  const voted = new Set([...votes.map(({ by }) => by), ...barred.map(({ id }) => id)]);
  if (approvers.length === 0 || (user !== undefined && approvers.includes(user) && !voted.has(user))) return user;
  return approvers.find((person) => !voted.has(person)) ?? user;
}

/** The exact command that casts the next vote, typed by `user`. */
export function decideCommand(decision: 'approve' | 'reject', runId: string, gate: GateView, user?: string): string {
  const by = nextVoter(gate, user);
  const voter = by === undefined || by === user ? '' : ` --by ${shellQuote(by)}`;
  const reason = decision === 'reject' || overrides(gate) ? " --reason 'why'" : '';
  return `vapora workflow ${decision} --id ${shellQuote(runId)} --gate ${shellQuote(gate.id)}${voter}${reason}`;
}

/** The command that reports a task as done, typed by `user`; what it has promised is named, the files are for the person to name. */
export function reportCommand(runId: string, { step, agent, mayReport, asked }: TaskView, user?: string): string {
  const by = user !== undefined && mayReport.includes(user) ? '' : ` --by ${shellQuote(agent)}`;
  const outputs = asked.outputs.map((name) => ` --output ${shellQuote(`${name}=@FILE`)}`).join('');
  return `vapora workflow report --id ${shellQuote(runId)} --step ${shellQuote(step)}${by} --status success${asked.isReview === true ? ' --verdict VERDICT' : ''}${outputs}`;
}

/** Approving it goes over something that is not as it should be. Trying again what is unknown is no such thing. */
function overrides({ kind, isOverride }: GateView): boolean {
  return isOverride && kind !== 'unknown';
}
