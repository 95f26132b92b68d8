import type { Condition, Quantifier } from '../../plan/condition';
import { walkCondition } from '../../plan/condition-children';
import { isReview, isTest } from '../../plan/condition-quantifiers';
import { knownMetricNames, metricKindOf } from '../../plan/metric-names';
import type { PlanStep } from '../../plan/types';
import type { DiagnosticCode } from '../codes';
import { didYouMean } from '../diagnostic-sink';
import { shorten } from '../document';
import type { ConditionPurpose, DraftStep, WorkflowDraft } from '../draft';
import type { WrittenCondition } from '../fields';
import type { CompileContext } from '../keyed-map';
import { type Facts, findFacts } from './condition-facts';
import { type Names, reportUnknownStep } from './names';

interface Use {
  written: WrittenCondition;
  purpose: ConditionPurpose;
  /** The steps the condition speaks of, its own included. */
  scope: readonly PlanStep[];
}

/**
 * Conditions whose names nobody knows, whose types do not fit, that can never hold, or that speak of no step.
 */
export function checkConditions(context: CompileContext, draft: WorkflowDraft, names: Names): void {
  const checker = new ConditionChecker(context, draft, names);
  const byPhase = new Map<string, PlanStep[]>();
  for (const { plan } of draft.steps) {
    const members = byPhase.get(plan.phase);
    if (members === undefined) byPhase.set(plan.phase, [plan]);
    else members.push(plan);
  }
  for (const phase of draft.phases) {
    if (phase.gate === undefined) continue;
    checker.check({ written: phase.gate, purpose: 'phase_gate', scope: byPhase.get(phase.plan.id) ?? [] });
  }
  for (const step of draft.steps) {
    if (step.conditions.length === 0) continue;
    const dependencies = step.plan.dependsOn.map(({ step: id }) => names.steps.get(id)?.plan).filter((plan) => plan !== undefined);
    for (const { written, purpose } of step.conditions) {
      checker.check({ written, purpose, scope: scopeOf(purpose, step, dependencies) });
    }
  }
}

function scopeOf(purpose: ConditionPurpose, step: DraftStep, dependencies: readonly PlanStep[]): readonly PlanStep[] {
  if (purpose === 'requires' || purpose === 'if') return dependencies;
  return purpose === 'gate' ? [step.plan, ...dependencies] : [step.plan];
}

function speaksOfAny(name: Quantifier, scope: Use['scope']): boolean {
  if (name === 'all_tests_pass') return scope.some(isTest);
  return name === 'all_reviews_approved' ? scope.some(isReview) : scope.length > 0;
}

class ConditionChecker {
  readonly #context: CompileContext;
  readonly #names: Names;
  readonly #inputs: ReadonlySet<string>;
  /** Metrics that monitors say they sample. */
  readonly #declared: ReadonlySet<string>;
  /** Which quantifiers have nothing to speak of in a scope, as far as they were looked up. */
  readonly #empty = new WeakMap<Use['scope'], Map<Quantifier, boolean>>();

  constructor(context: CompileContext, draft: WorkflowDraft, names: Names) {
    this.#context = context;
    this.#names = names;
    this.#inputs = new Set(draft.plan.inputs.map((input) => input.name));
    this.#declared = new Set(draft.steps.flatMap((step) => step.plan.monitor?.metrics ?? []));
  }

