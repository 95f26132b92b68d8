import type { RunChanges } from '../contract/local-activities';
import { onAgentsAdded, onPlanCompiled } from './adjustments/adjust-run';
import { addAlert } from './alerts';
import { askBusyAgain, onReplies, requestAgents } from './assignment';
import { collectChanges } from './changes';
import { checkEnd, judgeSlots, onSlotEnded } from './completion';
import { onGateDecided } from './decided';
import { beginEnding } from './ending';
import { onGateTimer } from './gates';
import { takeInbox } from './inbox';
import { meetLateness, watchLateness } from './late';
import { landEffect } from './launching';
import { onSampleEnded, onSampleTimer } from './monitors';
import { decideNotices, markNotices, onNoticeEnded } from './notices';
import { checkPhase, judgePhasesAnew } from './phases';
import type { StepNode } from './plan-index';
import { checkStart, notifySettled, releaseHeldStep } from './readiness';
import { renew } from './rework';
import {
  ignoreSignal,
  judgeAdjustmentRequest,
  judgeReportRequest,
  judgeVoteRequest,
  onAdjusted,
  onReported,
  onVoted,
  pause,
  tellLater,
  unpause,
} from './requests';
import { wantSubStep } from './rollout';
import { createRun, reindexRun } from './create-run';
import { audit, countUnmet, effectId, engineActor, findStep, isBeingChanged, type Run } from './run';
import { endOfSaga, onUndoEnded } from './saga';
import { refuseUnverified, requestVerification, takeVerified } from './signatures';
import { setStatus, updateStatus, waitsFor } from './status';
import { createTaskDocument, expireTask, isTask, remindOfTask, withdrawTask } from './tasks';
import type { RunState } from './run-state';
import type { Decision, Engine, EngineEvent, EngineOptions } from './types';
import { createGateViews } from './gate-views';
import { fitView, type ViewBounds } from './view-bounds';
import { createExplainView, createStatusView, createTimelineView } from './views';

/**
 * A run of a plan: give it what happened (`apply`), ask what to do (`decide`). No clock, no random, no I/O.
 *
 * Events wait until `decide`, which takes those of one moment in an order of its own: ends of effects (by the time they ended, then
 * by their place in the plan), answers about agents, votes and requests (as they came: a person's second vote replaces the first),
 * timers. So the order in which simultaneous completions are listed changes nothing.
 */
export function createEngine(options: EngineOptions): Engine {
  let run = createRun(options);
  const fit = <View>(create: (bounds: ViewBounds) => View): View => fitView(run.index.steps.length, create);
  return {
    get state(): RunState {
      return run.state;
    },
    apply(event: EngineEvent): void {
      run.inbox.push(event);
    },
    decide(nowMs: number): Decision[] {
      run.now = Math.max(run.now, nowMs);
      if (run.state.endedAtMs === undefined) run = takeEvents(run);
      else for (const event of takeInbox(run)) refuseLate(run, event);
      return takeDecisions(run);
    },
    takeChanges(): { changes: RunChanges; urgent: boolean } {
      return collectChanges(run);
    },
    hasChanges(): { any: boolean; urgent: boolean } {
      const { changes } = run;
      const any =
        changes.run ||
        changes.steps.size > 0 ||
        changes.audit.length > 0 ||
        changes.ends.length > 0 ||
        changes.gates.size > 0 ||
        changes.tasks.size > 0;
      return { any, urgent: changes.urgent };
    },
    judgeVote: (vote, token) => judgeVoteRequest(run, vote, token),
    judgeReport: (report, token) => judgeReportRequest(run, report, token),
    judgeAdjustment: (request, token) => judgeAdjustmentRequest(run, request, token),
    drain: () => void (run.isDraining = true),
    isQuiet: () => isQuiet(run),
    waitsFor: () => waitsFor(run),
    statusView: (nowMs) => fit((bounds) => createStatusView(run, nowMs, bounds)),
    gateViews: () => fit((bounds) => createGateViews(run, bounds)),
    timelineView: () => fit((bounds) => createTimelineView(run, bounds)),
    explain: (stepId) => fit((bounds) => createExplainView(run, stepId, bounds)),
    get followed() {
      return run.options;
    },
    stepOf: (id) => run.index.byId.get(id)?.plan,
    taskDocument: (task) => createTaskDocument(run, task),
  };
}

