import { dirname } from 'node:path';
import { publishDefinition } from '../client/definitions';
import { placeAgent } from '../core/contract/agents';
import type { CliCommand } from './command';
import { compileFile } from './compile-file';
import { exitCodes } from './exit-codes';
import { invalidFile, noteWarnings } from './invalid-file';
import { openClient } from './open-client';
import { addConnectionOptions } from './option-parsers';

/** Keeps a definition under its id, so that it can be started by name from Temporal's tools, schedules and programs. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<file>', 'workflow file')
      .option('--format <format>', 'yaml or toml, where the name does not say')
      .option('--agents <file>', 'register these agents too (default: the agents.yaml beside the file)');
    addConnectionOptions(command);
  },
  async run(context) {
    const { options, io } = context;
    const compiledFile = compileFile(context.arguments[0] ?? '', {
      cwd: io.cwd,
      format: options.text('format'),
      agentsFile: options.text('agents'),
    });
    if (compiledFile.compiled === undefined) throw invalidFile(context, compiledFile);
    noteWarnings(context, compiledFile);
    const { file, agents } = compiledFile;
    const published = await publishDefinition(openClient(context), {
      text: file.text,
      format: file.format,
      agents: agents?.specs.map((agent) => placeAgent(agent, dirname(agents.file.path))),
    });
    if (context.isJson) context.printJson({ schemaVersion: 1, ...published });
    else {
      const what = published.isNew ? 'published' : 'is unchanged:';
      context.print(`${published.id} ${what} version ${published.version} (sha256:${published.planHash.slice(0, 12)})`);
      if (agents !== undefined) context.print(`${agents.specs.length} agents registered from ${agents.file.name}`);
      context.print(`start it: vapora temporal workflow start --task-queue vapora --type ${published.id} --workflow-id ${published.id}`);
    }
    return exitCodes.done;
  },
};
