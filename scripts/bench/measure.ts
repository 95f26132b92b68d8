import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import type { Scenario } from './scenarios';
import { sides, startOf } from './sides';
import type { Side, StartSettings } from './sides';

export interface Measurement {
  /** From the first start to the last result. */
  wallMs: number;
  /** History events per run, their mean. */
  events: number;
  /** CPU time per run by part, where it can be read. */
  cpuMs: CpuTimes;
}

export interface CpuTimes {
  worker: number;
  temporal?: number;
  postgres?: number;
}

export interface Meter {
  client: Client;
  settings: StartSettings;
  /** CPU time used so far by the worker of a side and by the servers. */
  readCpu(side: Side): Promise<CpuTimes>;
}

export type Measurements = Record<Side, Measurement[]>;

const historyBatch = 20;

/**
 * Runs every side once per round, side by side in time, and each round begins with another side: neither the drift of the
 * machine nor what the previous run left behind favours one. The first round only warms up.
 */
export async function measureScenario(
  meter: Meter,
  scenario: Scenario,
  options: { repetitions: number; wanted: readonly Side[]; onRound?: (round: number) => void },
): Promise<Measurements> {
  const measured: Measurements = { bare: [], unrecorded: [], handRecorded: [], recorded: [] };
  const order = sides.filter((side) => options.wanted.includes(side));
  for (let round = 0; round <= options.repetitions; round++) {
    options.onRound?.(round);
    for (let turn = 0; turn < order.length; turn++) {
      const side = order[(round + turn) % order.length] ?? 'bare';
      const isWarmUp = round === 0;
      const measurement = await measureOnce(meter, isWarmUp ? { ...scenario, runs: Math.min(scenario.runs, 10) } : scenario, side);
      if (!isWarmUp) measured[side].push(measurement);
    }
  }
  return measured;
}

export async function measureOnce({ client, settings, readCpu }: Meter, scenario: Scenario, side: Side): Promise<Measurement> {
  const { workflowType, taskQueue, args } = startOf(side, scenario, settings);
  const ids = Array.from({ length: scenario.runs }, () => `bench-${scenario.name}-${side}-${randomUUID().slice(0, 8)}`);
  const cpuBefore = await readCpu(side);
  const startedAt = performance.now();
  await Promise.all(
    ids.map(async (workflowId) => {
      const handle = await client.workflow.start(workflowType, { taskQueue, workflowId, args });
      await handle.result();
    }),
  );
  const wallMs = performance.now() - startedAt;
  const cpuAfter = await readCpu(side);
  return { wallMs, cpuMs: perRun(cpuBefore, cpuAfter, scenario.runs), events: await meanHistoryLength(client, ids) };
}

function perRun(before: CpuTimes, after: CpuTimes, runs: number): CpuTimes {
  const times: CpuTimes = { worker: (after.worker - before.worker) / runs };
  if (after.temporal !== undefined && before.temporal !== undefined) times.temporal = (after.temporal - before.temporal) / runs;
  if (after.postgres !== undefined && before.postgres !== undefined) times.postgres = (after.postgres - before.postgres) / runs;
  return times;
}

async function meanHistoryLength(client: Client, ids: string[]): Promise<number> {
  let total = 0;
  for (let from = 0; from < ids.length; from += historyBatch) {
    const lengths = await Promise.all(
      ids.slice(from, from + historyBatch).map(async (id) => (await client.workflow.getHandle(id).describe()).historyLength),
    );
    for (const length of lengths) total += length;
  }
  return total / ids.length;
}

/** Events of one run by type: shows that both sides did the same work, and what else a side writes. */
export async function countEventTypes(meter: Meter, scenario: Scenario, side: Side): Promise<Map<string, number>> {
  const { workflowType, taskQueue, args } = startOf(side, scenario, meter.settings);
  const workflowId = `bench-${scenario.name}-${side}-${randomUUID().slice(0, 8)}`;
  const handle = await meter.client.workflow.start(workflowType, { taskQueue, workflowId, args });
  await handle.result();
  const counts = new Map<string, number>();
  const { events } = await handle.fetchHistory();
  for (const { eventType } of events ?? []) {
    const name = (temporal.api.enums.v1.EventType[eventType ?? 0] ?? 'unknown').replace('EVENT_TYPE_', '').toLowerCase();
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
