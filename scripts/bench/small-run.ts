import type { Client, WorkflowHandle } from '@temporalio/client';
import type { StartInput } from '../../core/contract/start-input';
import type { RecordsOfRun } from './run-counts';

export const definition = 'bench-runs';
export const source = `Workflow: ${definition}
Steps:
  build: {agent: developer}
  test: {agent: tester, dependencies: [build]}
  review: {agent: code-reviewer, dependencies: [build], approval_required: true}
  package: {agent: developer, dependencies: [test, review]}
`;
export const recordsOfRun: RecordsOfRun = { steps: 4, approvals: 1 };

/** A registry whose agents do nothing but write the key of each piece of work into a file. */
export function agentsWriting(journal: string): string {
  const executor = `{kind: simulate, success: 1, duration: 0s, journal: ${JSON.stringify(journal)}}`;
  const lines = ['developer', 'tester', 'code-reviewer'].map(
    (role) => `  - {id: ${role}-1, role: ${role}, capacity: 1000, executor: ${executor}}`,
  );
  return `agents:\n${lines.join('\n')}\n`;
}

/** The approval is given with the start: it counts when its gate opens. */
export async function startSmallRun(client: Client, { id, taskQueue }: { id: string; taskQueue: string }): Promise<WorkflowHandle> {
  return client.workflow.signalWithStart(definition, {
    taskQueue,
    workflowId: id,
    args: [{ initiator: 'bench' } satisfies StartInput],
    signal: 'approve',
    signalArgs: [{ gate: 'review', by: 'bench' }],
  });
}
