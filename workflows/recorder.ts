import type { LocalActivityOptions } from '@temporalio/workflow';
import { scheduleLocalActivity, workflowInfo } from '@temporalio/workflow';
import type {
  AssignmentReply,
  AssignmentRequest,
  RecordInput,
  RunChanges,
  RunRef,
  WaveInput,
  WaveOutput,
} from '../core/contract/local-activities';
import { localActivityNames } from '../core/contract/names';

/** Postgres may be away for hours: a recording is tried until it succeeds, and the run waits. Nothing is lost. */
export const localActivityOptions: LocalActivityOptions = {
  startToCloseTimeout: '30s',
  localRetryThreshold: '10s',
  retry: { initialInterval: 200, backoffCoefficient: 2, maximumInterval: '10s' },
};

export interface Recorder {
  /** Records the changes and asks for agents, in one transaction. */
  assign(changes: RunChanges, requests: AssignmentRequest[], atMs: number): AssignmentReply[] | Promise<AssignmentReply[]>;
  record(changes: RunChanges, atMs: number): void | Promise<void>;
}

/** More recordings than one workflow task can hold. */
const maxRecordingsOfTask = 10_000;

/**
 * Numbers every recording, so that one that is carried out twice (local activities run at least once) is applied once. The
 * history's length is in the number: a workflow task that was lost after its recording (a killed worker; a task that the server
 * closed because more than 100 signals had piled up) is done again with all that has arrived since, and what it records then is
 * another recording. What both hold is applied twice: projections do not mind, and the audit rather says a thing twice than never.
 */
export function createRecorder(run: RunRef, agentSet: string): Recorder {
  let task = 0;
  let ofTask = 0;
  const nextSequence = (): number => {
    const { historyLength } = workflowInfo();
    ofTask = historyLength === task ? ofTask + 1 : 1;
    task = historyLength;
    return historyLength * maxRecordingsOfTask + ofTask;
  };
  return {
    async assign(changes, requests, atMs) {
      const input: WaveInput = { run, agentSet, atMs, changes: { ...changes, sequence: nextSequence() }, requests };
      const summary = requests.length === 1 ? `agent for ${requests[0]?.path}` : `agents for ${requests.length} steps`;
      const output = await scheduleLocalActivity<WaveOutput>(localActivityNames.wave, [input], { ...localActivityOptions, summary });
      return output.replies;
    },
    async record(changes, atMs) {
      const input: RecordInput = { run, atMs, changes: { ...changes, sequence: nextSequence() } };
      await scheduleLocalActivity(localActivityNames.record, [input], localActivityOptions);
    },
  };
}
