import { writeFileSync } from 'node:fs';
import { setImmediate as giveWay } from 'node:timers/promises';
import { discountedUcb, discountFor, thompson, ucb1 } from '../baseline/bandits';
import type { StartPolicy } from '../baseline/selection-policy';
import { table } from '../report';
import { meanInterval } from '../statistics';
import type { MeanInterval } from '../statistics';
import { readOutcomes } from './outcomes';
import type { OutcomeTable } from './outcomes';
import { blindToTypes, documented, loadOnly, random } from './policies';
import { replay } from './replay';
import { createSeeded } from './seeded';
import { variants } from './worlds';
import type { Variant } from './worlds';

const usualSeeds = 30;
const ours = 'explore';
/** No rival but a part of `explore` left out: what the task types are worth to it. */
const blind = 'explore, blind to types';
/** T of discounted UCB's discount. It is told how many tasks there will be; nobody else is. */
const horizonPlays = 500;

const policies: ReadonlyMap<string, StartPolicy> = new Map([
  [ours, documented('explore')],
  [blind, blindToTypes(documented('explore'))],
  ['exploit', documented('exploit')],
  ['load-only', loadOnly],
  ['random', random],
  ['UCB1', ucb1('byTaskType')],
  ['UCB1, pooled', ucb1('pooled')],
  ['discounted UCB', discountedUcb('byTaskType', discountFor(horizonPlays))],
  ['discounted UCB, pooled', discountedUcb('pooled', discountFor(horizonPlays))],
  ['Thompson', thompson('byTaskType')],
  ['Thompson, pooled', thompson('pooled')],
]);

/** One number a seed for each. */
interface Series {
  regretPer1000: number[];
  succeededShare: number[];
  largestShare: number[];
}

export interface VariantResult {
  variant: string;
  title: string;
  tasks: number;
  byPolicy: ReadonlyMap<string, Series>;
}

export interface SelectionOptions {
  /** Seeds: each draws a world, which every policy gets. */
  repetitions?: number;
  dataFile?: string;
  jsonFile?: string;
}

interface SelectionContext {
  signal?: AbortSignal;
  say: (line: string) => void;
}

/** Replays outcomes for every policy. Markdown. Throws AppError as readOutcomes does, and the signal's reason. */
export async function measureSelection(options: SelectionOptions, { signal, say }: SelectionContext): Promise<string> {
  const outcomes = readOutcomes(options.dataFile);
  const seeds = options.repetitions ?? usualSeeds;
  const results: VariantResult[] = [];
  for (const variant of variants) {
    say(`selection: ${variant.name}, ${seeds} seeds`);
    results.push(await measureVariant(variant, outcomes, { seeds, signal }));
  }
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(results.map(toJson), null, 2)}\n`);
  return renderResults(results, seeds);
}

export async function measureVariant(
  variant: Variant,
  outcomes: OutcomeTable,
  { seeds, signal }: { seeds: number; signal?: AbortSignal | undefined },
): Promise<VariantResult> {
  const byPolicy = new Map<string, Series>(
    [...policies.keys()].map((name) => [name, { regretPer1000: [], succeededShare: [], largestShare: [] }]),
  );
  let tasks = 0;
  for (let seed = 0; seed < seeds; seed += 1) {
    // Computing alone would never hear of an interrupt.
    await giveWay();
    signal?.throwIfAborted();
    const world = variant.create(outcomes, seed);
    tasks = world.tasks.length;
    for (const [index, [name, start]] of [...policies].entries()) {
      const result = replay(world, start(createSeeded(seed * policies.size + index + 1_000_000)));
      const series = byPolicy.get(name);
      series?.regretPer1000.push((result.regret / tasks) * 1_000);
      series?.succeededShare.push(result.succeeded / tasks);
      series?.largestShare.push(result.largestShare);
    }
  }
  return { variant: variant.name, title: variant.title, tasks, byPolicy };
}

/** Of a policy's regret less that of `explore`, seed by seed: above 0 where `explore` loses less. */
function against(result: VariantResult, policy: string): MeanInterval {
  const own = seriesOf(result, ours).regretPer1000;
  return meanInterval(seriesOf(result, policy).regretPer1000.map((regret, seed) => regret - (own[seed] ?? Number.NaN)));
}

type Standing = 'nothing to lose' | 'lowest' | 'within the interval of' | 'above';

/** Where `explore` stands among the policies: the lowest mean, or not clearly above that which has it. */
export function standingOf(result: VariantResult): { standing: Standing; lowest: string } {
  const byRegret = [...policies.keys()].filter((name) => name !== blind).toSorted((a, b) => meanOf(result, a) - meanOf(result, b));
  const lowest = byRegret[0] ?? ours;
  if (meanOf(result, byRegret.at(-1) ?? ours) === 0) return { standing: 'nothing to lose', lowest: ours };
  if (meanOf(result, ours) <= meanOf(result, lowest)) return { standing: 'lowest', lowest: ours };
  const { mean, margin } = against(result, lowest);
  return { standing: mean + margin >= 0 ? 'within the interval of' : 'above', lowest };
}

export function renderResults(results: readonly VariantResult[], seeds: number): string {
  const [reference] = results;
  return [
    `Pseudo-regret per 1,000 tasks, mean of ${seeds} seeds; every seed's world is the same for all policies. Behind it what it is more than that of`,
    'explore, seed by seed, with the 95 % interval.',
    ...(reference === undefined ? [] : ['', `${reference.title}:`, '', renderReference(reference)]),
    '',
    renderMatrix(results),
    '',
    renderStandings(results),
  ].join('\n');
}

