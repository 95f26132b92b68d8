import { decisionMakersOf, peopleOf } from './reference-rules';
import { openGates, type Gate, type World } from './reference-world';

/** The time that the gates of the reference model have: reminders, levels of escalation, deadlines. */

const hourMs = 3_600_000;

/** Time that counts for gates: it stands still while the run is paused with `freeze`. */
export function gateClock({ nowMs, frozenSinceMs = nowMs, frozenMs }: World): number {
  return frozenSinceMs - frozenMs;
}

export function nextGateMoments(world: World): number[] {
  if (world.frozenSinceMs !== undefined) return [];
  return openGates(world)
    .flatMap(({ deadlineMs = [], reminderMs = [] }) => [deadlineMs, reminderMs].flat())
    .map((atMs) => atMs + world.frozenMs);
}

/** An approval has its timeout, and a reminder at half; what is held back goes to the next level when nobody has decided for some time. */
export function startClock(world: World, gate: Gate): void {
  const nowMs = gateClock(world);
  const { approval, isOverride, kind, step } = gate;
  if (isOverride) {
    const isUrgent = kind === 'blocked' && step?.plan.ifBlocked?.kind === 'escalate';
    if (!isUrgent || !askNewcomers(world, gate)) gate.reminderMs = nowMs + escalateAfter(world, gate);
  } else if (approval !== undefined) {
    gate.deadlineMs = nowMs + approval.timeoutMs;
    gate.reminderMs = nowMs + approval.timeoutMs / 2;
  }
}

function escalateAfter({ script: { plan } }: World, { step }: Gate): number {
  return step?.plan.escalateAfterMs ?? plan.escalateAfterMs ?? hourMs;
}

interface Level {
  to: string[];
  afterMs?: number;
}

/** The levels of the plan; for what is held back, where the plan has none, the decision-makers. */
function levelsOf({ script: { plan, humans } }: World, { isOverride }: Gate): Level[] {
  return plan.escalation.length > 0 || !isOverride ? plan.escalation : [{ to: decisionMakersOf(humans) }];
}

/** Puts the gate before the next level that adds anybody. False where none does. */
export function askNewcomers(world: World, gate: Gate): boolean {
  const isNew = (person: string): boolean => gate.approvers.length > 0 && !gate.approvers.includes(person);
  const place = levelsOf(world, gate).findIndex(({ to }, index) => index >= gate.level && peopleOf(world.script.plan, to).some(isNew));
  if (place === -1) return false;
  gate.level = place;
  escalate(world, gate);
  return true;
}

/** Those of the next level may vote too, for the time that it has. */
function escalate(world: World, gate: Gate): void {
  const { to, afterMs } = levelsOf(world, gate)[gate.level]!;
  gate.level += 1;
  if (gate.approvers.length > 0) gate.approvers = [...new Set([...gate.approvers, ...peopleOf(world.script.plan, to)])];
  world.decisions.push(`${world.nowMs} ${gate.id} escalated to ${to.join(', ')}`);
  if (gate.isOverride) gate.reminderMs = gateClock(world) + (afterMs ?? escalateAfter(world, gate));
  else Object.assign(gate, { reminderMs: undefined, deadlineMs: gateClock(world) + (afterMs ?? hourMs) });
}

/** Deadlines and reminders that have come, by name as timers that fire together do. Gives the gates that have no more time. */
export function passTime(world: World): Gate[] {
  if (world.frozenSinceMs !== undefined) return [];
  const nowMs = gateClock(world);
  const expired: Gate[] = [];
  for (const gate of openGates(world).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    if (gate.deadlineMs !== undefined && gate.deadlineMs <= nowMs) {
      const canEscalate = gate.approval?.onTimeout === 'escalate' && gate.level < levelsOf(world, gate).length;
      if (canEscalate) escalate(world, gate);
      else expired.push(gate);
    } else if (gate.reminderMs !== undefined && gate.reminderMs <= nowMs) {
      delete gate.reminderMs;
      // Silence overrides nothing.
      if (!gate.isOverride || !askNewcomers(world, gate)) world.decisions.push(`${world.nowMs} ${gate.id} reminded`);
    }
  }
  return expired;
}