/** Gives the run as it is afterwards: another one where its plan was changed. */
function takeEvents(before: Run): Run {
  let run = before;
  const mark = markNotices(run);
  if (run.state.status === 'created') begin(run);
  if (run.restored) resume(run);
  for (const arrived of takeInbox(run)) {
    for (const event of arrived.type === 'verified' ? takeVerified(run, arrived.verified) : [arrived]) {
      // An adjustment finds the run as all that came before it has left it.
      if (event.type === 'adjusted' || event.type === 'planCompiled') settleAll(run);
      handle(run, event);
      if (run.outdated !== undefined) {
        settleAll(run);
        const isOtherPlan = run.outdated !== run.options;
        run = reindexRun(run, run.outdated);
        lookAgain(run);
        if (isOtherPlan) judgePhasesAnew(run);
      }
    }
  }
  requestVerification(run);
  meetLateness(run);
  do {
    settleAll(run);
    requestAgents(run);
  } while (isStuck(run) && releaseHeldStep(run));
  updateStatus(run);
  finishIfDone(run);
  const late = watchLateness(run);
  meetLateness(run);
  decideNotices(run, mark, late);
  return run;
}

function begin(run: Run): void {
  const { initiatorAssurance: assurance } = run.options;
  audit(run, {
    actor: { kind: 'person', id: run.options.initiator, ...(assurance !== undefined && { assurance }) },
    action: 'run.planned',
    object: run.options.run.id,
    details: { definition: run.options.run.definition, planHash: run.options.planHash, timeScale: run.options.timeScale },
  });
  setStatus(run, 'planning');
  for (const node of run.index.steps) if (node.unmet === 0) run.work.start.push(node);
  for (const phase of run.index.phases) if (phase.unsettled === 0) run.work.phases.add(phase);
}

/** After continue-as-new: nothing was in flight but timers, and what waited for nothing looks at itself again. */
function resume(run: Run): void {
  run.restored = false;
  for (const [id, timer] of Object.entries(run.state.timers)) {
    run.decisions.push({ type: 'startTimer', id, atMs: timer.atMs, summary: timer.summary });
  }
  lookAgain(run);
}

/** Who waits for what is not saved: each finds out again. */
function lookAgain(run: Run): void {
  for (const node of run.index.steps) {
    if (node.run.state === 'pending' && node.unmet === 0) run.work.start.push(node);
    if (node.run.state === 'blocked' && node.run.blockedBy === 'security') run.work.end.push(node);
  }
}

/** Runs until nothing sets anything else going. Settled steps come first: a rework in between would count them twice. */
function settleAll(run: Run): void {
  const { work } = run;
  // Each step settles, starts and ends a few times at most, whatever sets it going.
  const limit = 10_000 + 100 * (run.index.steps.length + run.index.phases.length);
  for (let rounds = 0; ; rounds += 1) {
    if (rounds > limit) throw new Error('Internal error: the run goes round in circles');
    const settled = work.settled.splice(0);
    if (settled.length > 0) {
      for (const node of settled) notifySettled(run, node);
      continue;
    }
    const gate = work.gates.shift();
    if (gate !== undefined) {
      const decided = run.state.gates[gate];
      if (decided?.state === 'decided') onGateDecided(run, decided);
      continue;
    }
    const ended = work.end.shift();
    if (ended !== undefined) {
      checkEnd(run, ended);
      continue;
    }
    if (work.start.length > 0) {
      for (const node of work.start.splice(0).sort((a, b) => a.index - b.index)) checkStart(run, node);
      continue;
    }
    const judged = takeNextJudged(work);
    if (judged !== undefined) {
      judgeSlots(run, judged);
      continue;
    }
    const [phase] = work.phases;
    if (phase !== undefined) {
      work.phases.delete(phase);
      checkPhase(run, phase);
      continue;
    }
    // Last: an activity that is cancelled ends later too.
    const withdrawn = work.withdrawn.shift();
    if (withdrawn === undefined) return;
    const end = withdrawTask(run, withdrawn.id, withdrawn.reason);
    if (end !== undefined) onEffectEnded(run, end);
  }
}

