import type { CliCommand, CommandContext } from './command';
import { compileFile, renderReports, reportsToJson, type CompiledFile } from './compile-file';
import { exitCodes } from './exit-codes';

/** Compiles files without running them and shows every mistake with its place. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<files...>', 'workflow files (.yaml, .yml, .toml)')
      .option('--strict', 'warnings are errors')
      .option('--agents <file>', 'check roles and agents against this registry (default: the agents.yaml beside the file)')
      .option('--format <format>', 'yaml or toml, where the name does not say')
      .option('--quiet', 'show no infos');
  },
  async run(context) {
    const { options, io } = context;
    const files = context.arguments.map((name) =>
      compileFile(name, {
        cwd: io.cwd,
        format: options.text('format'),
        agentsFile: options.text('agents'),
        strict: options.flag('strict'),
      }),
    );
    if (context.isJson) context.printJson(reportsToJson(files));
    else for (const file of files) printReport(context, file);
    return files.every(({ compiled }) => compiled !== undefined) ? exitCodes.done : exitCodes.badUsage;
  },
};

function printReport({ print, render, options }: CommandContext, { file, compiled, reports }: CompiledFile): void {
  const text = renderReports(reports, { color: render.color, withInfos: !options.flag('quiet') });
  if (text !== '') print(text);
  const count = (severity: string): number =>
    reports.reduce((sum, { diagnostics }) => sum + diagnostics.filter((diagnostic) => diagnostic.severity === severity).length, 0);
  const counts = `${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}`;
  print(
    compiled === undefined
      ? `${file.name}: invalid: ${counts}`
      : `${file.name}: ok: ${plural(compiled.plan.steps.length, 'step')}, ${counts}`,
  );
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
