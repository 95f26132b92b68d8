import { getStatus, getTimeline } from '../../client/run-views';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { noteSource } from '../note-source';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';
import { renderTimeline } from '../render/timeline';

export const command: CliCommand = {
  configure(command) {
    addConnectionOptions(addIdOption(command));
  },
  async run(context) {
    const id = context.options.required('id');
    const client = openClient(context);
    const [timeline, status] = await Promise.all([getTimeline(client, id), getStatus(client, id)]);
    noteSource(context, timeline.from);
    if (context.isJson) context.printJson({ schemaVersion: 1, id, timeScale: status.view.timeScale, ...timeline.view });
    else context.print(renderTimeline(timeline.view, { timeScale: status.view.timeScale, nowMs: Date.now() }, context.render));
    return exitCodes.done;
  },
};
