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

/** A word of a POSIX shell: nothing in it means anything to the shell. */
export function quote(word: string): string {
  return /^[\p{L}\p{N}_./:=@+-]+$/u.test(word) && !word.startsWith('-') ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
