import type { Command } from 'commander';
import { decideGate, getSignedRun } from '../client/control-run';
import { signVote } from '../client/signing';
import type { DecideMessage } from '../core/contract/messages';
import type { CommandContext } from './command';
import { exitCodes, type ExitCode } from './exit-codes';
import { openClient } from './open-client';
import { addConnectionOptions, addIdOption } from './option-parsers';
import { addKeyOption, signingOf, whoAsks } from './sign-requests';

/** Options of `approve` and `reject`. Only a rejection must say why. */
export function configureDecision(command: Command, decision: 'approve' | 'reject'): void {
  addIdOption(command)
    .requiredOption('--gate <gate>', "the gate's id, as status shows it")
    .option('--by <name>', "who decides (default: the key's person, else your user name)")
    .option('--token <token>', 'a signature made elsewhere')
    .option('--sign-only', 'print the signature instead of sending the vote');
  addKeyOption(command);
  if (decision === 'reject') command.requiredOption('--reason <text>', 'why');
  else command.option('--reason <text>', 'why');
  addConnectionOptions(command);
}

export async function decide(context: CommandContext, decision: 'approve' | 'reject'): Promise<ExitCode> {
  const { options } = context;
  const id = options.required('id');
  const reason = options.text('reason');
  const token = options.text('token');
  const by = whoAsks(context);
  const vote = { by, gate: options.required('gate'), decision, ...(reason !== undefined && { reason }) };
  const client = openClient(context);
  const signing = signingOf<DecideMessage>(context, by, signVote);
  if (options.flag('signOnly')) {
    const made = await signing.sign(await getSignedRun(client, id, vote.gate), vote);
    if (context.isJson) context.printJson({ schemaVersion: 1, id, ...vote, token: made });
    else context.print(made);
    return exitCodes.done;
  }
  const answer = await decideGate(client, id, { ...vote, ...(token !== undefined && { token }) }, signing);
  if (context.isJson) context.printJson({ schemaVersion: 1, id, ...answer });
  else context.print(answer.message);
  return exitCodes.done;
}
