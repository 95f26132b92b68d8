import { findCycles, type Graph } from '../../plan/graph';
import type { PlanDependency } from '../../plan/types';
import type { Span } from '../document';
import type { DraftStep, WorkflowDraft } from '../draft';
import type { Word } from '../fields';
import type { CompileContext } from '../keyed-map';
import { limits } from '../limits';
import { type Names, reportUnknownStep } from './names';

/** Where each dependency is written: by place of the step in the draft, then by id of the step it waits for. */
export type DependencyPlaces = ReadonlyMap<string, Span>[];

/**
 * Fills `dependsOn` of every step: ids, phases (all their steps), conditions. Unknown names, a step that depends on itself, on
 * its own phase or on a later one that waits for it are errors.
 */
export function resolveDependencies(context: CompileContext, draft: WorkflowDraft, names: Names): DependencyPlaces {
  const resolver = new DependencyResolver(context, draft, names);
  return draft.steps.map((step) => resolver.resolve(step));
}

const noPlaces: ReadonlyMap<string, Span> = new Map();

class DependencyResolver {
  readonly #context: CompileContext;
  readonly #names: Names;
  readonly #phaseOrder: ReadonlyMap<string, number>;
  /** How many barriers there are up to each phase, its own included. */
  readonly #barriers: readonly number[];
  readonly #stepsOfPhase = new Map<string, DraftStep[]>();
  /** The dependencies of the step at hand, by the steps it waits for. */
  readonly #known = new Map<string, PlanDependency[]>();
  #edges = 0;

  constructor(context: CompileContext, draft: WorkflowDraft, names: Names) {
    this.#context = context;
    this.#names = names;
    this.#phaseOrder = new Map(draft.phases.map((phase, index) => [phase.plan.id, index]));
    let barriers = 0;
    this.#barriers = draft.phases.map((phase) => (barriers += phase.plan.barrier ? 1 : 0));
    for (const step of draft.steps) {
      const steps = this.#stepsOfPhase.get(step.plan.phase);
      if (steps === undefined) this.#stepsOfPhase.set(step.plan.phase, [step]);
      else steps.push(step);
    }
  }

  resolve(step: DraftStep): ReadonlyMap<string, Span> {
    if (step.dependencies.length === 0) return noPlaces;
    const places = new Map<string, Span>();
    this.#known.clear();
    for (const { word, when } of step.dependencies) {
      const target = this.#names.steps.get(word.text);
      if (target !== undefined) {
        if (target.plan.id === step.plan.id) this.#reportSelf(word);
        else if (!this.#isLater(step, target.plan.phase, word)) this.#add(step, places, { target, word, when });
        continue;
      }
      if (!this.#names.phases.has(word.text)) {
        reportUnknownStep(this.#context, this.#names, word, { phases: true });
        continue;
      }
      if (step.plan.phase === word.text) this.#reportOwnPhase(word);
      else if (!this.#isLater(step, word.text, word)) {
        for (const member of this.#stepsOfPhase.get(word.text) ?? []) {
          this.#add(step, places, { target: member, word, when, phase: word.text });
        }
      }
    }
    return places;
  }

  #add(
    step: DraftStep,
    places: Map<string, Span>,
    dependency: { target: DraftStep; word: Word; when: DraftStep['dependencies'][number]['when']; phase?: string },
  ): void {
    const { target, word, when, phase } = dependency;
    if (this.#edges > limits.expandedDependencies) return;
    const { id } = target.plan;
    const known = this.#known.get(id) ?? [];
    if (known.some((earlier) => earlier.when === when && earlier.phase === phase)) return;
    this.#checkReachable(step, { id, when, word, known });
    this.#edges += 1;
    if (this.#edges > limits.expandedDependencies) {
      this.#context.sink.report({
        code: 'too_large',
        message: `more than ${limits.expandedDependencies} dependencies`,
        hint: 'use the phases form: a phase waits for the one before without any dependency',
        path: word.path,
        span: word.span,
      });
      return;
    }
    if (known.length === 0) {
      places.set(id, word.span);
      this.#known.set(id, known);
    }
    const added: PlanDependency = phase === undefined ? { step: id, when } : { step: id, when, phase };
    known.push(added);
    step.plan.dependsOn.push(added);
  }

