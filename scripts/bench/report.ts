import type { CpuTimes, Measurement, Measurements } from './measure';
import type { Scenario } from './scenarios';
import { comparisonsOf, sides, sideTitles } from './sides';
import type { Side } from './sides';
import { quantile, spreadOf, spreadOfRatios } from './statistics';
import type { Spread } from './statistics';

export interface ScenarioReport {
  scenario: Scenario;
  measurements: Measurements;
  /** One run's events by type, for the sides that were measured. */
  eventTypes: Partial<Record<Side, Map<string, number>>>;
}

export interface Verdict {
  scenario: string;
  comparison: string;
  ratio: Spread;
  /** Set where the two are subtracted, not divided. */
  unit?: 'ms';
  goal?: number;
  met?: boolean;
}

/** Every comparison that has both of its sides measured. */
export function judge({ scenario, measurements }: ScenarioReport): Verdict[] {
  return comparisonsOf(scenario).flatMap(({ name, numerator, denominator, measure, goal }) => {
    const values = (side: Side): number[] => measurements[side].map((each) => each[measure]);
    if (values(numerator).length === 0 || values(denominator).length === 0) return [];
    const ratio = spreadOfRatios(values(numerator), values(denominator));
    const verdict: Verdict = { scenario: scenario.name, comparison: name, ratio };
    // Compared as it is printed.
    if (goal !== undefined) Object.assign(verdict, { goal, met: Number(ratio.median.toFixed(2)) <= goal });
    return [verdict];
  });
}

/** Markdown, so that the output of a run can stand in the docs as it is. */
export function renderVerdicts(verdicts: readonly Verdict[]): string {
  return table(
    ['scenario', 'compared', 'ratio', 'middle half', 'pairs', 'goal', ''],
    verdicts.map(({ scenario, comparison, ratio, unit, goal, met }) => [
      scenario,
      comparison,
      `${show(ratio.median, unit)}`,
      `${show(ratio.low, unit)}–${show(ratio.high, unit)}`,
      String(ratio.n),
      goal === undefined ? '' : `≤ ${show(goal, unit)}`,
      met === undefined ? '' : met ? 'met' : '**not met**',
    ]),
  );
}

function show(value: number, unit: Verdict['unit']): string {
  return unit === undefined ? value.toFixed(2) : `${value.toFixed(0)} ${unit}`;
}

/** What the ratios were made of. */
export function renderMeasurements(reports: readonly ScenarioReport[]): string {
  const rows = reports.flatMap(({ scenario, measurements }) =>
    sides
      .filter((side) => measurements[side].length > 0)
      .map((side) => {
        const of = (read: (each: Measurement) => number | undefined): string => renderSpread(measurements[side].map(read));
        return [
          scenario.name,
          sideTitles[side],
          of(({ wallMs }) => wallMs),
          of(({ events }) => events),
          ...(['worker', 'temporal', 'postgres'] as const).map((part: keyof CpuTimes) => of(({ cpuMs }) => cpuMs[part])),
        ];
      }),
  );
  return table(['scenario', 'side', 'wall ms', 'events a run', 'CPU ms a run: worker', 'Temporal', 'Postgres'], rows);
}

function renderSpread(values: (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return '';
  const { median } = spreadOf(known);
  const spread = median === 0 ? 0 : ((quantile(known, 0.75) - quantile(known, 0.25)) / 2 / median) * 100;
  return `${median.toFixed(0)}${spread >= 1 ? ` ± ${spread.toFixed(0)} %` : ''}`;
}

export function renderEventTypes({ scenario, eventTypes }: ScenarioReport): string {
  const measured = sides.filter((side) => eventTypes[side]);
  const names = [...new Set(measured.flatMap((side) => [...(eventTypes[side]?.keys() ?? [])]))].sort();
  const rows = names.map((name) => [name, ...measured.map((side) => String(eventTypes[side]?.get(name) ?? 0))]);
  return table([`events of ${scenario.name}`, ...measured.map((side) => sideTitles[side])], rows);
}

/** Markdown. */
export function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: string[]): string => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
