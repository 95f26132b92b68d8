import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Client } from '@temporalio/client';
import type { StartInput } from '../../core/contract/start-input';
import type { BenchArguments } from './arguments';
import { listScheduleMs } from './baseline/list-schedule';
import type { SlottedSteps } from './baseline/list-schedule';
import { publishScenarios } from './definitions';
import { randomDag, slottedScenario } from './random-dags';
import { renderVerdicts, table } from './report';
import type { Verdict } from './report';
import { agentsFile } from './scenarios';
import type { Scenario } from './scenarios';
import { withServers } from './servers';
import { sides, startOf } from './sides';
import type { Side, WorkflowStart } from './sides';
import { spreadOfRatios } from './statistics';

const usualDags = 4;
const slotLimits = [4, 10];
/** Agents only wait, so that cases can share the machine; each runs its own sides one after the other. */
const casesAtOnce = 4;

/** Where list scheduling is compared, it is what was computed. */
type Scheduler = Side | 'exact';

const comparisons: { name: string; numerator: Side; denominator: Scheduler; goal?: number }[] = [
  { name: 'on : list scheduling', numerator: 'recorded', denominator: 'exact', goal: 1.05 },
  { name: 'off : list scheduling', numerator: 'unrecorded', denominator: 'exact', goal: 1.05 },
  { name: 'bare : list scheduling', numerator: 'bare', denominator: 'exact' },
  { name: 'on : bare', numerator: 'recorded', denominator: 'bare', goal: 1 },
  { name: 'off : bare', numerator: 'unrecorded', denominator: 'bare', goal: 1 },
  { name: 'on : hand-recorded', numerator: 'recorded', denominator: 'handRecorded', goal: 1 },
];

interface Case {
  dag: number;
  slotted: SlottedSteps;
  scenario: Scenario;
  /** From the start call to the result, and what list scheduling would take without any engine. */
  makespanMs: Partial<Record<Scheduler, number>>;
}

/**
 * Random steps of known durations in a limited number of slots, on every side and against exact list scheduling, which all of them
 * aim at: longest remaining path first.
 */
export async function measureMakespan(
  options: Pick<BenchArguments, 'repetitions' | 'sides' | 'durable' | 'overrides' | 'baselineHeartbeats'>,
  { signal, say }: { signal: AbortSignal; say: (line: string) => void },
): Promise<string> {
  const cases = createCases(options.repetitions ?? usualDags);
  const order = sides.filter((side) => options.sides.includes(side));
  return withServers({ ...options, kinds: ['ours', 'baseline'], signal }, async ({ client, environment }) => {
    const warmUp = slottedScenario('makespan-warm-up', { steps: [{ id: 'only', needs: [], durationMs: 1 }], slots: 1 });
    const scenarios = [warmUp, ...cases.map(({ scenario }) => scenario)];
    await publishScenarios(environment.databaseUrl, scenarios, readFileSync(agentsFile, 'utf8'));
    for (const side of order) await timeRun(client, slottedStart(side, warmUp, options));
    say(`makespan: ${cases.length} cases, ${casesAtOnce} at once`);
    const queue = [...cases.entries()];
    const runCases = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, { scenario, makespanMs }] = next;
        for (let turn = 0; turn < order.length; turn++) {
          const side = order[(index + turn) % order.length] ?? 'bare';
          makespanMs[side] = await timeRun(client, slottedStart(side, scenario, options));
        }
        say(`  ${scenario.title}`);
      }
    };
    await Promise.all(Array.from({ length: casesAtOnce }, runCases));
    return `${renderVerdicts(judge(cases))}\n\n${renderCases(cases, order)}`;
  });
}

function createCases(dags: number): Case[] {
  return Array.from({ length: dags }, (_, dag) => dag).flatMap((dag) =>
    slotLimits.map((slots) => {
      const slotted = { steps: randomDag(dag), slots };
      return {
        dag,
        slotted,
        scenario: slottedScenario(`makespan-${dag}-${slots}`, slotted),
        makespanMs: { exact: listScheduleMs(slotted) },
      };
    }),
  );
}

/**
 * As other scenarios are started, but with an agent of ours that takes what was estimated. It has a name of its own in every run: of one
 * that is known, history would be asked what its steps take, and all would take the same.
 */
function slottedStart(side: Side, scenario: Scenario, { baselineHeartbeats }: Pick<BenchArguments, 'baselineHeartbeats'>): WorkflowStart {
  const agent = `{id: agent-${randomUUID()}, role: developer, capacity: 1000, executor: {kind: simulate, success: 1, duration: estimate}}`;
  const agentsSource = `agents: [${agent}]\n`;
  const start = startOf(side, scenario, { agentsSource, baselineHeartbeats });
  if (side !== 'recorded') return start;
  const [input] = start.args as [StartInput];
  return { ...start, args: [{ ...input, agents: { source: agentsSource } } satisfies StartInput] };
}

async function timeRun(client: Client, { workflowType, taskQueue, args }: WorkflowStart): Promise<number> {
  const startedAt = performance.now();
  const handle = await client.workflow.start(workflowType, { taskQueue, workflowId: `${workflowType}-${randomUUID()}`, args });
  await handle.result();
  return performance.now() - startedAt;
}

function judge(cases: readonly Case[]): Verdict[] {
  return comparisons.flatMap(({ name, numerator, denominator, goal }) => {
    const valuesOf = (scheduler: Scheduler): number[] => cases.flatMap(({ makespanMs }) => makespanMs[scheduler] ?? []);
    const [ours, others] = [valuesOf(numerator), valuesOf(denominator)];
    if (ours.length === 0 || others.length === 0) return [];
    const ratio = spreadOfRatios(ours, others);
    const verdict: Verdict = { scenario: 'makespan', comparison: name, ratio };
    if (goal !== undefined) Object.assign(verdict, { goal, met: Number(ratio.median.toFixed(2)) <= goal });
    return [verdict];
  });
}

function renderCases(cases: readonly Case[], order: readonly Side[]): string {
  const compared = comparisons.filter(({ numerator, denominator }) =>
    [numerator, denominator].every((each) => each === 'exact' || order.includes(each)),
  );
  const rows = cases.map(({ dag, slotted: { steps, slots }, makespanMs }) => [
    String(dag),
    String(steps.length),
    String(slots),
    ((makespanMs.exact ?? Number.NaN) / 1_000).toFixed(2),
    ...compared.map(({ numerator, denominator }) => ((makespanMs[numerator] ?? Number.NaN) / (makespanMs[denominator] ?? 0)).toFixed(3)),
  ]);
  return table(['DAG', 'steps', 'slots', 'list scheduling, s', ...compared.map(({ name }) => name)], rows);
}
