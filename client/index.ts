/** The public library: everything the CLI and the dashboard do, for programs. */
export { AppError, appErrorCodes, isAppError, type AppErrorCode } from '../core/contract/errors';
export type { StartInput } from '../core/contract/start-input';
export type { ExplainView, GateView, RunStatusView, StepView, TaskView, TimelineEntry, TimelineView } from '../core/contract/views';
export {
  getAgent,
  listAgents,
  registerAgents,
  retireAgent,
  type AgentFilter,
  type AgentState,
  type RegisteredAgent,
  type RegisteredAgents,
} from './agents';
export { openAgentLogs, type AgentLogFilter, type AgentLogLine, type AgentLogReader } from './agent-logs';
export { getAudit, verifyAudit, type AuditRange, type AuditRecord, type AuditVerification } from './audit';
export { connectVapora, type ConnectVaporaOptions, type VaporaClient } from './connect';
export { adjustRun, cancelRun, decideGate, pauseRun, resumeRun, type DecideAnswer, type HoldAnswer, type Signing } from './control-run';
export {
  compileDefinition,
  getDefinition,
  listDefinitions,
  publishDefinition,
  type CompiledDefinition,
  type Definition,
  type DefinitionSource,
  type DefinitionSummary,
  type PublishedDefinition,
} from './definitions';
export { resolveEnvironment, type Environment, type EnvironmentOptions } from './environment';
export { listOpenGates, type OpenGates, type RunGate, type RunTask } from './gates';
export {
  exportHistory,
  importHistory,
  type BadHistoryLine,
  type HistoryFilter,
  type ImportOptions,
  type ImportSummary,
} from './history-transfer';
export { listRuns, type RunFilter, type RunSummary } from './list-runs';
export { waitForResult, type RunOutcome, type WaitOptions } from './run-outcome';
export { explainStep, getArtifact, getGates, getStatus, getTask, getTimeline, type Answer } from './run-views';
export { getProfiles } from './profiles';
export { rankRegisteredAgents, type RankQuestion, type TeamRanking } from './rank-agents';
export { rollbackRun, type RequestedRollback, type RollbackOptions } from './rollback-run';
export { reportStep, type ReportAnswer, type ReportedResult, type StepReport } from './report-step';
export {
  createSigningIdentity,
  publicKeyOf,
  signAdjustment,
  signReport,
  signStart,
  signVote,
  type SignedRun,
  type SigningIdentity,
  type SigningOptions,
} from './signing';
export { listSigningKeys, registerSigningKey, revokeSigningKey, type SigningKey } from './signing-keys';
export { ensureSearchAttributes } from './search-attributes';
export { startRun, type StartedRun, type StartRunRequest } from './start-run';
