import { ActivityFailure, ApplicationFailure, scheduleActivity, sleep, TimeoutFailure } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { NotifyInput, NotifyOutput } from '../core/contract/notice';
import { activityNames } from '../core/contract/names';
import { shortenText } from '../core/contract/text-size';
import type { Decision, EngineEvent } from '../core/engine/types';
import type { Cancellable, ScopePool } from './scopes';

type Notify = Extract<Decision, { type: 'notify' }>;

/** Five tries within some forty seconds, where each is refused at once: a receiver may restart. */
const options: ActivityOptions = {
  startToCloseTimeout: '30s',
  retry: { maximumAttempts: 5, initialInterval: '1s', backoffCoefficient: 3, maximumInterval: '30s' },
};

/** What Temporal drops with the run is not delivered: the last notices have so long after the end, then the run is over. */
export const lastNoticesMs = 60_000;
const maxMessageLength = 500;

export interface NoticeSender {
  send(decision: Notify): void;
  /** The run has ended. True when all notices have too; their ends are events, and what lasts too long is given up. */
  settle(): boolean;
}

/** Tells channels by durable activities, beside the run: nothing but its very end waits for them. */
export function createNoticeSender(scopes: ScopePool, post: (event: EngineEvent) => void): NoticeSender {
  const pending = new Map<string, Cancellable>();
  let isSettling = false;

  function end(id: string, fields: { address?: string; attempt?: number; failure?: string }): void {
    if (pending.delete(id)) post({ type: 'noticeEnded', atMs: Date.now(), id, ...fields });
  }

  function giveUp(): void {
    const failure = `given up ${lastNoticesMs / 1000} s after the end of the run; what was under way may still arrive`;
    for (const [id, sending] of [...pending]) {
      end(id, { failure });
      sending.cancel();
    }
  }

  return {
    send({ id, channel, notice }) {
      const input: NotifyInput = { notice, channel };
      const summary = `${notice.event} → ${channel.channel}`;
      const sending = scopes.start(
        () => scheduleActivity<unknown>(activityNames.notify, [input], { ...options, activityId: id, summary }),
        (output) => end(id, readOutput(output)),
        (error) => end(id, { failure: shortenText(messageOf(error), maxMessageLength) }),
      );
      pending.set(id, sending);
    },
    settle() {
      if (pending.size === 0) return true;
      if (!isSettling) {
        isSettling = true;
        scopes.start(
          () => sleep(lastNoticesMs, { summary: 'the last notices' }),
          giveUp,
          () => undefined,
        );
      }
      return false;
    },
  };
}

/** A worker that does not know the activity answers something else, or nothing. */
function readOutput(output: unknown): { address?: string; attempt?: number } {
  const { address, attempt } = (typeof output === 'object' && output !== null ? output : {}) as Partial<NotifyOutput>;
  return { ...(typeof address === 'string' && { address }), ...(typeof attempt === 'number' && { attempt }) };
}

function messageOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof TimeoutFailure) return 'no answer within 30 s';
  if (cause instanceof ApplicationFailure) return cause.message;
  return cause instanceof Error ? cause.message : String(cause);
}
