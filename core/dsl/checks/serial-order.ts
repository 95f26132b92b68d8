import type { DraftStep, WorkflowDraft } from '../draft';

/**
 * What file order promises inside a serial phase. Its steps run one at a time, the first that is ready: so a step that is always
 * ready in its turn has run before every later one, with no dependency between them.
 */
export class SerialOrder {
  /** Steps that are always ready in their turn, by id, each with its phase and its place in the file. */
  readonly #prompt = new Map<string, { phase: string; order: number }>();

  constructor(draft: WorkflowDraft) {
    const phaseIndex = new Map(draft.phases.map(({ plan }, index) => [plan.id, index]));
    // Without a barrier the steps of a phase do not become ready together.
    const serial = new Set(draft.phases.filter(({ plan }) => plan.serial && plan.barrier).map(({ plan }) => plan.id));
    if (serial.size === 0) return;
    const phaseOfStep = new Map(draft.steps.map(({ plan }) => [plan.id, plan.phase]));
    for (const { plan } of draft.steps) {
      if (!serial.has(plan.phase) || !startsByItself(plan)) continue;
      const own = phaseIndex.get(plan.phase) ?? 0;
      const isReady = plan.dependsOn.every(({ step, when }) => {
        const other = phaseOfStep.get(step) ?? '';
        if (other !== plan.phase) return (phaseIndex.get(other) ?? own) < own;
        return when !== 'failed' && when !== 'skipped' && this.isBefore(step, plan);
      });
      if (isReady) this.#prompt.set(plan.id, { phase: plan.phase, order: plan.order });
    }
  }

  get isEmpty(): boolean {
    return this.#prompt.size === 0;
  }

  /** True when the step has run before every later one of its serial phase. */
  hasTurn(id: string): boolean {
    return this.#prompt.has(id);
  }

  /** True when `earlier` has run before `later` by the order of their serial phase. */
  isBefore(earlier: string, later: Pick<DraftStep['plan'], 'phase' | 'order'>): boolean {
    const found = this.#prompt.get(earlier);
    return found?.phase === later.phase && found.order < later.order;
  }
}

/** One that waits for a person before it starts lets the others pass. */
function startsByItself({ automatic, approval }: DraftStep['plan']): boolean {
  return automatic && approval?.when !== 'before';
}
