/** Steps that take a known time, and the rule that both engines start them by. */

export interface TimedStep {
  id: string;
  /** Ids of earlier steps of the list. */
  needs: string[];
  durationMs: number;
}

export interface SlottedSteps {
  steps: TimedStep[];
  /** Steps that may run at once. */
  slots: number;
}

/** Longest remaining path first, a step's own duration included; among equals the order of the list. */
export function byLongestPath(steps: readonly TimedStep[]): TimedStep[] {
  const pathMs = new Map<string, number>();
  for (const { id, needs, durationMs } of steps.toReversed()) {
    const ownMs = durationMs + (pathMs.get(id) ?? 0);
    pathMs.set(id, ownMs);
    for (const need of needs) pathMs.set(need, Math.max(pathMs.get(need) ?? 0, ownMs));
  }
  return steps.toSorted((a, b) => (pathMs.get(b.id) ?? 0) - (pathMs.get(a.id) ?? 0));
}

/**
 * The makespan, in ms, of list scheduling (Graham 1969): whenever a slot is free, the first ready step of the order starts. Nothing
 * but the steps takes time.
 */
export function listScheduleMs({ steps, slots }: SlottedSteps): number {
  const waiting = byLongestPath(steps);
  const endsMs = new Map<string, number>();
  let running: string[] = [];
  let nowMs = 0;
  while (waiting.length > 0) {
    running = running.filter((id) => (endsMs.get(id) ?? 0) > nowMs);
    const isReady = ({ needs }: TimedStep): boolean => needs.every((id) => (endsMs.get(id) ?? Infinity) <= nowMs);
    const next = running.length < slots ? waiting.findIndex(isReady) : -1;
    const [step] = next < 0 ? [] : waiting.splice(next, 1);
    if (step !== undefined) {
      endsMs.set(step.id, nowMs + step.durationMs);
      running.push(step.id);
    } else if (running.length > 0) {
      nowMs = Math.min(...running.map((id) => endsMs.get(id) ?? Infinity));
    } else throw new RangeError('no step can start: a need is no earlier step, or there are no slots');
  }
  return Math.max(0, ...endsMs.values());
}
