import { predict } from './reference-model';
import type { EngineDriver } from './engine-driver';
import { findBrokenLaw } from './run-laws';
import type { Outcome, RunScript } from './run-script';
import { runEngine } from './scripted-engine';

/** Where the engine and the reference model part, or which law both break, in words; empty where all is well. */
export function compareWithModel(script: RunScript, look?: (driver: EngineDriver) => void): string {
  const predicted = predict(script);
  let outcome: Outcome;
  let driver: EngineDriver;
  try {
    ({ outcome, driver } = runEngine(script));
  } catch (error) {
    return `the engine: ${(error as Error).message}`;
  }
  look?.(driver);
  const [expected, found] = [linesOf(predicted), linesOf(outcome)];
  const place = found.findIndex((line, index) => line !== expected[index]);
  if (place === -1 && found.length === expected.length) return findBrokenLaw(script.plan, driver, script.agents);
  const at = place === -1 ? found.length : place;
  return `the engine: ${found[at] ?? 'nothing more'}; the reference model: ${expected[at] ?? 'nothing more'}`;
}

/** By time, so that the first difference is the first one that happened. */
function linesOf({ status, endedAtMs, steps, launches, decisions }: Outcome): string[] {
  const timeOf = (line: string): number => Number(line.split(' ')[0]);
  return [
    ...[...launches, ...decisions]
      .map((line, index) => ({ line, index }))
      .sort((a, b) => timeOf(a.line) - timeOf(b.line) || a.index - b.index)
      .map(({ line }) => line),
    `${endedAtMs} the end: ${status}`,
    ...Object.entries(steps).map(([id, state]) => `${id} ${state}`),
  ];
}