function renderReference(result: VariantResult): string {
  return table(
    ['policy', 'regret per 1,000', 'more than explore', 'resolved', 'largest share'],
    [...policies.keys()].map((name) => [
      name,
      showInterval(meanInterval(seriesOf(result, name).regretPer1000)),
      name === ours ? '' : showInterval(against(result, name)),
      percent(meanInterval(seriesOf(result, name).succeededShare).mean),
      percent(meanInterval(seriesOf(result, name).largestShare).mean),
    ]),
  );
}

function renderMatrix(results: readonly VariantResult[]): string {
  return table(
    ['', ...results.map(({ variant }) => variant)],
    [...policies.keys()].map((name) => [
      name,
      ...results.map((result) => {
        const mean = meanOf(result, name).toFixed(0);
        if (name === ours) return mean;
        const more = against(result, name);
        return `${mean} (${showInterval(more)})`;
      }),
    ]),
  );
}

function renderStandings(results: readonly VariantResult[]): string {
  return table(
    ['variant', 'what', 'explore is', 'below exploit', 'below load-only', 'below itself blind to types', 'largest share: explore, exploit'],
    results.map((result) => {
      const shares = [ours, 'exploit'].map((name) => percent(meanInterval(seriesOf(result, name).largestShare).mean));
      return [
        result.variant,
        result.title,
        showStanding(standingOf(result)),
        showBelow(against(result, 'exploit')),
        showBelow(against(result, 'load-only')),
        showBelow(against(result, blind)),
        shares.join(', '),
      ];
    }),
  );
}

function showStanding({ standing, lowest }: { standing: Standing; lowest: string }): string {
  if (standing === 'above') return `**above** ${lowest}`;
  if (standing === 'within the interval of') return `${standing} ${lowest}`;
  return standing === 'lowest' ? 'the lowest' : standing;
}

function showBelow({ mean, margin }: MeanInterval): string {
  if (mean - margin > 0) return 'yes';
  return mean + margin < 0 ? '**no**' : 'level';
}

function showInterval({ mean, margin }: MeanInterval): string {
  return `${mean.toFixed(0)} ± ${margin.toFixed(0)}`;
}

function percent(value: number): string {
  return `${(value * 100).toFixed(1)} %`;
}

function meanOf(result: VariantResult, policy: string): number {
  return meanInterval(seriesOf(result, policy).regretPer1000).mean;
}

function seriesOf({ byPolicy, variant }: VariantResult, policy: string): Series {
  const series = byPolicy.get(policy);
  if (series === undefined) throw new RangeError(`${policy} was not measured in ${variant}`);
  return series;
}

function toJson({ byPolicy, ...rest }: VariantResult): unknown {
  return { ...rest, byPolicy: Object.fromEntries(byPolicy) };
}
