import { type Condition, type Quantifier, quantifiers } from '../../plan/condition';
import { walkCondition } from '../../plan/condition-children';
import { isReview, isTest } from '../../plan/condition-quantifiers';
import { knownMetricNames, metricKindOf } from '../../plan/metric-names';
import type { PlanDependency, PlanInput, PlanStep } from '../../plan/types';
import type { DiagnosticCode } from '../codes';
import { didYouMean } from '../diagnostic-sink';
import { shorten } from '../document';
import type { ConditionPurpose, DraftStep, WorkflowDraft } from '../draft';
import type { WrittenCondition } from '../fields';
import type { CompileContext } from '../keyed-map';
import type { StepOrder } from './step-order';
import { findFacts } from './condition-facts';
import type { Facts } from './condition-leaves';
import { ConditionOrder } from './condition-order';
import { type Names, reportUnknownStep } from './names';

interface Use {
  written: WrittenCondition;
  purpose: ConditionPurpose;
  /** The steps the condition speaks of, its own included. */
  scope: readonly PlanStep[];
  /** Whose condition it is: a step's or a phase's. */
  ownerId: string;
  /** What the step waits for, when the condition is asked after that. */
  dependsOn: readonly PlanDependency[];
}

/**
 * Conditions whose names nobody knows, whose types do not fit, that can never hold, that speak of no step, or of one that has not
 * run by then.
 */
export function checkConditions(context: CompileContext, draft: WorkflowDraft, names: Names, order: StepOrder | undefined): void {
  const checker = new ConditionChecker(context, draft, names, order);
  const byPhase = new Map<string, PlanStep[]>();
  for (const { plan } of draft.steps) {
    const members = byPhase.get(plan.phase);
    if (members === undefined) byPhase.set(plan.phase, [plan]);
    else members.push(plan);
  }
  for (const phase of draft.phases) {
    if (phase.gate === undefined) continue;
    // Nothing waits for an `async` step, a gate no more than the rest.
    const scope = (byPhase.get(phase.plan.id) ?? []).filter((plan) => !plan.async);
    checker.check({ written: phase.gate, purpose: 'phase_gate', scope, ownerId: phase.plan.id, dependsOn: [] });
  }
  for (const step of draft.steps) {
    if (step.conditions.length === 0) continue;
    const dependencies = step.plan.dependsOn.map(({ step: id }) => names.steps.get(id)?.plan).filter((plan) => plan !== undefined);
    for (const { written, purpose } of step.conditions) {
      const { id: ownerId, dependsOn } = step.plan;
      checker.check({ written, purpose, scope: scopeOf(purpose, step, dependencies), ownerId, dependsOn });
    }
  }
}

function scopeOf(purpose: ConditionPurpose, step: DraftStep, dependencies: readonly PlanStep[]): readonly PlanStep[] {
  return purpose === 'requires' || purpose === 'if' ? dependencies : [step.plan, ...dependencies];
}

function speaksOfAny(name: Quantifier, scope: Use['scope']): boolean {
  if (name === 'all_tests_pass') return scope.some(isTest);
  return name === 'all_reviews_approved' ? scope.some(isReview) : scope.length > 0;
}

/** How a dependency must have ended says which predicates of it are true or false from then on. */
function knownFrom(dependsOn: readonly PlanDependency[], { name, target }: Extract<Condition, { op: 'predicate' }>): boolean | undefined {
  for (const { step, when } of dependsOn) {
    if (step !== target || when === 'done') continue;
    if (when === 'holds') return name === 'failed' ? false : undefined;
    // One that passed may have been refused all the same.
    if (when === 'passed' && name === 'approved') return undefined;
    return name === when;
  }
  return undefined;
}

class ConditionChecker {
  readonly #context: CompileContext;
  readonly #names: Names;
  readonly #inputs: ReadonlyMap<string, PlanInput['type']>;
  /** Metrics that monitors say they sample. */
  readonly #declared: ReadonlySet<string>;
  /** Which quantifiers have nothing to speak of in a scope, as far as they were looked up. */
  readonly #empty = new WeakMap<Use['scope'], Map<Quantifier, boolean>>();
  readonly #order: ConditionOrder | undefined;

