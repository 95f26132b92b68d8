import type { PlanStep } from '../../plan/types';
import type { ConditionPurpose, WorkflowDraft } from '../draft';
import type { StepOrder } from './step-order';
import { SerialOrder } from './serial-order';

export interface Unordered {
  /** The step that a condition asks about too early. */
  step: string;
  /** It waits for the condition's own step, so it can never have run by then. */
  isAfter: boolean;
}

/** Which steps have run when a condition is asked. */
export class ConditionOrder {
  readonly #order: StepOrder;
  readonly #stepsOfPhase = new Map<string, string[]>();
  readonly #phaseIndex: ReadonlyMap<string, number>;
  readonly #barriers: readonly boolean[];
  readonly #serial: SerialOrder;
  readonly #steps: ReadonlyMap<string, PlanStep>;

  constructor(draft: WorkflowDraft, order: StepOrder) {
    this.#order = order;
    this.#serial = new SerialOrder(draft);
    this.#steps = new Map(draft.steps.map(({ plan }) => [plan.id, plan]));
    this.#phaseIndex = new Map(draft.phases.map((phase, index) => [phase.plan.id, index]));
    this.#barriers = draft.phases.map((phase) => phase.plan.barrier);
    for (const { plan } of draft.steps) {
      const steps = this.#stepsOfPhase.get(plan.phase);
      if (steps === undefined) this.#stepsOfPhase.set(plan.phase, [plan.id]);
      else steps.push(plan.id);
    }
  }

  /** The first step of `target` (a step or a phase) that has not run when the condition of `owner` is asked. */
  findUnordered(owner: string, purpose: ConditionPurpose, target: string): Unordered | undefined {
    if (purpose === 'phase_gate') return this.#findUnorderedForPhase(owner, target);
    if (owner === target && purpose !== 'requires' && purpose !== 'if') return undefined;
    const { nodes, reach } = this.#order;
    const own = nodes.get(owner) ?? 0;
    for (const step of this.#stepsIn(target)) {
      const node = nodes.get(step) ?? 0;
      const ownStep = this.#steps.get(owner);
      if (reach.isBefore(node, own) || (ownStep !== undefined && this.#serial.isBefore(step, ownStep))) continue;
      return { step, isAfter: step === owner || reach.isBefore(own, node) };
    }
    return undefined;
  }

  /** A phase's gate is asked when the steps of the phase have ended: they, and all that comes before one of them, have run. */
  #findUnorderedForPhase(owner: string, target: string): Unordered | undefined {
    const own = this.#phaseIndex.get(owner) ?? 0;
    const other = this.#phaseIndex.get(target);
    if (owner === target || (other !== undefined && other < own && this.#barriers.slice(other + 1, own + 1).some(Boolean)))
      return undefined;
    const { nodes, reach } = this.#order;
    const members = this.#stepsIn(owner).map((step) => nodes.get(step) ?? 0);
    for (const step of this.#stepsIn(target)) {
      const node = nodes.get(step) ?? 0;
      if (members.some((member) => member === node || reach.isBefore(node, member))) continue;
      return { step, isAfter: members.some((member) => reach.isBefore(member, node)) };
    }
    return undefined;
  }

  #stepsIn(target: string): readonly string[] {
    return this.#order.nodes.has(target) ? [target] : (this.#stepsOfPhase.get(target) ?? []);
  }
}
