import type { LocalActivityOptions } from '@temporalio/workflow';
import { scheduleLocalActivity, workflowInfo } from '@temporalio/workflow';
import type {
  AddAgentsInput,
  AddAgentsOutput,
  AssignmentReply,
  AssignmentRequest,
  RecordInput,
  RecordOutput,
  RunChanges,
  RunRef,
  WaveInput,
  WaveOutput,
} from '../core/contract/local-activities';
import type { ContinuationNeed, HistorySize } from '../core/contract/history-limits';
import { localActivityNames } from '../core/contract/names';
import type { RecordingView } from '../core/contract/views';
import { createRecordingMarks } from './recording-marks';

/** Postgres may be away for hours: a recording is tried until it succeeds, and the run waits. Nothing is lost. */
export const localActivityOptions: LocalActivityOptions = {
  startToCloseTimeout: '30s',
  localRetryThreshold: '10s',
  retry: { initialInterval: 200, backoffCoefficient: 2, maximumInterval: '10s' },
};

export interface Recorder {
  /** Records the changes and asks for agents, in one transaction. One recording at a time: the next starts when this one is done. */
  assign(changes: RunChanges, requests: AssignmentRequest[], atMs: number): AssignmentReply[] | Promise<AssignmentReply[]>;
  record(changes: RunChanges, atMs: number): void | Promise<void>;
  /** More agents of a role, for the rest of the run. */
  addAgents(role: string, count: number): AddAgentsOutput | Promise<AddAgentsOutput>;
  readonly state: RecorderState;
}

export interface RecorderState {
  /** Since when the recording that is under way is tried. */
  sinceMs?: number;
  /** Items that the database refused. */
  refused: number;
  /** The history has become long. */
  continuation?: ContinuationNeed;
}

/** What the status says of it: nothing, while all is well. */
export function recordingViewOf(recorder: Recorder | undefined): { recording?: RecordingView } {
  const { sinceMs, refused } = recorder?.state ?? { refused: 0 };
  if (sinceMs === undefined && refused === 0) return {};
  return { recording: { refused, ...(sinceMs !== undefined && { since: new Date(sinceMs).toISOString() }) } };
}

/** `RecordingMarks` tells what is said twice. `agentSet`: as it is now, since agents may be added. `refused`: before. */
export function createRecorder(
  run: RunRef,
  { agentSet, countSignals, refused = 0 }: { agentSet(): string; countSignals(): number; refused?: number | undefined },
): Recorder {
  const state: RecorderState = { refused };
  const marks = createRecordingMarks();

  function begin(changes: RunChanges): RunChanges {
    state.sinceMs = Date.now();
    return marks.mark(changes, workflowInfo().historyLength);
  }

  function end(output: RecordOutput | null): void {
    delete state.sinceMs;
    marks.recorded(output?.audited, workflowInfo().historyLength);
    state.refused += output?.refused ?? 0;
    if (output?.continuation !== undefined) state.continuation = output.continuation;
  }

  function sizeOfHistory(): HistorySize {
    const { historyLength, historySize, continueAsNewSuggested } = workflowInfo();
    return { events: historyLength, bytes: historySize, signals: countSignals(), isLong: continueAsNewSuggested };
  }

  return {
    state,
    assign(changes, requests, atMs) {
      const summary = requests.length === 1 ? `agent for ${requests[0]?.path}` : `agents for ${requests.length} steps`;
      const input: WaveInput = { run, agentSet: agentSet(), atMs, changes: begin(changes), requests, history: sizeOfHistory() };
      return scheduleLocalActivity<WaveOutput>(localActivityNames.wave, [input], { ...localActivityOptions, summary }).then((output) => {
        end(output);
        return output.replies;
      });
    },
    record(changes, atMs) {
      const input: RecordInput = { run, atMs, changes: begin(changes), history: sizeOfHistory() };
      // Null in histories from before it answered.
      return scheduleLocalActivity<RecordOutput | null>(localActivityNames.record, [input], localActivityOptions).then(end);
    },
    addAgents(role, count) {
      const input: AddAgentsInput = { run, agentSet: agentSet(), role, count };
      const summary = `${count} more for ${role}`;
      return scheduleLocalActivity<AddAgentsOutput>(localActivityNames.addAgents, [input], { ...localActivityOptions, summary });
    },
  };
}