/** Work that succeeded comes before work that failed at the same moment: the failure may end the run, and would void it. */
function takeNextJudged(work: Run['work']): StepNode | undefined {
  if (work.judge.length < 2) return work.judge.pop();
  const hasFailed = ({ run: { undoing, slots } }: StepNode): number =>
    undoing !== undefined || slots.some((slot) => slot.failureKind !== undefined) ? 1 : 0;
  work.judge.sort((a, b) => hasFailed(b) - hasFailed(a) || b.index - a.index);
  return work.judge.pop();
}

function handle(run: Run, event: Exclude<EngineEvent, { type: 'verified' }>): void {
  switch (event.type) {
    case 'effectEnded':
      return onEffectEnded(run, event);
    case 'replied':
      return onReplies(run, event.replies);
    case 'timerFired':
      return onTimer(run, event.id);
    case 'voted':
      return onVoted(run, event);
    case 'reported':
      return takeReportOf(run, event);
    case 'cancelRequested':
      return beginEnding(run, { kind: 'cancel', reason: event.reason, rollback: event.noRollback ? 'none' : 'all' }, event.by);
    case 'pauseRequested':
      return pause(run, event);
    case 'resumeRequested':
      return unpause(run, event);
    case 'adjusted':
      return onAdjusted(run, event);
    case 'agentsAdded':
      return tellLater(run, onAgentsAdded(run, event));
    case 'planCompiled':
      return tellLater(run, onPlanCompiled(run, event.compiled));
    case 'alertReceived': {
      const { name, severity, message } = event;
      return addAlert(run, { step: '', name, severity, message, state: 'raised' }, { actor: event.by, object: run.options.run.id });
    }
    case 'noticeEnded':
      return onNoticeEnded(run, event);
    case 'signalIgnored':
      return ignoreSignal(run, event);
  }
}

function onEffectEnded(run: Run, event: Extract<EngineEvent, { type: 'effectEnded' }>): void {
  const flight = landEffect(run, event);
  if (flight === undefined) {
    audit(run, { actor: engineActor, action: 'effect.ignored', object: effectId(event.effect), reason: 'it was not running (any more)' });
    return;
  }
  const node = findStep(run, flight.step);
  if (flight.kind === 'slot') onSlotEnded(run, node, event);
  else if (flight.kind === 'sample') onSampleEnded(run, node, event);
  else onUndoEnded(run, node, event);
  if (flight.kind !== 'sample') askBusyAgain(run);
}

function takeReportOf(run: Run, event: Extract<EngineEvent, { type: 'reported' }>): void {
  onReported(run, event, (ended) => onEffectEnded(run, ended));
}

function onTimer(run: Run, id: string): void {
  const timer = run.state.timers[id];
  // A timer that fired while it was being cancelled.
  if (timer === undefined) return;
  delete run.state.timers[id];
  switch (timer.kind) {
    case 'gateDeadline':
    case 'gateReminder':
      return onGateTimer(run, timer.target, timer.kind);
    case 'taskReminder':
      return remindOfTask(run, id, timer.target);
    case 'taskDeadline': {
      const end = expireTask(run, timer.target);
      if (end !== undefined) onEffectEnded(run, end);
      return;
    }
    case 'agents':
      return askBusyAgain(run);
    case 'late':
      // `watchLateness` sees that it is gone.
      return;
    case 'sample':
      return onSampleTimer(run, findStep(run, timer.target));
    case 'rollout':
      return wantSubStep(run, findStep(run, timer.target));
    case 'deferred': {
      const node = findStep(run, timer.target);
      renew(run, node, 'release', 'the time it was deferred to has come');
      node.unmet = countUnmet(run, node);
      run.work.start.push(node);
      return;
    }
  }
}

