import type { Diagnostic, SourceRange } from '../plan/diagnostic';
import type { Graph } from '../plan/graph';
import type { Plan } from '../plan/types';
import { beforeBreak } from './before-break';
import { readStep } from './build/step-fields';
import { readDefaults, readPhase, readWorkflow } from './build/workflow-fields';
import { resolveApprovalPoints } from './checks/approval-points';
import { checkApprovers } from './checks/approvers';
import { resolveArtifacts } from './checks/artifacts';
import { checkConditions } from './checks/conditions';
import { checkCycles, graphOfDraft, resolveDependencies } from './checks/dependencies';
import { checkForEach } from './checks/for-each';
import { collectNames } from './checks/names';
import { assignPhases } from './checks/phases';
import { checkParallelClaims, checkRework, checkRoles, checkRollbacks, resolveSecurityReviewers } from './checks/relations';
import { orderSteps, type StepOrder } from './checks/step-order';
import { DiagnosticSink } from './diagnostic-sink';
import { weightOf } from './document';
import type { WorkflowDraft } from './draft';
import { findForm, type FoundForm } from './forms/find-form';
import { type CompileContext, reportUnbuilt } from './keyed-map';
import { limits } from './limits';
import { LineIndex } from './line-index';
import { readDocument } from './read/document';
import { inferStages, phasesOfStages } from './stages';

export interface CompileOptions {
  /** Default: by the file's name, else YAML. */
  format?: 'yaml' | 'toml' | undefined;
  fileName?: string | undefined;
  /** Roles of the registry, when there is one: then every step's role is checked. The plan is the same with and without it. */
  roles?: readonly string[] | undefined;
  /** Ids of the registry's agents. */
  agentIds?: readonly string[] | undefined;
}

export interface CompileResult {
  /** Null exactly when a diagnostic is an error. */
  plan: Plan | null;
  /** All that was found, in the order of the text. */
  diagnostics: Diagnostic[];
  /**
   * Where things stand: `steps/<id>`, `phases/<id>`. Beside the plan, so that comments do not change its hash. Worked out when
   * somebody asks.
   */
  readonly sourceRanges: Record<string, SourceRange>;
}

/**
 * A workflow file's text to its plan. Never throws for anything a text can hold: every mistake is a diagnostic, and all of them
 * are reported, not only the first.
 */
export function compileWorkflow(text: string | Uint8Array, options: CompileOptions = {}): CompileResult {
  const document = readDocument(text, options);
  const sink = new DiagnosticSink(new LineIndex(document.text));
  for (const problem of document.problems) sink.report(problem);
  readBeforeBreak(document, sink, options);
  const context = contextOf(document.text, sink);
  const found = document.root === null ? undefined : findForm(context, document.root);
  const draft = found === undefined ? undefined : readDraft(context, found);
  const order = draft === undefined ? undefined : resolveDraft(context, draft, options);
  reportUnbuilt(context);
  const diagnostics = sink.finish();
  const plan = draft === undefined || order === undefined || sink.hasErrors ? null : planOf(context, draft, order);
  return {
    plan,
    diagnostics,
    get sourceRanges() {
      return draft === undefined ? {} : rangesOf(sink.lines, draft);
    },
  };
}

function contextOf(text: string, sink: DiagnosticSink): CompileContext {
  return { text, sink, unbuilt: new Map(), metadata: new Map() };
}

/** A broken syntax hides what stands behind it, but not what is wrong before it. */
function readBeforeBreak(document: ReturnType<typeof readDocument>, sink: DiagnosticSink, options: CompileOptions): void {
  const before = beforeBreak(document, sink);
  if (before === undefined) return;
  const { root, problems } = readDocument(before.text, options);
  if (root === null) return;
  for (const problem of problems) before.sink.report(problem);
  const context = contextOf(before.text, before.sink);
  const found = findForm(context, root);
  if (found !== undefined) readDraft(context, found);
}

