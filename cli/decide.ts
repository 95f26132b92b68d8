import type { Command } from 'commander';
import { decideGate } from '../client/control-run';
import type { CommandContext } from './command';
import { currentUser } from './current-user';
import { exitCodes, type ExitCode } from './exit-codes';
import { openClient } from './open-client';
import { addConnectionOptions, addIdOption } from './option-parsers';

/** Options of `approve` and `reject`. Only a rejection must say why. */
export function configureDecision(command: Command, decision: 'approve' | 'reject'): void {
  addIdOption(command)
    .requiredOption('--gate <gate>', "the gate's id, as status shows it")
    .option('--by <name>', 'who decides (default: your user name)')
    .option('--token <token>', 'signed approval');
  if (decision === 'reject') command.requiredOption('--reason <text>', 'why');
  else command.option('--reason <text>', 'why');
  addConnectionOptions(command);
}

export async function decide(context: CommandContext, decision: 'approve' | 'reject'): Promise<ExitCode> {
  const { options } = context;
  const id = options.required('id');
  const reason = options.text('reason');
  const token = options.text('token');
  const answer = await decideGate(openClient(context), id, {
    gate: options.required('gate'),
    decision,
    by: options.text('by') ?? currentUser(),
    ...(reason !== undefined && { reason }),
    ...(token !== undefined && { token }),
  });
  if (context.isJson) context.printJson({ schemaVersion: 1, id, ...answer });
  else context.print(answer.message);
  return exitCodes.done;
}