  check(use: Use): void {
    for (const node of walkCondition(use.written.condition)) this.#checkNames(use, node);
    const facts = findFacts(use.written.condition, {
      scopeSize: use.scope.length,
      onProblem: ({ node, code, severity, message, hint }) => {
        this.#report(use, node, { code, severity, message, hint });
      },
    });
    if (facts.type !== 'boolean' && facts.type !== 'any') {
      this.#report(use, use.written.condition, {
        code: 'condition_type',
        message: 'this is neither true nor false',
        hint: 'compare it with something, like `> 85%`',
      });
      return;
    }
    this.#checkConstant(use, facts);
  }

  #checkNames(use: Use, node: Condition): void {
    switch (node.op) {
      case 'metric':
        this.#checkMetric(use, node, node.name);
        break;
      case 'aggregate':
        this.#checkMetric(use, node, node.metric);
        break;
      case 'stepMetric':
        if (!this.#names.steps.has(node.step)) this.#reportStep(use, node, node.step, false);
        this.#checkMetric(use, node, node.name);
        break;
      case 'predicate':
        if (!this.#names.steps.has(node.target) && !this.#names.phases.has(node.target)) this.#reportStep(use, node, node.target, true);
        break;
      case 'input':
        this.#checkInput(use, node, node.name);
        break;
      case 'quantifier':
        this.#checkQuantifier(use, node, node.name);
        break;
      default:
        break;
    }
  }

  #checkMetric(use: Use, node: Condition, name: string): void {
    if (metricKindOf(name) !== undefined || this.#declared.has(name)) return;
    const isStep = this.#names.steps.has(name) || this.#names.phases.has(name);
    const suggestion = isStep ? undefined : this.#context.sink.suggest(name, () => [...knownMetricNames(), ...this.#declared]);
    this.#report(use, node, {
      code: 'unknown_metric',
      severity: 'warning',
      message: `no step is known to report \`${shorten(name)}\``,
      hint: isStep ? `to ask whether it passed, write \`passed(${name})\`` : didYouMean(suggestion),
    });
  }

  #checkInput(use: Use, node: Condition, name: string): void {
    if (this.#inputs.has(name)) return;
    this.#report(use, node, {
      code: 'unknown_input',
      severity: 'warning',
      message: `the run input \`${shorten(name)}\` is not declared`,
      hint: didYouMean(this.#context.sink.suggest(name, this.#inputs)) ?? 'declare it under `inputs:`',
    });
  }

  #checkQuantifier(use: Use, node: Condition, name: Quantifier): void {
    if (name === 'any_error' || name === 'critical_error') return;
    // A condition may ask a thousand times of thousands of steps.
    const isEmpty = this.#emptyIn(use.scope).get(name) ?? !speaksOfAny(name, use.scope);
    this.#emptyIn(use.scope).set(name, isEmpty);
    if (!isEmpty) return;
    const what = name === 'all_tests_pass' ? 'test step' : name === 'all_reviews_approved' ? 'review step' : 'step';
    this.#report(use, node, {
      code: 'empty_quantifier',
      severity: 'warning',
      message: `\`${name}\` speaks of no step here: it stays unknown and never passes`,
      hint: use.purpose === 'requires' || use.purpose === 'if' ? `let the step depend on a ${what}` : `there is no ${what} in its scope`,
    });
  }

  #emptyIn(scope: Use['scope']): Map<Quantifier, boolean> {
    const known = this.#empty.get(scope);
    if (known !== undefined) return known;
    const empty = new Map<Quantifier, boolean>();
    this.#empty.set(scope, empty);
    return empty;
  }

  #checkConstant(use: Use, facts: Facts): void {
    if (facts.constant !== false) return;
    const isAlarm = use.purpose === 'alert' || use.purpose === 'rollback';
    const code = use.purpose === 'if' ? 'unreachable_step' : 'never_passes';
    const message = isAlarm
      ? 'this can never hold, so it never fires'
      : use.purpose === 'if'
        ? 'this can never hold, so the step can never run'
        : 'this can never hold';
    this.#report(use, use.written.condition, { code, severity: isAlarm ? 'warning' : 'error', message });
  }

  #reportStep(use: Use, node: Condition, id: string, mayBePhase: boolean): void {
    const word = { text: id, span: use.written.spanOf(node), path: use.written.path };
    reportUnknownStep(this.#context, this.#names, word, { phases: mayBePhase });
  }

  #report(
    use: Use,
    node: Condition,
    found: { code: DiagnosticCode; severity?: 'error' | 'warning'; message: string; hint?: string | undefined },
  ): void {
    this.#context.sink.report({ ...found, path: use.written.path, span: use.written.spanOf(node) });
  }
}
