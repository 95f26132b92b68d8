import { listAgents } from '../../client/agents';
import type { CliCommand } from '../command';
import { exitCodes } from '../exit-codes';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';
import { plainText, tableLines } from '../render/style';

export const command: CliCommand = {
  configure(command) {
    command.option('--role <role>', 'only agents of this role').option('--all', 'retired ones too');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options } = context;
    const agents = await listAgents(openClient(context), { role: options.text('role'), includeRetired: options.flag('all') });
    if (context.isJson) context.printJson({ schemaVersion: 1, agents });
    else if (agents.length === 0)
      context.print('No agents are registered. A run registers those of its agents.yaml, and so does: vapora agents add FILE');
    else {
      const rows = agents.map(({ id, role, skills, capacity, executor, retiredAt }) =>
        [id, role, skills.join(', ') || '-', String(capacity), `${executor.kind}${retiredAt === null ? '' : ' (retired)'}`].map(plainText),
      );
      context.print(tableLines([['ID', 'ROLE', 'SKILLS', 'CAPACITY', 'EXECUTOR'], ...rows]).join('\n'));
    }
    return exitCodes.done;
  },
};
