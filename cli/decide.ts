import type { Command } from 'commander';
import { decideGate, getSignedRun } from '../client/control-run';
import { signVote, type SignedRun } from '../client/signing';
import type { CommandContext } from './command';
import { exitCodes, type ExitCode } from './exit-codes';
import { openClient } from './open-client';
import { addConnectionOptions, addIdOption } from './option-parsers';
import { addKeyOption, namedKey, requireKey, whoAsks } from './sign-requests';

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
  const vote = { gate: options.required('gate'), decision, ...(reason !== undefined && { reason }) };
  const client = openClient(context);
  const sign = (run: SignedRun): Promise<string> => signVote(requireKey(context, by), run, vote);
  if (options.flag('signOnly')) {
    const made = await sign(await getSignedRun(client, id, vote.gate));
    if (context.isJson) context.printJson({ schemaVersion: 1, id, ...vote, by, token: made });
    else context.print(made);
    return exitCodes.done;
  }
  const signed = token ?? (namedKey(context) && (await sign(await getSignedRun(client, id, vote.gate))));
  const answer = await decideGate(client, id, { ...vote, by, ...(signed !== undefined && { token: signed }) }, sign);
  if (context.isJson) context.printJson({ schemaVersion: 1, id, ...answer });
  else context.print(answer.message);
  return exitCodes.done;
}
