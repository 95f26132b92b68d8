import type { AgentDocument, AgentResult } from '../core/contract/agent-document';
import type { AgentActivityControl } from '../core/contract/local-activities';
import type { Database } from '../db/connect';
import { insertArtifact, loadArtifact } from '../db/queries/artifacts';
import { beginAttempt, failAttempt, finishEffect, insertSamples, renewLease } from '../db/queries/effects';
import type { BeganAttempt } from '../db/queries/effects';
import type { Artifact, ArtifactStore } from './artifacts';

export interface EffectSuccess {
  result: AgentResult;
  artifacts: Artifact[];
  endedAtMs: number;
  /** Where it is not the time since the attempt began. */
  durationMs?: number | undefined;
}

export interface EffectFinish {
  /** Why it was refused, where another attempt, assignment or generation owns the effect by now. */
  refused?: string;
  /** True where no other attempt at the effect was ever begun: nobody else can be at work in its directory. */
  wasOnlyAttempt: boolean;
}

/** How one attempt of one effect is written down. */
export interface EffectRecording {
  begin(): Promise<BeganAttempt>;
  /** A known failure: the next attempt reopens the effect. */
  fail(failure: { message: string; artifacts?: Artifact[] | undefined }): Promise<void>;
  finish(success: EffectSuccess): Promise<EffectFinish>;
  /** Keeps the agent's slot. False: the effect has ended without us. */
  renew?: () => Promise<boolean>;
  artifacts: ArtifactStore;
}

export interface RecordingInput {
  db: Database;
  document: AgentDocument;
  control: AgentActivityControl;
  /** Temporal's attempt number. */
  attempt: number;
  workerIdentity: string;
  startedAtMs: number;
}

/** Writes into Postgres: begin, then fail or finish, each in one transaction. */
export function createDatabaseRecording({ db, document, control, attempt, workerIdentity, startedAtMs }: RecordingInput): EffectRecording {
  const { run, effect } = control;
  const agentId = document.agent.id;
  let recordedAttempt = attempt;
  return {
    async begin() {
      const began = await beginAttempt(db, { run, effect, attempt, workerIdentity, atMs: startedAtMs });
      if (began.kind !== 'superseded') recordedAttempt = began.attempt;
      return began;
    },
    async fail({ message, artifacts = [] }) {
      await createDatabaseArtifactStore(db).insert(artifacts);
      await failAttempt(db, { run, effect, attempt: recordedAttempt, agentId, error: message, atMs: Date.now() });
    },
    async finish({ result, artifacts, endedAtMs, durationMs }) {
      const finish = async (database: Database) => {
        await createDatabaseArtifactStore(database).insert(artifacts);
        return finishEffect(database, {
          run,
          effect,
          attempt: recordedAttempt,
          agentId,
          outcome: 'success',
          result,
          atMs: endedAtMs,
          ...(durationMs !== undefined && { durationMs }),
        });
      };
      // One statement is a transaction of its own: the usual end costs one round trip.
      const finished = artifacts.length === 0 ? await finish(db) : await db.transaction().execute(finish);
      return { wasOnlyAttempt: recordedAttempt === 1, ...(finished.kind === 'superseded' && { refused: finished.reason }) };
    },
    renew: () => renewLease(db, { run, effect }),
    artifacts: createDatabaseArtifactStore(db),
  };
}

/**
 * A monitor's sample is no execution: it has no intent and no outcome, only its metrics are kept. The lease it renews is that
 * of the step, which runs no activity of its own between two samples.
 */
export function createSampleRecording({ db, document, control, attempt, startedAtMs }: RecordingInput): EffectRecording {
  const { run, effect } = control;
  const artifacts = createDatabaseArtifactStore(db);
  return {
    begin: async () => ({ kind: 'fresh', attempt }),
    fail: async () => undefined,
    async finish({ result, artifacts: stored }) {
      await artifacts.insert(stored);
      const { id: step } = document.step;
      const index = document.sample?.index ?? 0;
      await insertSamples(db, run, [{ step, generation: effect.generation, index, atMs: startedAtMs, metrics: result.metrics ?? {} }]);
      await renewLease(db, { run, effect: { ...effect, path: step } });
      return { wasOnlyAttempt: false };
    },
    artifacts,
  };
}

/** For runs without recording: no database; Temporal's own attempt counter is all there is. */
export function createNoRecording({ attempt, artifacts }: { attempt: number; artifacts: ArtifactStore }): EffectRecording {
  return {
    begin: async () => ({ kind: 'fresh', attempt }),
    fail: async ({ artifacts: stored = [] }) => artifacts.insert(stored),
    finish: async ({ artifacts: stored }) => {
      await artifacts.insert(stored);
      return { wasOnlyAttempt: false };
    },
    artifacts,
  };
}

/** Artifacts in Postgres, where every worker finds them. */
function createDatabaseArtifactStore(db: Database): ArtifactStore {
  return {
    async insert(artifacts) {
      for (const { bytes, mediaType } of artifacts) await insertArtifact(db, bytes, mediaType);
    },
    find: async (ref) => (await loadArtifact(db, ref)) ?? null,
  };
}
