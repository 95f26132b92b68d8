import type { Actor, AlertRecord } from '../contract/local-activities';
import { audit, type Run } from './run';

/** So many the run itself remembers; all of them are in Postgres. */
const maxKept = 1_000;

/** Remembers an alert, and what it says in the audit. */
export function addAlert(run: Run, alert: Omit<AlertRecord, 'atMs'>, { actor, object }: { actor: Actor; object: string }): void {
  const record: AlertRecord = { ...alert, atMs: run.now };
  const { state, changes } = run;
  state.alerts.push(record);
  state.alertCount += 1;
  if (state.alerts.length > maxKept) state.alerts = forgetOldest(state.alerts);
  changes.alerts.push(record);
  changes.urgent = true;
  audit(run, {
    actor,
    action: `alert.${alert.state}`,
    object,
    reason: alert.message,
    details: { name: alert.name, severity: alert.severity },
  });
}

/** The newer half, and what still stands of the older one while there is room. */
function forgetOldest(alerts: readonly AlertRecord[]): AlertRecord[] {
  const newer = alerts.slice(-maxKept / 2);
  const keyOf = ({ step, name }: AlertRecord): string => `${step}\n${name}`;
  const spoken = new Set(newer.map(keyOf));
  const standing: AlertRecord[] = [];
  for (const alert of alerts.slice(0, -maxKept / 2).reverse()) {
    if (standing.length === maxKept / 4) break;
    if (spoken.has(keyOf(alert))) continue;
    spoken.add(keyOf(alert));
    if (alert.state === 'raised') standing.push(alert);
  }
  return [...standing.reverse(), ...newer];
}
