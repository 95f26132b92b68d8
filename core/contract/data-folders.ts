/** What a worker keeps below its data folder, in one folder for each run, named after its first execution's run id. */
export const dataFolders = {
  /** The directories in which command agents work. */
  workspaces: 'workspaces',
  /** What agents print: files of `AgentLogLine`s. */
  agentLogs: 'log/runs',
} as const;

/** How long after its end what is left of a run stays there. */
export const keptRunDays = 30;
