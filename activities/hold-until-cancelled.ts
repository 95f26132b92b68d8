import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { heldMessage, type AgentActivityControl } from '../core/contract/local-activities';
import { notRunnable, unknownOutcome } from './agent-failures';
import { heartbeatEveryMs, startHeartbeat } from './heartbeat';

/**
 * Begins nothing and ends with the run's cancel: a failure before it would be one of the run, which might end with it. Work of which an
 * attempt had begun is then of unknown outcome, and the engine undoes it; what had not is not undone. The heartbeat says that it is known.
 */
export async function holdUntilCancelled(
  { previousAttempt }: { previousAttempt: number },
  { effect }: AgentActivityControl,
): Promise<never> {
  const context = Context.current();
  const beat = (): void => context.heartbeat({ message: heldMessage });
  beat();
  const heartbeat = startHeartbeat({ beat, everyMs: heartbeatEveryMs, renewEveryMs: Infinity });
  try {
    return await context.cancelled;
  } catch (error) {
    // A worker that is shut down cancels too: then another one holds it.
    if (!(error instanceof CancelledFailure) || error.message !== 'CANCELLED') throw error;
    if (previousAttempt === 0) throw notRunnable(`${effect.path} had not begun when the run was terminated`, 1);
    throw unknownOutcome(`attempt ${previousAttempt} of ${effect.path} was at work when the run was terminated`);
  } finally {
    heartbeat.stop();
  }
}
