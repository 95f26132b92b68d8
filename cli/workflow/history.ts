import { temporal as proto } from '@temporalio/proto';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { callTemporal, isWorkflowNotFound, runNotFound } from '../../client/temporal-errors';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';
import { tableLines } from '../render/style';

/** Temporal's event history of a run; with `--json` in the form that replay tests and the `temporal` CLI read. */
export const command: CliCommand = {
  configure(command) {
    addConnectionOptions(addIdOption(command));
  },
  async run(context) {
    const id = context.options.required('id');
    const client = openClient(context);
    const temporal = await client.temporal();
    const history = await callTemporal(client, () => temporal.workflow.getHandle(id).fetchHistory()).catch((error: unknown) => {
      throw isWorkflowNotFound(error) ? runNotFound(id, error) : error;
    });
    if (context.isJson) {
      context.print(JSON.stringify(historyToJSON(history), null, 2));
      return exitCodes.done;
    }
    const rows = (history.events ?? []).map(({ eventId, eventTime, eventType }) => [
      String(eventId ?? ''),
      eventTime == null ? '' : new Date(Number(eventTime.seconds ?? 0) * 1_000 + Number(eventTime.nanos ?? 0) / 1e6).toISOString(),
      eventNameOf(eventType),
    ]);
    context.print(tableLines(rows).join('\n'));
    return exitCodes.done;
  },
};

/** `ACTIVITY_TASK_SCHEDULED` */
function eventNameOf(type: proto.api.enums.v1.EventType | null | undefined): string {
  return (proto.api.enums.v1.EventType[type ?? 0] ?? String(type)).replace(/^EVENT_TYPE_/, '');
}
