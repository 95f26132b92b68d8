import type { AdjustVerdict } from '../contract/adjustments';
import type { Refusal } from '../contract/messages';
import { adjustRun } from './adjustments/adjust-run';
import { castVote } from './gates';
import { pauseRun, resumeRun } from './pausing';
import { audit, type Run } from './run';
import type { Vote } from './run-state';
import { holdRequest, judgeChange, judgeSignature } from './signatures';
import { judgeReport, takeReport, type JudgedReport } from './tasks';
import type { AdjustmentRequest, EngineEvent, Report, ReportVerdict, VoteVerdict } from './types';
import { judgeVote, type Judgement } from './votes';

type EventOf<Type extends EngineEvent['type']> = Extract<EngineEvent, { type: Type }>;

// What people and programs ask of a run: first whether it would count, for validators of updates, which changes nothing; then taking it.

export function judgeVoteRequest(run: Run, vote: Vote, token: string | undefined): VoteVerdict {
  const judged = judgeVote(run, vote);
  const refusal = judged.ok ? judgeSignature(run, { type: 'voted', vote, token }) : undefined;
  return refusal === undefined ? verdictOf(vote, judged) : { ok: false, ...refusal };
}

export function judgeReportRequest(run: Run, report: Report, token: string | undefined): ReportVerdict {
  const judged = judgeReport(run, report);
  const refusal = judged.ok ? judgeSignature(run, { type: 'reported', report, token }) : undefined;
  return refusal === undefined ? reportVerdictOf(judged) : { ok: false, ...refusal };
}

export function judgeAdjustmentRequest(run: Run, request: AdjustmentRequest, token: string | undefined): Refusal | undefined {
  return judgeChange(run, request, token) ?? judgeSignature(run, { type: 'adjusted', request, token });
}

export function onAdjusted(run: Run, event: EventOf<'adjusted'>): void {
  if (holdRequest(run, event)) return;
  const { request, answer } = event;
  const edits = run.state.edits;
  const verdict = adjustRun(run, request);
  if (verdict === undefined) {
    if (answer !== undefined) run.tellLater = answer;
    return;
  }
  if (run.state.edits !== edits) run.outdated = run.options;
  answer?.(verdict);
}

export function tellLater(run: Run, verdict: AdjustVerdict | undefined): void {
  if (verdict !== undefined) run.tellLater?.(verdict);
  delete run.tellLater;
}

export function pause(run: Run, { by, reason, freeze = false }: EventOf<'pauseRequested'>): void {
  const why =
    run.state.ending !== undefined ? 'the run is ending' : run.state.paused !== undefined ? 'the run is paused already' : undefined;
  if (why !== undefined) return ignoreSignal(run, { name: 'pause', reason: why, by: by.id });
  pauseRun(run, { by, reason, freeze });
}

export function unpause(run: Run, { by, reason }: EventOf<'resumeRequested'>): void {
  if (run.state.paused === undefined) return ignoreSignal(run, { name: 'resume', reason: 'the run is not paused', by: by.id });
  resumeRun(run, { by, reason });
}

export function ignoreSignal(run: Run, { name, reason, by }: { name: string; reason: string; by?: string | undefined }): void {
  run.state.ignoredSignals += 1;
  run.changes.urgent = true;
  audit(run, {
    actor: by === undefined ? { kind: 'temporal', id: 'signal' } : { kind: 'person', id: by },
    action: 'signal.ignored',
    object: name,
    reason,
  });
}

export function onVoted(run: Run, event: EventOf<'voted'>): void {
  if (holdRequest(run, event)) return;
  const { vote, answer } = event;
  const judged = castVote(run, vote);
  answer?.(verdictOf(vote, judged));
}

/** `end`: what becomes of the effect that a result ends. */
export function onReported(run: Run, event: EventOf<'reported'>, end: (event: EventOf<'effectEnded'>) => void): void {
  if (holdRequest(run, event)) return;
  const { report, answer } = event;
  const { judged, ended } = takeReport(run, report);
  if (ended !== undefined) end(ended);
  answer?.(reportVerdictOf(judged));
}

function reportVerdictOf(judged: JudgedReport): ReportVerdict {
  return judged.ok ? { ok: true, reply: judged.reply } : judged;
}

function verdictOf(vote: Vote, judged: Judgement): VoteVerdict {
  if (!judged.ok) return judged;
  const { effect, decided } = judged;
  const verb = vote.decision === 'approve' ? 'approved' : 'rejected';
  const message = {
    counted: decided ? `${vote.gate} is ${verb}` : `the vote is counted; ${vote.gate} needs more`,
    changed: decided ? `${vote.gate} is ${verb}` : `the vote is changed; ${vote.gate} needs more`,
    early: `${vote.gate} is not open yet: the vote is kept and counts when it opens`,
    repeated: `${vote.by} has already ${verb} ${vote.gate}: nothing changes`,
  }[effect];
  return { ok: true, reply: { effect, decided, gate: vote.gate, message } };
}
