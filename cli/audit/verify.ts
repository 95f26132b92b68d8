import { verifyAudit } from '../../client/audit';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions, addIdOption } from '../option-parsers';

/** Recomputes the hash chain of a run's audit trail. */
export const command: CliCommand = {
  configure(command) {
    addConnectionOptions(addIdOption(command));
  },
  async run(context) {
    const found = await verifyAudit(openClient(context), context.options.required('id'));
    if (context.isJson) context.printJson({ schemaVersion: 1, ...found });
    else if (found.ok) context.print(`${found.id}: ${found.checked} lines, the chain holds; head ${found.head ?? 'none'}`);
    else
      context.print(
        `${found.id}: broken at line ${found.firstProblem?.seq ?? found.checked + 1}: ${found.firstProblem?.detail ?? 'unknown'}`,
      );
    return found.ok ? exitCodes.done : exitCodes.runFailed;
  },
};
