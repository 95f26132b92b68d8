import fc from 'fast-check';
import type { AdjustVerdict } from '../../contract/adjustments';
import { startMs, type EngineDriver } from '../../../test/support/engine-driver';
import { drive, planCase, planOf } from '../../../test/support/random-plan';
import { findBrokenLaw } from '../../../test/support/run-laws';
import type { Plan } from '../../plan/types';
import { isSettled } from '../transitions';

interface EditCase {
  /** So many of the last steps come only with the edit. */
  added: number;
  /** This step waits for nothing, and is of another role, until the edit. */
  changed: number;
  atMs: number;
}

const editCase: fc.Arbitrary<EditCase> = fc.record({
  added: fc.integer({ min: 0, max: 5 }),
  changed: fc.integer({ min: 0, max: 20 }),
  atMs: fc.integer({ min: 0, max: 12 }).map((n) => n * 700),
});

function planBefore(plan: Plan, { added, changed }: EditCase): Plan {
  const kept = plan.steps.slice(0, Math.max(1, plan.steps.length - added));
  return { ...plan, steps: kept.map((step, index) => (index === changed ? { ...step, dependsOn: [], role: 'poet' } : step)) };
}

test('a run that is edited anywhere ends, with every law of the plan that it follows then', () => {
  const said = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(planCase, editCase, fc.boolean(), (one, edit, restoreAlways) => {
      const after = planOf(one);
      const before = planBefore(after, edit);
      const kind = before.steps.length < after.steps.length ? ('add_step' as const) : ('edit_step' as const);
      let verdict: AdjustVerdict | undefined;
      let isAsked = false;
      const askOnce = (driver: EngineDriver): void => {
        if (isAsked) return;
        isAsked = true;
        driver.schedule(startMs + edit.atMs, (atMs) => ({
          type: 'adjusted',
          atMs,
          request: { adjustment: { kind, source: 'edited' }, by: { kind: 'person', id: 'ana' }, reason: 'r', via: 'update' },
          answer: (answer) => (verdict = answer),
        }));
      };
      const driver = drive(before, one, { afterTurn: askOnce, compile: () => after, restoreAlways });
      const { plan, planHash } = driver.engine.followed;
      const isEdited = planHash === 'sha256:edited';
      expect(plan.steps).toHaveLength(isEdited ? after.steps.length : before.steps.length);
      // Who is told is not part of what is restored.
      if (!restoreAlways) expect(verdict?.ok ?? false).toBe(isEdited);
      expect(driver.finished?.reason ?? '').not.toMatch(/internal error/);
      expect(findBrokenLaw(plan, driver)).toBe('');
      expect(plan.steps.filter(({ id }) => !isSettled(driver.state.steps[id]!.state))).toEqual([]);
      if (driver.finished?.status === 'completed') expect(driver.engine.statusView(driver.nowMs).progress).toBe(1);
      said[isEdited ? 'accepted' : 'refused'] += 1;
    }),
    { numRuns: 150 },
  );
  expect(Math.min(said.accepted, said.refused)).toBeGreaterThan(20);
});
