/** Agents that write down what they are called for, and hold on or fail where a file says so. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface JournalAgents {
  agents: { source: string };
  /** `what`: of a step whatever it is called for (`b`), or of one call (`b#1!undo`). */
  set(how: 'hold' | 'broken', what: string): void;
  clear(how: 'hold' | 'broken', what: string): void;
  /** Effects in the order in which agents were called for them. */
  calls(): string[];
}

/** `name` must be new in the folder. */
export function journalAgents(folder: string, name: string): JournalAgents {
  const place = (what: string): string => join(folder, `${name}-${what}`);
  const journal = place('journal');
  const script = place('agent.sh');
  writeFileSync(
    script,
    `call=$(basename "$VAPORA_IDEMPOTENCY_KEY")
step=\${call%%#*}
echo "$VAPORA_IDEMPOTENCY_KEY" >> ${journal}
while [ -e ${place('hold')}-"$step" ] || [ -e ${place('hold')}-"$call" ]; do sleep 0.05; done
[ ! -e ${place('broken')}-"$step" ] && [ ! -e ${place('broken')}-"$call" ]
`,
  );
  const argv = JSON.stringify(['sh', script]);
  return {
    agents: { source: `agents:\n  - {id: d, role: "*", capacity: 10, executor: {kind: command, plain: true, argv: ${argv}}}\n` },
    set: (how, what) => writeFileSync(`${place(how)}-${what}`, ''),
    clear: (how, what) => rmSync(`${place(how)}-${what}`),
    calls: () =>
      existsSync(journal)
        ? readFileSync(journal, 'utf8')
            .trim()
            .split('\n')
            .map((key) => key.slice(key.indexOf('/') + 1))
        : [],
  };
}
