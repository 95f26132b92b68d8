import type { CliCommand } from './command';
import { compileSource } from './compile-file';
import { exitCodes } from './exit-codes';
import { invalidFile, noteWarnings } from './invalid-file';
import { readSource } from './read-sources';

/** Prints what a file compiles to: `{hash, plan}`. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<file>', 'workflow file, or - for standard input')
      .option('--format <format>', 'yaml or toml, where the name does not say')
      .option('--agents <file>', 'check roles and agents against this registry');
  },
  async run(context) {
    const { options, io } = context;
    const file = await readSource(context.arguments[0] ?? '', context, options.text('format'));
    const compiledFile = compileSource(file, { cwd: io.cwd, agentsFile: options.text('agents') });
    if (compiledFile.compiled === undefined) throw invalidFile(context, compiledFile);
    noteWarnings(context, compiledFile);
    const { planHash, plan } = compiledFile.compiled;
    context.printJson({ hash: planHash, plan });
    return exitCodes.done;
  },
};