/** Reads every key; names stay unresolved. */
function readDraft(context: CompileContext, found: FoundForm): WorkflowDraft | undefined {
  const { raw } = found;
  if (!checkSize(context, found)) return undefined;
  const workflow = readWorkflow(context, found);
  const defaults = readDefaults(context, found.fields);
  const phases = raw.phases.map((phase) => readPhase(context, phase, raw.form === 'phases'));
  const steps = raw.steps.map((step, order) => readStep(context, step, { order, defaults }));
  let written = 0;
  for (const step of steps) {
    written += step.dependencies.length;
    if (written <= limits.dependencies) continue;
    context.sink.report({
      code: 'too_large',
      message: `more than ${limits.dependencies} dependencies`,
      path: step.path,
      span: step.idSpan,
    });
    return undefined;
  }
  if (steps.length === 0 && !context.sink.hasErrors) {
    context.sink.report({ code: 'no_workflow', message: 'the workflow has no steps', path: found.fields.path, span: found.fields.span });
  }
  return { ...workflow, phases, steps };
}

function checkSize(context: CompileContext, { raw, fields }: FoundForm): boolean {
  const extra = raw.steps[limits.steps];
  if (extra !== undefined) {
    context.sink.report({ code: 'too_large', message: `more than ${limits.steps} steps`, path: extra.path, span: extra.idSpan });
    return false;
  }
  const defaults = fields.get('defaults');
  const weight = defaults === undefined ? 0 : weightOf(defaults.node);
  if (defaults === undefined || weight * raw.steps.length <= limits.defaults) return true;
  const possible = Math.floor(limits.defaults / raw.steps.length);
  context.sink.report({
    code: 'too_large',
    message: `\`defaults\` of ${weight} characters and values, for each of ${raw.steps.length} steps`,
    hint: `at most ${possible} with so many steps: write what is long on the steps that need it`,
    path: defaults.path,
    span: defaults.keySpan,
  });
  return false;
}

/** Resolves names, infers what is not said, checks what cannot be right. Fills the draft's plan steps. Undefined on a cycle. */
function resolveDraft(context: CompileContext, draft: WorkflowDraft, options: CompileOptions): StepOrder | undefined {
  assignPhases(context, draft);
  const names = collectNames(context, draft);
  const places = resolveDependencies(context, draft, names);
  const { graph, nodes } = graphOfDraft(draft);
  const hasCycles = checkCycles(context, draft, { graph, places });
  const order = hasCycles ? undefined : orderSteps(draft, graph, nodes);
  checkParallelClaims(context, draft, { names, places, order });
  resolveApprovalPoints(context, draft);
  resolveArtifacts(context, draft, order);
  resolveSecurityReviewers(context, draft, names);
  if (order !== undefined) checkRollbacks(context, draft, order);
  checkRework(context, draft, names);
  checkForEach(context, draft, names, order);
  checkRoles(context, draft, options);
  checkApprovers(context, draft);
  checkConditions(context, draft, names, order);
  if (draft.plan.form === 'steps' && draft.phases.length === 0) labelStages(draft, graph);
  return order;
}

/** A steps form without phases gets the seed's stages as labels. */
function labelStages(draft: WorkflowDraft, graph: Graph): void {
  const steps = draft.steps.map((step) => step.plan);
  const found = inferStages(steps, graph);
  steps.forEach((step, node) => (step.phase = found[node] ?? 'implementation'));
  draft.phases = phasesOfStages(found).map((plan) => ({ plan, idSpan: { start: 0, end: 0 }, path: [] }));
}

function planOf(context: CompileContext, draft: WorkflowDraft, order: StepOrder): Plan {
  const steps = order.sorted.flatMap((node) => draft.steps[node]?.plan ?? []);
  const phases = draft.phases.map((phase) => phase.plan);
  const phaseHours = phases.map((phase) => phase.plannedMs).filter((plannedMs) => plannedMs !== undefined);
  const plannedMs = draft.plan.plannedMs ?? (phaseHours.length > 0 ? phaseHours.reduce((sum, hours) => sum + hours, 0) : undefined);
  return {
    ...draft.plan,
    ...(plannedMs === undefined ? {} : { plannedMs }),
    phases,
    steps,
    metadata: Object.fromEntries(context.metadata),
  };
}

function rangesOf(lines: LineIndex, draft: WorkflowDraft): Record<string, SourceRange> {
  return Object.fromEntries([
    ...draft.phases
      .filter((phase) => phase.path.length > 0)
      .map((phase) => [`phases/${phase.plan.id}`, lines.rangeOf(phase.idSpan)] as const),
    ...draft.steps.map((step) => [`steps/${step.plan.id}`, lines.rangeOf(step.idSpan)] as const),
  ]);
}
