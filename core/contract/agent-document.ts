import type { EffectMode } from './ids';
import type { Verdict } from './states';

/** Bytes by reference: what is too large or too binary for a payload lives in `artifacts`. */
export interface ArtifactRef {
  /** `sha256:<64 hex digits>`. */
  artifact: string;
  mediaType?: string;
  sizeBytes?: number;
}

/** One input as an agent sees it. Exactly one of text, json, path; all absent = nobody produced it. */
export interface AgentInputValue {
  text?: string;
  json?: unknown;
  /** A file in the step's workspace (command agents) holding the artifact. */
  path?: string;
  sha256?: string;
  /** Set by the workflow; the activity turns it into text or path before the executor sees the document. */
  artifact?: string;
  /** True where nobody produced it. */
  absent?: boolean;
}

/** The one JSON document every agent gets, whatever its executor. Keys that do not apply are absent. */
export interface AgentDocument {
  schemaVersion: 1;
  run: { id: string; definition: string; planHash: string; initiator?: string };
  step: {
    id: string;
    title?: string;
    role: string;
    taskType: string;
    phase: string;
    quality: string;
    environment?: string;
  };
  agent: { id: string; role: string; skills: string[] };
  generation: number;
  /** From 1; filled by the activity. */
  attempt: number;
  idempotencyKey: string;
  mode: EffectMode;
  /** Sub-steps and undo. */
  action?: string;
  /** Of the traffic: a canary's sub-steps. */
  share?: TrafficShare;
  tasks: string[];
  actions: string[];
  /** Names of the artifacts this step promised. */
  outputs: string[];
  inputs: Record<string, AgentInputValue>;
  with?: unknown;
  item?: unknown;
  shard?: { index: number; count: number };
  slot?: { index: number; count: number };
  /** `index` counts from 0. */
  sample?: { index: number; of: number };
  comments?: { from: string; text: string; generation: number }[];
  /** On undo: what the forward step returned, absent when its outcome is unknown. */
  undo?: { result?: AgentResult };
  /** ISO 8601. */
  deadline?: string;
  /** A directory of this step's own; filled by the activity for executors on this machine. */
  workspace?: string;
}

/** In percent; `before` is what an undo goes back to. */
export interface TrafficShare {
  percent: number;
  before: number;
}

export type MetricValue = number | boolean | { value: number; unit: string };

/** What every agent returns. */
export interface AgentResult {
  status: 'success' | 'failure';
  verdict?: Verdict;
  summary?: string;
  reasons?: string[];
  risks?: string[];
  /** After the activity: text of at most 4 KiB stays inline, the rest is a reference. */
  outputs?: Record<string, string | { path: string } | ArtifactRef>;
  metrics?: Record<string, MetricValue>;
  cost?: { usd?: number; tokens_in?: number; tokens_out?: number };
}

/** A line on the way: becomes a heartbeat and the dashboard's percentage. */
export interface AgentProgress {
  /** 0..1. */
  progress: number;
  message?: string;
}