  /** One step cannot have passed, failed and been skipped at once. */
  #checkReachable(
    step: DraftStep,
    added: { id: string; when: PlanDependency['when']; word: Word; known: readonly PlanDependency[] },
  ): void {
    const { id, when, word, known } = added;
    const conflict = known.find((earlier) => earlier.when !== when && !compatible[when].includes(earlier.when));
    if (conflict === undefined) return;
    this.#context.sink.report({
      code: 'unreachable_step',
      message: `\`${step.plan.id}\` can never start: \`${id}\` cannot be both ${describeWhen(conflict.when)} and ${describeWhen(when)}`,
      path: word.path,
      span: word.span,
    });
  }

  /** True (and reported) when the phase comes after the step's own and waits for it. */
  #isLater(step: DraftStep, phase: string, word: Word): boolean {
    const own = this.#phaseOrder.get(step.plan.phase);
    const other = this.#phaseOrder.get(phase);
    if (own === undefined || other === undefined || other <= own) return false;
    if (this.#barriers[own] === this.#barriers[other]) return false;
    this.#context.sink.report({
      code: 'later_phase',
      message: `\`${word.text}\` belongs to a later phase, which waits for this one`,
      hint: `move the step to the phase \`${phase}\`, or set \`overlap: true\` there`,
      path: word.path,
      span: word.span,
    });
    return true;
  }

  #reportSelf(word: Word): void {
    this.#context.sink.report({ code: 'self_dependency', message: `\`${word.text}\` depends on itself`, path: word.path, span: word.span });
  }

  #reportOwnPhase(word: Word): void {
    this.#context.sink.report({
      code: 'later_phase',
      message: `a step cannot depend on its own phase \`${word.text}\``,
      hint: 'name the steps of the phase that it needs',
      path: word.path,
      span: word.span,
    });
  }
}

const compatible: Readonly<Record<PlanDependency['when'], readonly PlanDependency['when'][]>> = {
  holds: ['passed', 'skipped', 'done'],
  passed: ['holds', 'done'],
  skipped: ['holds', 'done'],
  failed: ['done'],
  done: ['holds', 'passed', 'failed', 'skipped'],
};

function describeWhen(when: string): string {
  return when === 'holds' ? 'passed or skipped' : when;
}

/**
 * The graph of the draft: steps by their place in the file, then one node per barrier phase's end, so that a barrier costs one
 * edge per step.
 */
export function graphOfDraft(draft: WorkflowDraft): { graph: Graph; nodes: ReadonlyMap<string, number> } {
  const nodes = new Map(draft.steps.map((step, node) => [step.plan.id, node]));
  const dependencies: number[][] = draft.steps.map(({ plan }) => {
    const found = plan.dependsOn.map((dependency) => nodes.get(dependency.step)).filter((node) => node !== undefined);
    return found.length < 2 ? found : [...new Set(found)];
  });
  if (draft.plan.form !== 'phases') return { graph: { dependencies }, nodes };
  const phaseIndex = new Map(draft.phases.map((phase, index) => [phase.plan.id, index]));
  const ends = draft.phases.map((_, index) => draft.steps.length + index);
  for (const [index] of draft.phases.entries()) dependencies.push(index === 0 ? [] : [ends[index - 1] ?? 0]);
  draft.steps.forEach((step, node) => {
    const index = phaseIndex.get(step.plan.phase);
    if (index === undefined) return;
    dependencies[ends[index] ?? 0]?.push(node);
    const before = ends[index - 1];
    if (draft.phases[index]?.plan.barrier === true && before !== undefined) dependencies[node]?.push(before);
  });
  return { graph: { dependencies }, nodes };
}

/**
 * Cycles among written dependencies, each at the reference that closes it. True when there are any. The ends of phases in the
 * graph are on none: a dependency on a later phase that waits is refused before.
 */
export function checkCycles(context: CompileContext, draft: WorkflowDraft, written: { graph: Graph; places: DependencyPlaces }): boolean {
  const { graph, places } = written;
  const cycles = findCycles(graph);
  for (const cycle of cycles) {
    const steps = cycle.nodes.map((node) => draft.steps[node]).filter((step) => step !== undefined);
    const references = cycle.nodes.map((node, index) => {
      const next = draft.steps[cycle.nodes[(index + 1) % cycle.nodes.length] ?? 0];
      const step = draft.steps[node];
      return { step, next, span: places[node]?.get(next?.plan.id ?? '') };
    });
    const closing = references.at(-1);
    const names = steps.map((step) => step.plan.id);
    const shown = names.length > 12 ? [...names.slice(0, 6), '…', ...names.slice(-5)] : names;
    context.sink.report({
      code: 'cycle',
      message: `the steps wait for each other in a circle: ${[...shown, names[0]].join(' → ')}`,
      hint: 'remove one of these dependencies',
      path: closing?.step?.path ?? [],
      span: closing?.span ?? closing?.step?.idSpan ?? { start: 0, end: 0 },
      related: references
        .slice(0, -1)
        .flatMap(({ step, next, span }) =>
          step === undefined || next === undefined || span === undefined
            ? []
            : [{ message: `\`${step.plan.id}\` waits for \`${next.plan.id}\``, span }],
        ),
    });
  }
  return cycles.length > 0;
}
