import { dirname } from 'node:path';
import { registerAgents } from '../../client/agents';
import { placeAgent } from '../../core/contract/agents';
import type { CliCommand } from '../command';
import { compileAgentsSource } from '../compile-file';
import { exitCodes } from '../exit-codes';
import { invalidAgentsFile, noteWarnings } from '../invalid-file';
import { openClient } from '../open-client';
import { addConnectionOptions } from '../option-parsers';
import { readSource } from '../read-sources';

/** Registers the agents of a file; nothing of it where it has errors. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<file>', 'an agents file (.yaml, .yml, .toml), or - for standard input')
      .option('--format <format>', 'yaml or toml, where the name does not say');
    addConnectionOptions(command);
  },
  async run(context) {
    const file = await readSource(context.arguments[0] ?? '', context, context.options.text('format'));
    const { specs, report } = compileAgentsSource(file);
    if (specs === null) throw invalidAgentsFile(context, report);
    noteWarnings(context, { file, reports: [report] });
    const folder = dirname(file.path);
    const registered = await registerAgents(
      openClient(context),
      specs.map((agent) => placeAgent(agent, folder)),
    );
    if (context.isJson) context.printJson({ schemaVersion: 1, file: file.name, ...registered });
    else {
      for (const [what, ids] of [
        ['added', registered.added],
        ['changed', registered.changed],
        ['unchanged', registered.unchanged],
      ] as const) {
        if (ids.length > 0) context.print(`${what}: ${ids.join(', ')}`);
      }
    }
    return exitCodes.done;
  },
};
