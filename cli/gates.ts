import { listOpenGates } from '../client/gates';
import { personName } from '../core/contract/person-name';
import type { GateView } from '../core/contract/views';
import type { CliCommand } from './command';
import { currentUser } from './current-user';
import { exitCodes } from './exit-codes';
import { openClient } from './open-client';
import { addConnectionOptions } from './option-parsers';
import { renderGates } from './render/gates';

/** Everything that waits for a person, over all runs. */
export const command: CliCommand = {
  configure(command) {
    command
      .option('--mine', 'only gates you may decide, and tasks you may report on')
      .option('--by <name>', 'who you are, for --mine (default: your user name)');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const me = personName(options.text('by') ?? currentUser());
    const { gates: allGates, tasks: allTasks, unconfirmed } = await listOpenGates(openClient(context));
    const isMine = options.flag('mine');
    const gates = isMine ? allGates.filter(({ gate }) => mayDecide(gate, me)) : allGates;
    const tasks = isMine ? allTasks.filter(({ task }) => task.mayReport.includes(me)) : allTasks;
    if (context.isJson) {
      const withRun = { gates: gates.map(({ run, gate }) => ({ run, ...gate })), tasks: tasks.map(({ run, task }) => ({ run, ...task })) };
      context.printJson({ schemaVersion: 1, ...withRun, unconfirmed });
    } else {
      const others = allGates.length + allTasks.length - gates.length - tasks.length;
      const isEmpty = gates.length + tasks.length === 0;
      if (isEmpty && others > 0) context.print(`Nothing is waiting for ${me}; ${others} for others. --by NAME says who you are.`);
      else context.print(renderGates(gates, context.render, tasks));
    }
    if (unconfirmed.length > 0) {
      context.note(`Temporal did not say whether these runs still go on; their gates and tasks are as recorded: ${unconfirmed.join(', ')}`);
    }
    return exitCodes.done;
  },
};

/** Nobody named means anyone, except who is barred. */
function mayDecide({ approvers, barred }: GateView, me: string): boolean {
  return (approvers.length === 0 || approvers.includes(me)) && !barred.some(({ id }) => id === me);
}
