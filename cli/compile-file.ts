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
export function compileFile(name: string, options: CompileFileOptions & { format?: string | undefined }): CompiledFile {
  return compileSource(readSourceFile(name, options.cwd, options.format), options);
}

/** Reads and compiles a workflow file alone, where it is another's to judge whether there are agents for it. Errors as `compileFile`. */
export function compileFileAlone(name: string, { cwd, format }: { cwd: string; format?: string | undefined }): CompiledFile {
  const file = readSourceFile(name, cwd, format);
  const { plan, diagnostics } = compileWorkflow(file.bytes, { format: file.format });
  return finish(plan, [reportOf(file, diagnostics, false)]);
}

/** Compiles a workflow that has been read, with the agents file that belongs to it. */
export function compileSource(file: SourceFile, options: CompileFileOptions): CompiledFile {
  const { cwd, strict = false } = options;
  const first = compileWorkflow(file.bytes, { format: file.format });
  const agentsFile = findAgentsFile(file, { asked: options.agentsFile, named: first.plan?.agentsFile, cwd });
  if (agentsFile === undefined) return finish(first.plan, [reportOf(file, first.diagnostics, strict)]);
  const { agents: specs, diagnostics: agentDiagnostics } = compileAgents(agentsFile.text, { format: agentsFile.format });
  // Roles and agents can be checked now that it is known who there is.
  const registry = specs && { roles: specs.map(({ role }) => role), agentIds: specs.map(({ id }) => id) };
  const checked = registry ? compileWorkflow(file.bytes, { format: file.format, ...registry }) : first;
  // The registry only judges: the plan, and so its hash, comes from the text alone, as the worker compiles it.
  return finish(
    first.plan,
    [reportOf(file, checked.diagnostics, strict), reportOf(agentsFile, agentDiagnostics, strict)],
    specs ? { file: agentsFile, specs } : undefined,
  );
}

/** Compiles an agents file that is given by itself. */
export function reportAgents(file: SourceFile, options: Pick<CompileFileOptions, 'strict'>): FileDiagnostics {
  return compileAgentsSource(file, options).report;
}

/** The same with its agents, which are null where it has errors. */
export function compileAgentsSource(
  file: SourceFile,
  { strict = false }: Pick<CompileFileOptions, 'strict'> = {},
): { specs: AgentSpec[] | null; report: FileDiagnostics } {
  const { agents, diagnostics } = compileAgents(file.bytes, { format: file.format });
  return { specs: agents, report: reportOf(file, diagnostics, strict) };
}

function reportOf(file: SourceFile, found: Diagnostic[], strict: boolean): FileDiagnostics {
  const diagnostics = strict ? found.map(toStrict) : found;
  return { file, isOk: !diagnostics.some(({ severity }) => severity === 'error'), diagnostics };
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
export function reportsToJson(reports: readonly FileDiagnostics[]): unknown {
  return {
    schemaVersion: 1,
    files: reports.map(({ file, isOk, diagnostics }) => ({ file: file.name, ok: isOk, diagnostics: diagnosticsToJson(diagnostics) })),
  };
}

export function diagnosticsToJson(diagnostics: readonly Diagnostic[]): unknown[] {
  return diagnostics.map(({ code, severity, message, hint, range, related }) => ({
    code,
    severity,
    message,
    hint: hint ?? null,
    ...range,
    related: (related ?? []).map((note) => ({ message: note.message, ...note.range })),
  }));
}
