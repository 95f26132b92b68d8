/** An agent that is at work until the test lets it go: a run in the middle for as long as a test needs. */
import { writeFileSync } from 'node:fs';

export interface HeldAgent {
  /** Its entry in an agents file. */
  entry: string;
  release(): void;
}

/** `file` must not exist yet. */
export function heldAgent(role: string, file: string): HeldAgent {
  const script = 'until [ -e "$0" ]; do sleep 0.1; done';
  return {
    entry: `{id: held-${role}, role: ${role}, executor: {kind: command, plain: true, argv: [sh, -c, '${script}', ${JSON.stringify(file)}]}}`,
    release: () => writeFileSync(file, ''),
  };
}