  constructor(context: CompileContext, draft: WorkflowDraft, names: Names, order: StepOrder | undefined) {
    this.#context = context;
    this.#names = names;
    this.#order = order && new ConditionOrder(draft, order);
    this.#inputs = new Map(draft.plan.inputs.map((input) => [input.name, input.type]));
    this.#declared = new Set(draft.steps.flatMap((step) => step.plan.monitor?.metrics ?? []));
  }

  check(use: Use): void {
    for (const node of walkCondition(use.written.condition)) this.#checkNames(use, node);
    const facts = findFacts(use.written.condition, {
      scopeSize: use.scope.some((step) => step.forEach !== undefined) ? Number.POSITIVE_INFINITY : use.scope.length,
      inputTypes: this.#inputs,
      known: (predicate) => knownFrom(use.dependsOn, predicate),
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
        if (this.#names.steps.has(node.step)) this.#checkOrder(use, node, node.step);
        else this.#reportStep(use, node, node.step, false);
        this.#checkMetric(use, node, node.name);
        break;
      case 'predicate':
        if (this.#names.steps.has(node.target) || this.#names.phases.has(node.target)) this.#checkOrder(use, node, node.target);
        else this.#reportStep(use, node, node.target, true);
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
    if (node.op !== 'stepMetric' && use.scope.length === 0) {
      this.#report(use, node, {
        code: 'unknown_metric',
        severity: 'warning',
        message: `no step reports \`${shorten(name)}\` here: ${use.purpose === 'phase_gate' ? 'the phase has no steps' : 'the step depends on nothing'}`,
        hint: `let it depend on the step that reports it, or name that step: \`steps.<id>.${shorten(name)}\``,
      });
      return;
    }
    if (metricKindOf(name) !== undefined || this.#declared.has(name)) return;
    const isStep = this.#names.steps.has(name) || this.#names.phases.has(name);
    const suggestion = isStep
      ? undefined
      : this.#context.sink.suggest(name, () => [...knownMetricNames(), ...quantifiers, ...this.#declared]);
    this.#report(use, node, {
      code: 'unknown_metric',
      severity: 'warning',
      message: `no step is known to report \`${shorten(name)}\``,
      hint: isStep ? `to ask whether it passed, write \`passed(${name})\`` : didYouMean(suggestion),
    });
  }

  /** A step that has not run by then has nothing to say. */
  #checkOrder(use: Use, node: Condition, id: string): void {
    const found = this.#order?.findUnordered(use.ownerId, use.purpose, id);
    if (found === undefined) return;
    const own = use.ownerId;
    if (found.step === own) {
      this.#report(use, node, {
        code: 'condition_unordered',
        message: `\`${own}\` asks about itself before it has run`,
        hint: 'a condition on its own result is `must_pass`',
      });
      return;
    }
    this.#report(use, node, {
      code: 'condition_unordered',
      severity: found.isAfter ? 'error' : 'warning',
      message: `\`${found.step}\` ${found.isAfter ? `waits for \`${own}\`` : `does not come before \`${own}\``}: nothing is known of it here`,
      hint: found.isAfter ? 'ask about a step before it' : `add \`depends_on: [${found.step}]\``,
    });
  }

  #checkInput(use: Use, node: Condition, name: string): void {
    if (this.#inputs.has(name)) return;
    this.#report(use, node, {
      code: 'unknown_input',
      severity: 'warning',
      message: `the run input \`${shorten(name)}\` is not declared`,
      hint: didYouMean(this.#context.sink.suggest(name, this.#inputs.keys())) ?? 'declare it under `inputs:`',
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
    const nodes = [...walkCondition(use.written.condition)];
    const denied = nodes.find((node) => node.op === 'predicate' && knownFrom(use.dependsOn, node) === false) as
      Extract<Condition, { op: 'predicate' }> | undefined;
    const hint = denied
      ? `to wait for that, write \`depends_on: [{step: ${denied.target}, when: ${denied.name === 'approved' ? 'passed' : denied.name}}]\``
      : nodes.some(({ op }) => op === 'count')
        ? 'a count goes up to the number of steps in its scope; lower the number, or widen the scope'
        : undefined;
    this.#report(use, use.written.condition, { code, severity: isAlarm ? 'warning' : 'error', message, hint });
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
