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
    command.option('--mine', 'only gates you may decide').option('--by <name>', 'who you are, for --mine (default: your user name)');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const me = personName(options.text('by') ?? currentUser());
    const { gates: all, unconfirmed } = await listOpenGates(openClient(context));
    const gates = options.flag('mine') ? all.filter(({ gate }) => mayDecide(gate, me)) : all;
    if (context.isJson) context.printJson({ schemaVersion: 1, gates: gates.map(({ run, gate }) => ({ run, ...gate })), unconfirmed });
    else context.print(renderGates(gates, context.render));
    if (unconfirmed.length > 0) {
      context.note(`Temporal did not say whether these runs still go on; their gates are as recorded: ${unconfirmed.join(', ')}`);
    }
    return exitCodes.done;
  },
};

/** Nobody named means anyone, except who is barred. */
function mayDecide({ approvers, barred }: GateView, me: string): boolean {
  return (approvers.length === 0 || approvers.includes(me)) && !barred.some(({ id }) => id === me);
}
