/** The commands that decide a gate, ready for a shell. A person who is the only approver is named. */
export function commandsOf({ run, gate, approvers, isOverride }: { run: string; gate: string; approvers: string[]; isOverride: boolean }): {
  approve: string;
  reject: string;
} {
  const [only, ...others] = approvers;
  const by = only !== undefined && others.length === 0 ? ` --by ${quote(only)}` : '';
  const what = `--id ${quote(run)} --gate ${quote(gate)}${by}`;
  return {
    approve: `vapora workflow approve ${what}${isOverride ? ' --reason "…"' : ''}`,
    reject: `vapora workflow reject ${what} --reason "…"`,
  };
}

/** The command that reports a task as done, ready for a shell but for the files of what it has promised. */
export function commandOfTask({ run, step, agent, outputs }: { run: string; step: string; agent: string; outputs: string[] }): string {
  const files = outputs.map((name) => ` --output ${quote(`${name}=@FILE`)}`).join('');
  return `vapora workflow report --id ${quote(run)} --step ${quote(step)} --by ${quote(agent)} --status success${files}`;
}

/** A word of a POSIX shell: nothing in it means anything to the shell. */
export function quote(word: string): string {
  return /^[\p{L}\p{N}_./:=@+-]+$/u.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
