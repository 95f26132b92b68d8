/** An argument as a POSIX shell takes it literally. */
export function shellQuote(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}

/** The exact command that casts a vote. */
export function decideCommand(decision: 'approve' | 'reject', runId: string, gate: string, by?: string): string {
  const voter = by === undefined ? '' : ` --by ${shellQuote(by)}`;
  const reason = decision === 'reject' ? " --reason 'why'" : '';
  return `vapora workflow ${decision} --id ${shellQuote(runId)} --gate ${shellQuote(gate)}${voter}${reason}`;
}
