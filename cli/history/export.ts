import { exportHistory } from '../../client/history-transfer';
import { AppError } from '../../core/contract/errors';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, parseTime } from '../option-parsers';

/** Lines that are written together: one call for each would take longer than reading them. */
const linesAtOnce = 200;

/** The execution history as `history import` reads it. */
export const command: CliCommand = {
  configure(command) {
    command
      .option('--agent <id>', 'only of this agent')
      .option('--task-type <type>', 'only of this kind of task')
      .option('--since <time>', 'only what ended then or later: a day, or a time with its zone', parseTime);
    addConnectionOptions(command);
  },
  async run(context) {
    const { options, io } = context;
    const filter = { agent: options.text('agent'), taskType: options.text('taskType'), sinceMs: options.number('since') };
    const lines = exportHistory(openClient(context), filter);
    // As one document where JSON is asked for; a piece at a time, for it may be long.
    const [begin, between, end] = context.isJson ? ['{"schemaVersion":1,"executions":[\n', ',\n', '\n]}\n'] : ['', '\n', '\n'];
    let waiting: string[] = [];
    let count = 0;
    io.stdout.write(begin);
    const write = (): void => {
      if (waiting.length === 0) return;
      io.stdout.write((count > waiting.length ? between : '') + waiting.join(between));
      waiting = [];
    };
    for await (const line of lines) {
      if (io.signal.aborted) throw new AppError('interrupted', `interrupted after ${count} executions`);
      waiting.push(line);
      count += 1;
      if (waiting.length >= linesAtOnce) write();
    }
    write();
    if (context.isJson || count > 0) io.stdout.write(end);
    if (count === 0) context.note('no execution has ended yet that is asked for');
    return exitCodes.done;
  },
};
