import { describeRun } from '../../client/run-views';
import { runNotFound } from '../../client/temporal-errors';
import { searchAttributes } from '../../core/contract/names';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';
import { plainText, tableLines } from '../render/style';

/** What Temporal itself knows of a run: for those who look behind the status. */
export const command: CliCommand = {
  configure(command) {
    addConnectionOptions(addIdOption(command));
  },
  async run(context) {
    const id = context.options.required('id');
    const client = openClient(context);
    const description = await describeRun(client, id);
    if (description === undefined) throw runNotFound(id);
    const { workflowId, runId, type, taskQueue, status, historyLength, historySize, startTime, closeTime, typedSearchAttributes } =
      description;
    const ours: ReadonlySet<string> = new Set(Object.values(searchAttributes));
    const attributes = typedSearchAttributes.getAll().filter(({ key }) => ours.has(key.name));
    const facts = {
      id: workflowId,
      runId,
      definition: type,
      temporalStatus: status.name,
      taskQueue,
      startedAt: startTime.toISOString(),
      endedAt: closeTime?.toISOString() ?? null,
      historyEvents: historyLength,
      historyBytes: historySize ?? null,
      pendingActivities: description.raw.pendingActivities?.length ?? 0,
      searchAttributes: Object.fromEntries(attributes.map(({ key, value }) => [key.name, value])),
      memo: description.memo ?? {},
    };
    if (context.isJson) context.printJson({ schemaVersion: 1, ...facts });
    else {
      const rows = Object.entries(facts).flatMap(([name, value]): string[][] =>
        typeof value === 'object' && value !== null ? Object.entries(value).map(([key, item]) => [key, show(item)]) : [[name, show(value)]],
      );
      context.print(tableLines(rows).join('\n'));
    }
    return exitCodes.done;
  },
};

function show(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return plainText(typeof value === 'string' ? value : JSON.stringify(value));
}
