import { Option } from 'commander';
import { countBySeverity } from '../core/dsl/render';
import { renderSarif } from '../core/dsl/render-sarif';
import { findSourceKind } from '../core/dsl/source-kind';
import type { CliCommand, CommandContext } from './command';
import { compileSource, type FileDiagnostics, renderReports, reportAgents, reportsToJson } from './compile-file';
import { exitCodes } from './exit-codes';
import type { SourceFile } from './read-files';
import { readSources } from './read-sources';
import { vaporaVersion } from './version';

/** Compiles files without running them and shows every mistake with its place. */
export const command: CliCommand = {
  configure(command) {
    command
      .argument('<files...>', 'workflow and agents files (.yaml, .yml, .toml), folders of them, or - for standard input')
      .option('--strict', 'warnings are errors')
      .option('--agents <file>', 'check roles and agents against this registry (default: the agents.yaml beside the file)')
      .option('--format <format>', 'yaml or toml, where the name does not say')
      .addOption(new Option('--sarif', 'a SARIF 2.1.0 log, for code scanning').conflicts('json'))
      .option('--quiet', 'show no infos');
  },
  async run(context) {
    const { options, print, printJson } = context;
    const checked = (await readSources(context.arguments, context)).map((file) => checkFile(context, file));
    const reports = withoutRepeats(checked.flatMap((file) => file.reports));
    if (context.isJson) printJson(reportsToJson(reports));
    else if (options.flag('sarif')) {
      const files = reports.map(({ file, diagnostics }) => ({ name: file.name, text: file.text, diagnostics }));
      printJson(renderSarif(files, { version: vaporaVersion() }));
    } else {
      const text = renderReports(reports, { color: context.render.color, withInfos: !options.flag('quiet') });
      if (text !== '') print(text);
      for (const file of checked) print(summaryOf(file));
    }
    return checked.every(({ isOk }) => isOk) ? exitCodes.done : exitCodes.badUsage;
  },
};

interface CheckedFile {
  file: SourceFile;
  isOk: boolean;
  /** What is in it, where it compiles. */
  content: string;
  reports: FileDiagnostics[];
}

function checkFile({ options, io }: CommandContext, file: SourceFile): CheckedFile {
  const strict = options.flag('strict');
  if (findSourceKind(file.bytes, { format: file.format }) === 'agents') {
    const report = reportAgents(file, { strict });
    return { file, isOk: report.isOk, content: 'agents', reports: [report] };
  }
  const { compiled, reports } = compileSource(file, { cwd: io.cwd, agentsFile: options.text('agents'), strict });
  const steps = compiled?.plan.steps.length ?? 0;
  return { file, isOk: compiled !== undefined, content: plural(steps, 'step'), reports };
}

/** An agents file is reported once, however many workflows lie beside it. */
function withoutRepeats(reports: FileDiagnostics[]): FileDiagnostics[] {
  return [...new Map(reports.map((report) => [report.file.path, report])).values()];
}

function summaryOf({ file, isOk, content, reports }: CheckedFile): string {
  const { error, warning } = countBySeverity(reports.flatMap(({ diagnostics }) => diagnostics));
  const counts = `${plural(error, 'error')}, ${plural(warning, 'warning')}`;
  return isOk ? `${file.name}: ok: ${content}, ${counts}` : `${file.name}: invalid: ${counts}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
