/** One line that an agent printed, or a note on its attempt. A log file holds them as JSON, one on each line. */
export interface AgentLogLine {
  /** ISO 8601. */
  at: string;
  step: string;
  /** `<step path>#<generation>…`, as in `activityIdOf`. */
  effect: string;
  agent: string;
  attempt: number;
  stream: 'stdout' | 'stderr' | 'note';
  text: string;
}

/** Of the files in `dataFolders.agentLogs`. */
export const agentLogExtension = '.jsonl';
