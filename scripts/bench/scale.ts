import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils';
import { Worker } from '@temporalio/worker';
import { defaultTaskQueue } from '../../core/contract/names';
import type { StartInput } from '../../core/contract/start-input';
import { connectDatabase } from '../../db/connect';
import { payloadConverterPath } from '../../workers/bundle';
import { layerDependencies, layerStep } from './baseline/graphs';
import { table } from './report';
import { withServers } from './servers';
import { readWorkflowTasks } from './workflow-tasks';

const shape = { layers: 100, width: 100 };
/** It runs while the others go on, and has to end before the run can continue as new. */
const longStepMs = 30_000;

/** One run of 10,000 steps and a long one beside them: whether it completes, and what its histories are like. */
export async function measureScale({ signal, say }: { signal: AbortSignal; say: (line: string) => void }): Promise<string> {
  return withServers(
    { kinds: ['ours'], durable: false, overrides: {}, signal },
    async ({ environment: { databaseUrl, dataDir }, client }) => {
      const input: StartInput = { source: sourceOf(), agents: { source: agentsOf() }, initiator: 'bench' };
      say(`scale: ${shape.layers * shape.width} steps, one of which takes ${longStepMs / 1_000} s`);
      const startedAt = performance.now();
      const handle = await client.workflow.start('bench-scale', { taskQueue: defaultTaskQueue, workflowId: 'bench-scale', args: [input] });
      const { status, steps } = (await handle.result()) as { status: string; steps: Record<string, number> };
      const wallMs = performance.now() - startedAt;
      const executions = await readExecutions(client, databaseUrl);
      const replays = await replay(readFileSync(join(dataDir, 'bench-ours.js'), 'utf8'), executions);
      const count = Object.values(steps).reduce((sum, n) => sum + n, 0);
      const events = executions.reduce((sum, { history }) => sum + (history.events?.length ?? 0), 0);
      const rows = executions.map(({ runId, history }, index) => [
        String(index + 1),
        String(history.events?.length ?? 0),
        readWorkflowTasks(history).longestMs.toFixed(0),
        (replays.get(runId) ?? Number.NaN).toFixed(0),
      ]);
      return [
        `${count} steps: ${status} in ${(wallMs / 1_000).toFixed(1)} s (${((count / wallMs) * 1_000).toFixed(0)} steps/s), ${(events / count).toFixed(2)} events a step`,
        '',
        table(['execution', 'events', 'longest workflow task, ms', 'replay, ms'], rows),
      ].join('\n');
    },
  );
}

function sourceOf(): string {
  const steps: string[] = [];
  for (let layer = 0; layer < shape.layers; layer += 1) {
    for (let place = 0; place < shape.width; place += 1) {
      const needs = layerDependencies(shape, layer, place);
      steps.push(`  ${layerStep(layer, place)}: {agent: developer${needs.length > 0 ? `, dependencies: [${needs.join(', ')}]` : ''}}`);
    }
  }
  // The long one takes the place of the last: 10,000 are the most that a file may have.
  steps[steps.length - 1] = '  long: {agent: tester}';
  return `${['Workflow: bench-scale', 'allow_concurrent_agents: 1000', 'Steps:', ...steps].join('\n')}\n`;
}

function agentsOf(): string {
  return `agents:
  - {id: developer-1, role: developer, capacity: 1000, executor: {kind: simulate, duration: 0s}}
  - {id: tester-1, role: tester, executor: {kind: simulate, duration: ${longStepMs / 1_000}s}}
`;
}

interface Execution {
  runId: string;
  history: History;
}

async function readExecutions(client: Client, databaseUrl: string): Promise<Execution[]> {
  const db = await connectDatabase(databaseUrl);
  try {
    const rows = await db
      .selectFrom('audit_events')
      .select(['root_run_id', 'body'])
      .where('body', 'like', '{"action":"run.continued"%')
      .orderBy('seq')
      .execute();
    const root = rows[0]?.root_run_id ?? (await client.workflow.getHandle('bench-scale').describe()).runId;
    const later = rows.map(({ body }) => (JSON.parse(body) as { details: { runId: string } }).details.runId);
    const executions: Execution[] = [];
    for (const runId of [root, ...later])
      executions.push({ runId, history: await client.workflow.getHandle('bench-scale', runId).fetchHistory() });
    return executions;
  } finally {
    await db.destroy();
  }
}

async function replay(code: string, executions: readonly Execution[]): Promise<Map<string, number>> {
  const took = new Map<string, number>();
  for (const { runId, history } of executions) {
    const startedAt = performance.now();
    const options = { dataConverter: { payloadConverterPath }, workflowBundle: { code } };
    for await (const { error } of Worker.runReplayHistories(options, [{ workflowId: 'bench-scale', history }])) {
      if (error !== undefined) throw error;
    }
    took.set(runId, performance.now() - startedAt);
  }
  return took;
}
