import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { defaultTaskQueue } from '../../core/contract/names';
import { connectDatabase } from '../../db/connect';
import type { BenchArguments } from './arguments';
import { publishScenarios } from './definitions';
import { table } from './report';
import { countRecords } from './run-counts';
import type { Count } from './run-counts';
import { readCpuMsOfTrees } from './server-cpu';
import { withServers } from './servers';
import { agentsWriting, definition, recordsOfRun, source, startSmallRun } from './small-run';
import { quantile } from './statistics';
import { readWorkflowTasks } from './workflow-tasks';
import type { WorkflowTasks } from './workflow-tasks';

const runsAtOnce = 1_000;
const historyBatch = 20;

interface Ended {
  id: string;
  /** From its own start call to its result. */
  ms: number;
  /** The failure's message; absent where it completed. */
  failure?: string;
}

/** A thousand small runs, started as fast as the client can: what they took, and whether anything of them was lost or done twice. */
export async function measureRuns(
  options: Pick<BenchArguments, 'durable' | 'overrides'>,
  { signal, say }: { signal: AbortSignal; say: (line: string) => void },
): Promise<string> {
  return withServers({ ...options, kinds: ['ours'], signal }, async ({ client, environment, workers }) => {
    const { databaseUrl, dataDir } = environment;
    const journal = join(dataDir, 'bench-runs.journal');
    await publishScenarios(databaseUrl, [{ name: 'runs', definition, source }], agentsWriting(journal));
    say(`runs: ${runsAtOnce} at once`);
    const ids = Array.from({ length: runsAtOnce }, (_, index) => `${definition}-${index}`);
    const took = await runAll(client, ids);
    const worker = await workers[0]?.readUsage();
    const cpuMs = {
      worker: worker?.cpuMs,
      Temporal: readServerCpuMs(environment.temporalPid),
      Postgres: readServerCpuMs(environment.postgresPid),
    };
    say('  reading what they left');
    const tasks = await readTasksOf(client, ids);
    const db = await connectDatabase(databaseUrl);
    try {
      const counts = await countRecords(db, { runs: runsAtOnce, each: recordsOfRun, journal });
      const facts = describe({ ...took, cpuMs, peakRssBytes: worker?.peakRssBytes ?? 0, tasks });
      return [...facts, ...firstFailures(took.ended), '', renderCounts(counts)].join('\n');
    } finally {
      await db.destroy();
    }
  });
}

interface Took {
  ended: Ended[];
  /** From the first start call to the answer of the last. */
  startedInMs: number;
  /** To the last result. */
  wallMs: number;
}

async function runAll(client: Client, ids: readonly string[]): Promise<Took> {
  const beganAt = performance.now();
  let startedInMs = 0;
  const onStarted = (): void => {
    startedInMs = performance.now() - beganAt;
  };
  const ended = await Promise.all(ids.map((id) => runOnce(client, id, onStarted)));
  return { ended, startedInMs, wallMs: performance.now() - beganAt };
}

function readServerCpuMs(pid: number | undefined): number | undefined {
  return pid === undefined ? undefined : readCpuMsOfTrees([pid]);
}

async function runOnce(client: Client, id: string, onStarted: () => void): Promise<Ended> {
  const startedAt = performance.now();
  const handle = await startSmallRun(client, { id, taskQueue: defaultTaskQueue });
  onStarted();
  const failure = await handle.result().then(
    () => undefined,
    (error: Error) => `${error.message}: ${(error.cause as Error | undefined)?.message ?? ''}`,
  );
  return { id, ms: performance.now() - startedAt, ...(failure !== undefined && { failure }) };
}

async function readTasksOf(client: Client, ids: readonly string[]): Promise<WorkflowTasks> {
  const all = { longestMs: 0, timedOut: 0 };
  for (let from = 0; from < ids.length; from += historyBatch) {
    const histories = await Promise.all(ids.slice(from, from + historyBatch).map((id) => client.workflow.getHandle(id).fetchHistory()));
    for (const { longestMs, timedOut } of histories.map(readWorkflowTasks)) {
      all.longestMs = Math.max(all.longestMs, longestMs);
      all.timedOut += timedOut;
    }
  }
  return all;
}

interface Facts extends Took {
  /** By process, since it began; undefined where it cannot be read. */
  cpuMs: Record<string, number | undefined>;
  peakRssBytes: number;
  tasks: WorkflowTasks;
}

function describe({ ended, startedInMs, wallMs, cpuMs, peakRssBytes, tasks }: Facts): string[] {
  const completed = ended.filter(({ failure }) => failure === undefined).length;
  const seconds = wallMs / 1_000;
  const times = ended.map(({ ms }) => ms);
  const show = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const cpu = Object.entries(cpuMs).flatMap(([part, ms]) => (ms === undefined ? [] : [`${part} ${(ms / ended.length).toFixed(0)} ms`]));
  return [
    `${completed} runs completed, ${ended.length - completed} failed, in ${show(wallMs)} (all started after ${show(startedInMs)}): ` +
      `${(completed / seconds).toFixed(1)} runs/s, ${((completed * recordsOfRun.steps) / seconds).toFixed(0)} steps/s`,
    `a run, from its start call to its result: median ${show(quantile(times, 0.5))}, longest ${show(Math.max(...times))}`,
    `CPU a run: ${cpu.join(', ')}; memory of the worker: ${(peakRssBytes / 2 ** 20).toFixed(0)} MiB at most`,
    `longest workflow task ${tasks.longestMs.toFixed(0)} ms; ${tasks.timedOut} timed out`,
  ];
}

function firstFailures(ended: readonly Ended[]): string[] {
  return ended.flatMap(({ id, failure }) => (failure === undefined ? [] : [`- ${id} failed: ${failure}`])).slice(0, 10);
}

function renderCounts(counts: readonly Count[]): string {
  return table(
    ['in Postgres', 'expected', 'found', ''],
    counts.map(({ what, expected, found }) => [what, String(expected), String(found), found === expected ? 'ok' : '**differs**']),
  );
}
