import { createHash } from 'node:crypto';
import type { AgentSpec } from '../core/contract/agents';
import { compileAgents } from '../core/dsl/agents';
import { compileWorkflow } from '../core/dsl/compile';
import { renderDiagnostics } from '../core/dsl/render';
import { canonicalPlanText } from '../core/plan/canonical';
import type { Diagnostic } from '../core/plan/diagnostic';
import type { Plan } from '../core/plan/types';
import { findAgentsFile, readSourceFile, type SourceFile } from './read-files';

export interface CompileFileOptions {
  cwd: string;
  /** `yaml` or `toml` where the name does not say. */
  format?: string | undefined;
  /** `--agents FILE`; without it the file the workflow names or the one beside it. */
  agentsFile?: string | undefined;
  /** Warnings are errors. */
  strict?: boolean | undefined;
}

export interface FileDiagnostics {
  file: SourceFile;
  /** False where there are errors; under `strict` warnings are. */
  isOk: boolean;
  diagnostics: Diagnostic[];
}

export interface CompiledFile {
  file: SourceFile;
  /** Absent where there are errors, in the workflow or in its agents. */
  compiled?: { plan: Plan; planHash: string };
  agents?: { file: SourceFile; specs: AgentSpec[] };
  /** Of the workflow and, where there is one, of its agents file. */
  reports: FileDiagnostics[];
}

/** Reads and compiles a workflow file, with the agents file that belongs to it. AppError `bad_usage` where one cannot be read. */
export function compileFile(name: string, options: CompileFileOptions): CompiledFile {
  const { cwd, strict = false } = options;
  const file = readSourceFile(name, cwd, options.format);
  const first = compileWorkflow(file.bytes, { format: file.format });
  const agentsFile = findAgentsFile(file, { asked: options.agentsFile, named: first.plan?.agentsFile, cwd });
  const sharpen = (diagnostics: Diagnostic[]): Diagnostic[] => (strict ? diagnostics.map(toStrict) : diagnostics);
  const reportOf = (reported: SourceFile, diagnostics: Diagnostic[]): FileDiagnostics => ({
    file: reported,
    isOk: !sharpen(diagnostics).some(({ severity }) => severity === 'error'),
    diagnostics: sharpen(diagnostics),
  });
  if (agentsFile === undefined) return finish(first.plan, [reportOf(file, first.diagnostics)]);
  const { agents: specs, diagnostics: agentDiagnostics } = compileAgents(agentsFile.text, { format: agentsFile.format });
  // Roles and agents can be checked now that it is known who there is.
  const registry = specs && { roles: specs.map(({ role }) => role), agentIds: specs.map(({ id }) => id) };
  const checked = registry ? compileWorkflow(file.bytes, { format: file.format, ...registry }) : first;
  // The registry only judges: the plan, and so its hash, comes from the text alone, as the worker compiles it.
  return finish(
    first.plan,
    [reportOf(file, checked.diagnostics), reportOf(agentsFile, agentDiagnostics)],
    specs ? { file: agentsFile, specs } : undefined,
  );
}

/** `--strict`. */
function toStrict(diagnostic: Diagnostic): Diagnostic {
  return diagnostic.severity === 'warning' ? { ...diagnostic, severity: 'error' } : diagnostic;
}

function finish(plan: Plan | null, reports: [FileDiagnostics, ...FileDiagnostics[]], agents?: CompiledFile['agents']): CompiledFile {
  const isOk = plan !== null && reports.every((report) => report.isOk);
  return {
    file: reports[0].file,
    reports,
    ...(isOk && { compiled: { plan, planHash: createHash('sha256').update(canonicalPlanText(plan)).digest('hex') } }),
    ...(agents && { agents }),
  };
}

/** The diagnostics as text with the lines they speak of; `''` where there are none. Infos only where `withInfos`. */
export function renderReports(reports: readonly FileDiagnostics[], options: { color: boolean; withInfos: boolean }): string {
  return reports
    .map(({ file, diagnostics }) => ({ file, shown: diagnostics.filter(({ severity }) => options.withInfos || severity !== 'info') }))
    .filter(({ shown }) => shown.length > 0)
    .map(({ file, shown }) => renderDiagnostics(shown, { fileName: file.name, text: file.text, color: options.color }).trimEnd())
    .join('\n\n');
}

/** The documented shape of `validate --json`. */
export function reportsToJson(compiledFiles: readonly CompiledFile[]): unknown {
  return {
    schemaVersion: 1,
    files: compiledFiles.flatMap(({ reports }) =>
      reports.map(({ file, isOk, diagnostics }) => ({
        file: file.name,
        ok: isOk,
        diagnostics: diagnostics.map(({ code, severity, message, hint, range, related }) => ({
          code,
          severity,
          message,
          hint: hint ?? null,
          ...range,
          related: (related ?? []).map((note) => ({ message: note.message, ...note.range })),
        })),
      })),
    ),
  };
}
