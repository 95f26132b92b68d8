import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';

/**
 * Reads the document from standard input, writes the idempotency key and the attempt to the journal beside the repository, does
 * the action and prints its result. `actions` by name; one called `default` does what no other is named for.
 */
export async function runAgent(actions) {
  const document = JSON.parse(await text(process.stdin));
  const repo = document.inputs.repo.text;
  appendFileSync(join(dirname(repo), 'journal.log'), `${document.idempotencyKey} ${document.attempt}\n`);
  const name = document.action ?? document.actions[0] ?? 'default';
  const act = Object.hasOwn(actions, name) ? actions[name] : actions.default;
  try {
    if (act === undefined) throw new Error(`this agent cannot ${name}`);
    print({
      status: 'success',
      ...(await act({ document, repo, settings: document.with, workspace: document.workspace, key: forwardKey(document) })),
    });
  } catch (error) {
    print({ status: 'failure', summary: error.message });
  }
}

/** One JSON line: progress on the way, or the result. */
export function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Spreads the given time over the stages of the work, reporting each. */
export async function pace(stages, totalMs, work) {
  for (const [n, stage] of stages.entries()) {
    print({ progress: n / stages.length, message: stage });
    const [result] = await Promise.all([work?.[n]?.(), new Promise((resolve) => setTimeout(resolve, totalMs / stages.length))]);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** What the forward step signed its work with: an undo has the same key with `!undo` behind it. */
function forwardKey({ idempotencyKey }) {
  return idempotencyKey.replace(/!undo$/, '');
}
