import { AppError } from '../core/contract/errors';
import type { CommandContext } from './command';
import { renderReports, reportsToJson, type CompiledFile, type FileDiagnostics } from './compile-file';
import { shellQuote } from './render/commands';
import { detectRenderOptions } from './render/style';

/** Shows the diagnostics of a file that does not compile on standard error, and gives the error that ends the command. */
export function invalidFile(context: CommandContext, { reports }: CompiledFile): AppError {
  return invalidReports(context, reports[0]?.isOk === false ? 'invalid_workflow' : 'invalid_agents', reports);
}

/** The same of an agents file that is given by itself. */
export function invalidAgentsFile(context: CommandContext, report: FileDiagnostics): AppError {
  return invalidReports(context, 'invalid_agents', [report]);
}

function invalidReports(
  { io, note, isJson }: CommandContext,
  code: 'invalid_workflow' | 'invalid_agents',
  reports: readonly FileDiagnostics[],
): AppError {
  const { color } = detectRenderOptions(io.stderr, io.variables);
  if (!isJson) note(renderReports(reports, { color, withInfos: false }));
  const bad = reports.filter(({ isOk }) => !isOk).map(({ file }) => file.name);
  return new AppError(code, `${bad.join(' and ')} cannot be used as written`, {
    hint: 'mend what is shown above, and check with: vapora validate',
    details: reportsToJson(reports),
  });
}

const maxWarnings = 5;

/** Names the first warnings of a file that compiles, each on one line, on standard error: `validate` shows them in full. */
export function noteWarnings({ note }: CommandContext, { file, reports }: Pick<CompiledFile, 'file' | 'reports'>): void {
  const warnings = reports.flatMap((report) =>
    report.diagnostics
      .filter(({ severity }) => severity === 'warning')
      .map(({ range, message }) => `${report.file.name}:${range.line}:${range.column}: warning: ${message}`),
  );
  for (const warning of warnings.slice(0, maxWarnings)) note(warning);
  if (warnings.length > maxWarnings) note(`and ${warnings.length - maxWarnings} more warnings: vapora validate ${shellQuote(file.name)}`);
}