function refuseLate(run: Run, event: EngineEvent): void {
  if (event.type === 'voted') onVoted(run, event);
  else if (event.type === 'reported') takeReportOf(run, event);
  else if (event.type === 'signalIgnored') ignoreSignal(run, event);
  else if (event.type === 'adjusted') onAdjusted(run, event);
  else if (event.type === 'agentsAdded') tellLater(run, onAgentsAdded(run, event));
  else if (event.type === 'planCompiled') tellLater(run, onPlanCompiled(run, event.compiled));
  else if (event.type === 'noticeEnded') onNoticeEnded(run, event);
  else if ('by' in event) {
    const { kind, id } = event.by;
    const reason = `the run has ended: ${run.state.status}`;
    ignoreSignal(run, { name: lateSignals[event.type], reason, ...(kind === 'person' && { by: id }) });
  }
}

const lateSignals = { cancelRequested: 'cancel', pauseRequested: 'pause', resumeRequested: 'resume', alertReceived: 'alert' } as const;

function finishIfDone(run: Run): void {
  if (run.state.ending !== undefined) {
    const end = endOfSaga(run);
    if (end !== undefined) finish(run, end.status, end.reason);
    return;
  }
  if (run.unsettledSteps === 0 && run.unpassedPhases === 0 && Object.keys(run.state.inFlight).length === 0) {
    if (run.state.status !== 'completing') setStatus(run, 'completing');
    finish(run, 'completed');
    return;
  }
  if (isStuck(run)) {
    beginEnding(run, { kind: 'fail', reason: 'internal error: nothing can go on', rollback: 'all' });
    requestAgents(run);
    updateStatus(run);
    const end = endOfSaga(run);
    if (end !== undefined) finish(run, end.status, end.reason);
  }
}

function isQuiet(run: Run): boolean {
  const { state, inbox } = run;
  const isUnderWay = state.status !== 'created' && state.endedAtMs === undefined;
  return (
    isUnderWay &&
    inbox.length === 0 &&
    state.asking === undefined &&
    !isBeingChanged(run) &&
    Object.values(state.inFlight).every(isTask) &&
    isEmpty(state.notices?.pending ?? {}) &&
    run.verifying === undefined &&
    run.unverified.length === 0
  );
}

function isEmpty(record: object): boolean {
  for (const _ in record) return false;
  return true;
}

/** Nothing runs, is asked, waits for time or for people: it would hang for ever. */
function isStuck(run: Run): boolean {
  const { state } = run;
  if (state.ending !== undefined || state.paused !== undefined || state.asking !== undefined || isBeingChanged(run)) return false;
  if (run.openGates.size > 0) return false;
  if (run.unsettledSteps === 0 && run.unpassedPhases === 0) return false;
  const waitsForTime = Object.values(state.timers).some(({ kind }) => kind !== 'late');
  return !run.isDraining && !waitsForTime && isEmpty(state.inFlight);
}

function finish(run: Run, status: Extract<Decision, { type: 'finish' }>['status'], reason?: string): void {
  if (reason !== undefined) run.state.reason = reason;
  run.state.endedAtMs = run.now;
  setStatus(run, status);
  for (const id of Object.keys(run.state.timers)) {
    delete run.state.timers[id];
    run.decisions.push({ type: 'cancelTimer', id });
  }
  refuseUnverified(run);
  run.decisions.push({ type: 'finish', status, ...(reason === undefined ? {} : { reason }) });
}

function takeDecisions(run: Run): Decision[] {
  const { decisions } = run;
  run.decisions = [];
  // What was to be cancelled and has ended at the same moment need not be.
  return decisions.some(({ type }) => type === 'cancelEffect')
    ? decisions.filter((decision) => decision.type !== 'cancelEffect' || run.state.inFlight[effectId(decision.effect)] !== undefined)
    : decisions;
}
