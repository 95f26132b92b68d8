import { ApplicationFailure } from '@temporalio/common';
import type { RunRef } from '../core/contract/local-activities';
import type { Database } from '../db/connect';
import { isReset } from '../db/queries/reopening';
import { findUndoneSteps } from '../db/queries/undone-steps';

const shownSteps = 5;

/**
 * A reset takes a run back to a moment before its rollback, but the rollback has happened: work that its history counts as done
 * is not there any more. Such a run must not go on: neither record nor do anything.
 */
export async function refuseUndoneWork(db: Database, run: RunRef): Promise<void> {
  if (!isReset(run)) return;
  const undone = await findUndoneSteps(db, run);
  if (undone.length === 0) return;
  const names = undone.slice(0, shownSteps).join(', ') + (undone.length > shownSteps ? ', …' : '');
  throw ApplicationFailure.create({
    type: 'UndoneWork',
    message: `this run was reset, but its work was undone before that (${names}): start a new run`,
    nonRetryable: true,
  });
}
