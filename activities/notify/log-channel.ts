import type { Delivery } from './delivery';

const alarming = new Set(['blocked', 'failed', 'late']);

/** A line of the worker's log. */
export function sendToLog({ notice, log }: Delivery): Promise<string> {
  const { event, kind, title, text, key, run, gate, alert } = notice;
  const isAlarm = alarming.has(event) || alert?.state === 'raised';
  log[isAlarm ? 'warn' : 'info'](title, {
    notice: key,
    event,
    kind,
    run: run.id,
    ...(gate && { gate: gate.id, approve: gate.commands.approve }),
    ...(alert && { step: alert.step, severity: alert.severity }),
    text,
  });
  return Promise.resolve('log');
}
