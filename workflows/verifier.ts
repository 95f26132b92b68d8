import { scheduleActivity } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import { activityNames } from '../core/contract/names';
import type { VerifiedToken, VerifyInput, VerifyOutput } from '../core/contract/signed-requests';
import type { Decision, EngineEvent } from '../core/engine/types';
import type { ScopePool } from './scopes';

/** The keys are in Postgres, which may be away for hours: whoever has signed waits, and nothing is lost. */
const options: ActivityOptions = {
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' },
};

export interface Verifier {
  verify(decision: Extract<Decision, { type: 'verify' }>): void;
}

/**
 * Verifies signatures by an ordinary activity, for two reasons: there is no cryptography in a workflow, and its end is an event like
 * any other, with a place of its own in the history.
 */
export function createVerifier(scopes: ScopePool, post: (event: EngineEvent) => void): Verifier {
  return {
    verify({ id, tokens }) {
      const input: VerifyInput = { tokens };
      const end = (verified: VerifiedToken[]): void => post({ type: 'verified', atMs: Date.now(), verified });
      scopes.start(
        () =>
          scheduleActivity<unknown>(activityNames.verify, [input], {
            ...options,
            activityId: `${activityNames.verify}/${id}`,
            summary: tokens.length === 1 ? 'a signature' : `${tokens.length} signatures`,
          }),
        (output) => end(readOutput(output)),
        // Only what no try can mend ends so.
        () => end([]),
      );
    },
  };
}

/** A worker that does not know the activity answers something else: then nothing is verified. */
function readOutput(output: unknown): VerifiedToken[] {
  const { verified } = (typeof output === 'object' && output !== null ? output : {}) as Partial<VerifyOutput>;
  return Array.isArray(verified) ? verified : [];
}
