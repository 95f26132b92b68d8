import { waitForResult } from '../../client/run-outcome';
import { peekStatus } from '../../client/run-views';
import { AppError } from '../../core/contract/errors';
import type { CliCommand } from '../command';
import { reportOutcome } from '../follow-run';
import { awaitRun } from '../follow-run';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';

/** How a run ended, with its exit code; a run that has not is refused, or waited for with `--wait`. */
export const command: CliCommand = {
  configure(command) {
    addIdOption(command).option('--wait', 'wait until it has ended, or only a person can move it');
    addConnectionOptions(command);
  },
  async run(context) {
    const id = context.options.required('id');
    const client = openClient(context);
    const peeked = await peekStatus(client, id);
    // What Temporal knows nothing of may stand in Postgres.
    if (peeked?.isClosed !== false) return reportOutcome(context, await waitForResult(client, id));
    if (context.options.flag('wait')) return awaitRun(context, client, id, undefined);
    throw new AppError('refused', `${id} has not ended yet (${peeked.status})`, {
      hint: `wait for it with --wait, or watch it: vapora workflow watch --id ${id}`,
    });
  },
};
