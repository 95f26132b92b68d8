import type { Plan, PlanApproval, PlanDependency, PlanPhase, PlanStep } from '../plan/types';
import type { DocumentNode, DocumentPath, Span } from './document';
import type { Word, WrittenCondition } from './fields';

/** One step as a form found it: its keys are not read yet. */
export interface RawStep {
  id: string;
  idSpan: Span;
  path: DocumentPath;
  node: DocumentNode;
  /** The phase it stands in, in the phases form. */
  phase?: string;
}

/** One phase as a form found it. */
export interface RawPhase {
  id: string;
  idSpan: Span;
  path: DocumentPath;
  node: DocumentNode;
}

/** What every form comes down to. */
export interface RawWorkflow {
  form: Plan['form'];
  phases: RawPhase[];
  steps: RawStep[];
}

export interface DraftPhase {
  plan: PlanPhase;
  idSpan: Span;
  path: DocumentPath;
  gate?: WrittenCondition;
}

/** What a condition is for: decides its scope and what a constant one means. */
export type ConditionPurpose = 'gate' | 'requires' | 'if' | 'alert' | 'rollback' | 'phase_gate';

export interface ConditionUse {
  written: WrittenCondition;
  purpose: ConditionPurpose;
}

/** A step whose own keys are read and whose names are still to be resolved by core/dsl/checks. */
export interface DraftStep {
  /** Filled up by the checks; `dependsOn` and `inputs` come from the words below. */
  plan: PlanStep;
  idSpan: Span;
  path: DocumentPath;
  phaseWord?: Word;
  roleWord?: Word;
  dependencies: { word: Word; when: PlanDependency['when'] }[];
  parallelWith: Word[];
  inputs: Word[];
  outputs: Word[];
  actions: Word[];
  /** `true`, or the steps named; absent = not required. */
  security?: { span: Span; path: DocumentPath; named: Word[] };
  rework?: Word[];
  /** What `for_each` reads, where it is no literal list. */
  forEach?: Word;
  approvers: Word[];
  /** As written; undefined = the file does not say. */
  approvalRequired?: boolean;
  /** The `approval` key's values, used when the step turns out to need one. */
  approval: Omit<PlanApproval, 'when'> & { when?: PlanApproval['when'] };
  /** Keys that roll something back, where they are written. */
  rollbacks: { key: string; span: Span }[];
  conditions: ConditionUse[];
}

export interface WorkflowDraft {
  plan: Omit<Plan, 'phases' | 'steps' | 'metadata'>;
  phases: DraftPhase[];
  steps: DraftStep[];
  approvalPoints: Word[];
  /** Names in `escalation[].to` and `on_late.notify`. */
  people: Word[];
}
