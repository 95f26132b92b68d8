import type { MetricValue } from '../contract/agent-document';
import type { Verdict } from '../contract/states';

/** A step as a condition sees it. */
export interface ScopeStep {
  id: string;
  role: string;
  taskType: string;
  /** `pending`: not settled yet. */
  outcome: 'passed' | 'failed' | 'skipped' | 'pending';
  verdict?: Verdict | undefined;
  metrics: Record<string, MetricValue>;
}

/** What a condition may speak of. */
export interface ConditionScope {
  /** The step whose result it is about (`must_pass`, alerts): its metrics come first. */
  own?: ScopeStep | undefined;
  /** The steps in scope in plan order: dependencies, or the phase's steps. */
  steps: readonly ScopeStep[];
  findStep(id: string): ScopeStep | undefined;
  findPhase(id: string): readonly ScopeStep[] | undefined;
  inputs: Record<string, unknown>;
  /** A sample failed after its retries. */
  sampleError?: boolean | undefined;
}
