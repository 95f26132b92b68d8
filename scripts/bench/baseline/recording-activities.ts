import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { AuditEntry, EffectRef, RunChanges, StepProjection } from '../../../core/contract/local-activities';
import type { Database } from '../../../db/connect';
import { insertAgentSet, listAgents } from '../../../db/queries/agents';
import { findDefinition } from '../../../db/queries/definitions';
import { beginAttempt, finishEffect, insertSamples, renewLease } from '../../../db/queries/effects';
import { recordChanges } from '../../../db/queries/recording';
import { insertRun } from '../../../db/queries/runs';
import { assignWave } from '../../../db/queries/waves';
import type { EndedStep, RecordingActivities, WorkActivities, WorkStep } from './contract';
import { work } from './work-activities';

const phase = 'main';
const taskType = 'CodeGeneration';

/**
 * What a team that wants agents chosen by history, and every row that vapora keeps, would write by hand: one local activity per
 * step chooses the agent and records, the step's activity records its attempt and its outcome. The statements are vapora's own:
 * the difference that is measured is the workflow's, not the SQL's.
 */
export function createRecordingActivities(db: Database): RecordingActivities & Omit<WorkActivities, 'work'> {
  let agentSet: Promise<string> | undefined;

  return {
    async openRun({ run, definition, atMs }) {
      const found = await findDefinition(db, definition);
      if (!found) throw ApplicationFailure.nonRetryable(`there is no published "${definition}"`);
      agentSet ??= listAgents(db).then((agents) => insertAgentSet(db, agents));
      await insertRun(db, {
        run,
        definition,
        version: found.version,
        planHash: found.planHash,
        agentSet: await agentSet,
        initiator: 'bench',
        inputs: {},
        timeScale: 1,
        seed: run.rootRunId,
        startedAtMs: atMs,
      });
      return { agentSet: await agentSet };
    },

    async assign({ run, agentSet: set, step, atMs, ended }) {
      const changes = changesOf(ended);
      changes.steps.push({ step: step.id, phase, state: 'assigned', generation: 1, role: step.role, startedAtMs: atMs });
      const { replies } = await assignWave(db, { run, agentSet: set, atMs, changes, requests: [requestOf(step)] });
      const reply = replies[0];
      if (reply?.kind !== 'assigned') throw new Error(reply?.reason ?? 'no reply');
      return { agentId: reply.agent.id };
    },

    async recordApproval({ run, gate, by, atMs, ended }) {
      const changes = changesOf(ended);
      changes.gates.push({
        gate,
        phase,
        generation: 1,
        kind: 'approval',
        state: 'decided',
        approvers: [],
        barred: [],
        isOverride: false,
        quorum: 1,
        openedAtMs: atMs,
        decision: 'approved',
        decidedAtMs: atMs,
      });
      changes.votes.push({ gate, generation: 1, by, decision: 'approve', atMs, assurance: 'local', counted: true });
      changes.audit.push({ atMs, actor: { kind: 'person', id: by }, action: 'gate.approved', object: gate, generation: 1 });
      await recordChanges(db, { run, atMs, changes });
    },

    async closeRun({ run, atMs, ended }) {
      const changes = changesOf(ended);
      changes.run = { status: 'completed', phase, progress: 1, waitsFor: [], endedAtMs: atMs };
      changes.audit.push(engineEntry(atMs, 'run.completed', run.workflowId));
      await recordChanges(db, { run, atMs, changes });
    },

    async recordedWork(step, { run, agentId }) {
      const { info } = Context.current();
      const effect = effectOf(step);
      const began = await beginAttempt(db, { run, effect, attempt: info.attempt, workerIdentity: 'bench', atMs: Date.now() });
      if (began.kind === 'succeeded') return began.result;
      if (began.kind === 'superseded') throw ApplicationFailure.nonRetryable(began.reason);
      const result = await work(step);
      await finishEffect(db, { run, effect, attempt: began.attempt, agentId, outcome: 'success', result, atMs: Date.now() });
      return result;
    },

    async recordedSample(step, { run }, index) {
      const atMs = Date.now();
      const result = await work(step);
      await insertSamples(db, run, [{ step: step.id, generation: 1, index, atMs, metrics: result.metrics ?? {} }]);
      await renewLease(db, { run, effect: effectOf(step) });
      return result;
    },
  };
}

function changesOf(ended: readonly EndedStep[]): RunChanges {
  return {
    steps: ended.map(passedRow),
    gates: [],
    votes: [],
    alerts: [],
    audit: ended.map(({ id, endedAtMs }) => engineEntry(endedAtMs, 'step.passed', id)),
    ends: ended.flatMap((step) =>
      step.unrecordedResult === undefined
        ? []
        : [{ ...effectOf(step), outcome: 'success' as const, atMs: step.endedAtMs, result: step.unrecordedResult }],
    ),
  };
}

function passedRow({ id, role, agentId, startedAtMs, endedAtMs }: EndedStep): StepProjection {
  return { step: id, phase, state: 'passed', generation: 1, agent: agentId, role, startedAtMs, endedAtMs };
}

function engineEntry(atMs: number, action: string, object: string): AuditEntry {
  return { atMs, actor: { kind: 'engine', id: 'hand-written' }, action, object, generation: 1 };
}

function effectOf({ id }: { id: string }): EffectRef {
  return { path: id, generation: 1, slot: 1, assignment: 1, mode: 'do' };
}

function requestOf(step: WorkStep): Parameters<typeof assignWave>[1]['requests'][number] {
  return { ...effectOf(step), step: step.id, role: step.role, skills: [], taskType, quality: 'Medium', exclude: [], policy: 'exploit' };
}
