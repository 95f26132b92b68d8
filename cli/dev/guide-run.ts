import { setTimeout as delay } from 'node:timers/promises';
import type { VaporaClient } from '../../client/connect';
import { cancelRun, decideGate } from '../../client/control-run';
import { waitForResult } from '../../client/run-outcome';
import { getStatus } from '../../client/run-views';
import { AppError } from '../../core/contract/errors';
import { isTerminalRunStatus } from '../../core/contract/states';
import type { GateView, RunStatusView } from '../../core/contract/views';
import type { CommandContext } from '../command';
import { currentUser } from '../current-user';
import { createRunDisplay } from '../follow-run';
import { decideCommand, nextVoter } from '../render/commands';
import { askQuestion } from './ask-question';

const lookEveryMs = 400;
/** So that a reader sees what it waits for before the demo goes on by itself. */
const answerAfterMs = 1_500;
const cancelPatienceMs = 8_000;

/**
 * Shows a run until it has ended and gets its gates answered: asks at a terminal, answers yes by itself elsewhere and says so.
 * Anybody else may answer too, by the CLI, the Web UI or a signal. An interruption cancels it only where we started it.
 */
export async function guideRun(
  context: CommandContext,
  client: VaporaClient,
  id: string,
  { isOurs }: { isOurs: boolean },
): Promise<RunStatusView> {
  const { io } = context;
  const isInteractive = io.stdin.isTTY === true && io.stdout.isTTY === true;
  const answered = new Set<string>();
  let ended = false;
  // A demo that is interrupted leaves nothing behind: neither processes nor a run that goes on at the next start.
  if (isOurs) context.defer(() => (ended ? Promise.resolve() : cancelQuietly(context, client, id)));
  let display = createRunDisplay(context);
  try {
    for (;;) {
      io.signal.throwIfAborted();
      const { view } = await getStatus(client, id);
      display.update(view);
      if (isTerminalRunStatus(view.status)) {
        ended = true;
        return view;
      }
      const gate = view.gates.find((candidate) => candidate.state === 'open' && !answered.has(candidate.id));
      if (gate) {
        answered.add(gate.id);
        if (isInteractive) {
          display.close();
          await askPerson(context, client, id, gate);
          display = createRunDisplay(context);
        } else await answerByItself(context, client, id, gate);
      }
      await delay(lookEveryMs, undefined, { signal: io.signal });
    }
  } catch (error) {
    if (io.signal.aborted) throw new AppError('interrupted', 'interrupted', { cause: error });
    throw error;
  } finally {
    display.close();
  }
}

async function cancelQuietly({ note }: CommandContext, client: VaporaClient, id: string): Promise<void> {
  note(`cancelling ${id}`);
  try {
    await cancelRun(client, id, { reason: 'the demo was interrupted', by: currentUser(), noRollback: true });
    await waitForResult(client, id, { signal: AbortSignal.timeout(cancelPatienceMs) });
  } catch (error) {
    note(`${id} goes on when vapora is started here again: ${(error as Error).message}`);
  }
}

async function askPerson(context: CommandContext, client: VaporaClient, id: string, gate: GateView): Promise<void> {
  context.print(`\nThe run waits for a person: ${gate.id}${gate.prompt === undefined ? '' : ` (${gate.prompt})`}`);
  if (gate.result?.summary !== undefined) context.print(`  ${gate.result.summary}`);
  const terminal = { input: process.stdin, output: process.stdout };
  const answer = await askQuestion(`Approve as ${approverOf(gate)}? [Y/n] `, terminal, context.io.signal);
  const decision = /^n/i.test(answer.trim()) ? 'reject' : 'approve';
  await answerGate(context, client, id, gate, { decision, reason: 'answered at the terminal' });
}

async function answerByItself(context: CommandContext, client: VaporaClient, id: string, gate: GateView): Promise<void> {
  context.print(`The run waits for ${gate.id}. Nobody is at a terminal, so the demo approves it by itself, as:`);
  context.print(`  ${decideCommand('approve', id, gate, currentUser())}`);
  await delay(answerAfterMs, undefined, { signal: context.io.signal });
  await answerGate(context, client, id, gate, { decision: 'approve', reason: 'approved by the demo itself' });
}

async function answerGate(
  context: CommandContext,
  client: VaporaClient,
  id: string,
  gate: GateView,
  vote: { decision: 'approve' | 'reject'; reason: string },
): Promise<void> {
  try {
    const answer = await decideGate(client, id, { gate: gate.id, by: approverOf(gate), ...vote });
    context.print(answer.message);
  } catch (error) {
    // Somebody else was faster: the gate is decided, and that is all we wanted.
    if ((error as AppError).code !== 'refused') throw error;
    context.print((error as AppError).message);
  }
}

function approverOf(gate: GateView): string {
  return nextVoter(gate, currentUser());
}
