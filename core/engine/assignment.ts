import type { AssignedAgent, AssignmentReply, AssignmentRequest, EffectRef, RecordedSuccess } from '../contract/local-activities';
import { stepOfPath } from '../contract/ids';
import { onSlotEnded } from './completion';
import { adoptEffect, launchEffect, registerCompensation } from './launching';
import { startMonitor } from './monitors';
import type { ReadyEntry, StepNode } from './plan-index';
import type { RankHeap } from './rank-heap';
import { moveStep } from './moves';
import { cancelTimer, effectId, findStep, isBeingChanged, startTimer, type Run } from './run';
import { entryFor, hasRoom, isStillReady, offerSerialSteps, pushReady, releaseRunSlot, takeSlot } from './slots';
import { currentSubStep, pathOf } from './rollout';
import { nextUndoRequest, onUndoReplies } from './saga';
import { blockStep, failStep } from './setbacks';
import { nextStepUndoRequests, resumeStepUndos } from './step-undo';
import { isSettled } from './transitions';
import { isOnlyWithPeople } from './tasks';
import type { SlotRunState } from './run-state';

const firstBusyDelayMs = 1_000;
const longestBusyDelayMs = 15_000;
/** A task of a person in another run takes hours: each question in vain is some events of the history. */
const longestDelayForPeopleMs = 120_000;
const busyTimerId = 'agents';

/** One question for all that need an agent now, the longest remaining path first; none while one is unanswered. */
export function requestAgents(run: Run): void {
  const { state } = run;
  if (run.isDraining || state.asking !== undefined || isBeingChanged(run) || state.endedAtMs !== undefined) return;
  if (state.ending !== undefined) {
    const undo = state.timers[busyTimerId] === undefined ? nextUndoRequest(run) : undefined;
    if (undo !== undefined) ask(run, [undo]);
    return;
  }
  // Traffic goes back even while nothing new starts.
  const undos = nextStepUndoRequests(run);
  if (state.paused !== undefined) {
    if (undos.length > 0) ask(run, undos);
    return;
  }
  const nodes = [...run.wanting].filter((node) => isInWork(node) && node.run.slots.some((slot) => slot.state === 'wanted'));
  for (let node = takeNextReady(run); node !== undefined; node = takeNextReady(run)) nodes.push(node);
  nodes.sort((a, b) => a.rank - b.rank);
  const requests = [...undos, ...nodes.flatMap((node) => requestsOf(run, node))];
  if (requests.length > 0) ask(run, requests);
}

/** One that waits for a person, because nobody knows what an agent of it has done, holds no slot: nothing of it starts meanwhile. */
function isInWork({ run: { state } }: StepNode): boolean {
  return state === 'assigned' || state === 'running';
}

/** The first ready step for which there is a slot, in the run and in its phase; its agents are not known to be busy. */
function takeNextReady(run: Run): StepNode | undefined {
  offerSerialSteps(run);
  const found = takeFrom(run, run.readyMonitors) ?? takeFrom(run, run.ready);
  if (found === undefined) return undefined;
  takeSlot(run, found);
  if (found.run.slots.length === 0) found.run.slots = createSlots(found.plan.count);
  for (const slot of found.run.slots) if (slot.state === 'busy') slot.state = 'wanted';
  return found;
}

function takeFrom(run: Run, heap: RankHeap<ReadyEntry>): StepNode | undefined {
  for (let entry = heap.peek(); entry !== undefined; entry = heap.peek()) {
    const { node } = entry;
    const needsSlot = node.plan.monitor === undefined;
    const isReady = isStillReady(entry);
    if (isReady && needsSlot && run.slotsInUse >= run.plan.maxConcurrentSteps) return undefined;
    heap.pop();
    if (!isReady) continue;
    if (run.state.busy?.keys.includes(node.agentKey) === true) park(run, node);
    else if (needsSlot && !hasRoom(node.phase)) node.phase.parked.push(entryFor(node));
    else return node;
  }
  return undefined;
}

function createSlots(count: number): SlotRunState[] {
  return Array.from({ length: Math.max(1, count) }, (_, index) => ({
    slot: index + 1,
    assignment: 1,
    state: 'wanted' as const,
    excluded: [],
  }));
}

function requestsOf(run: Run, node: StepNode): AssignmentRequest[] {
  const requests: AssignmentRequest[] = [];
  for (const slot of node.run.slots) {
    if (slot.state !== 'wanted') continue;
    slot.state = 'requested';
    requests.push(createRequest(run, node, slot));
  }
  run.wanting.delete(node);
  return requests;
}

function createRequest(run: Run, node: StepNode, slot: SlotRunState): AssignmentRequest {
  const { plan } = node;
  return {
    ...effectOf(run, node, slot),
    step: plan.id,
    role: plan.role,
    skills: plan.skills,
    taskType: plan.taskType,
    quality: plan.quality,
    ...(plan.environments[0] === undefined ? {} : { environment: plan.environments[0] }),
    ...namedAgent(node, slot),
    exclude: slot.excluded,
    ...(plan.monitor === undefined ? {} : { machinesOnly: true as const }),
    policy: plan.policy ?? run.plan.policy,
  };
}

/** Who has to do it: as the plan or somebody said, or who did the sub-step before, unless that one has failed. */
function namedAgent({ plan, run: step }: StepNode, slot: SlotRunState): { agentId?: string } {
  const before = step.rollout?.agentId;
  const agentId = step.agentId ?? plan.agentId ?? (before !== undefined && slot.excluded.includes(before) ? undefined : before);
  return agentId === undefined ? {} : { agentId };
}

function effectOf(run: Run, node: StepNode, slot: SlotRunState): EffectRef {
  return { path: pathOf(run, node), generation: node.run.generation, slot: slot.slot, assignment: slot.assignment, mode: 'do' };
}

function ask(run: Run, requests: AssignmentRequest[]): void {
  run.state.asking = [...new Set(requests.map((request) => request.step))];
  run.decisions.push({ type: 'assign', requests });
}

/**
 * The answers, taken in the order of the questions whatever order they come in; but what nobody can do fails first, since that may end
 * the run, and nothing starts then. What was not answered counts as busy.
 */
export function onReplies(run: Run, replies: readonly AssignmentReply[]): void {
  const { asking } = run.state;
  if (asking === undefined) return;
  delete run.state.asking;
  const byEffect = new Map<string, AssignmentReply>();
  for (const reply of replies) {
    // An agent for what nobody wants any more: the step was stopped, or runs again as a new generation.
    if (reply.mode === 'do' && reply.kind === 'assigned' && !isWanted(run, reply)) giveBack(run, reply);
    else byEffect.set(effectId(reply), reply);
  }
  if (onUndoReplies(run, byEffect)) waitForAgents(run, undefined);
  const failing = new Set(replies.flatMap(({ kind, mode, path }) => (kind === 'nobody' && mode === 'do' ? [stepOfPath(path)] : [])));
  for (const id of asking) if (failing.has(id)) answerStep(run, findStep(run, id), byEffect);
  for (const id of asking) if (!failing.has(id)) answerStep(run, findStep(run, id), byEffect);
  landAdopted(run, replies);
  if (run.state.busy?.keys.length === 0 && run.state.timers[busyTimerId] === undefined) delete run.state.busy;
}

function answerStep(run: Run, node: StepNode, replies: Map<string, AssignmentReply>): void {
  let waitsForMachine = false;
  for (const slot of node.run.slots) {
    if (slot.state !== 'requested') continue;
    const reply = replies.get(effectId(effectOf(run, node, slot)));
    const { state, blockedBy, undoing } = node.run;
    if (run.state.ending !== undefined || isSettled(state) || blockedBy === 'failure' || undoing !== undefined) {
      slot.state = 'cancelled';
      // It was wanted when the answers came: another answer among them has ended that.
      if (reply?.kind === 'assigned') giveBack(run, reply);
    } else if (reply?.kind === 'assigned') {
      startSlot(run, node, slot, reply);
    } else if (reply?.kind === 'nobody') {
      slot.state = 'failed';
      // What the last agent ran into is the reason; that nobody else is left comes second.
      const before = slot.assignment > 1 ? slot.failure : undefined;
      slot.failure = before === undefined ? reply.reason : `${before}; no other agent: ${reply.reason}`;
      // Who named the agent can name another one: that is no reason to end the run.
      if (node.run.agentId !== undefined && node.run.state === 'ready') blockStep(run, node, 'failure', slot.failure);
      else failStep(run, node, slot.failure);
    } else {
      slot.state = 'busy';
      if (reply?.people !== true) waitsForMachine = true;
      if (reply !== undefined) slot.why = reply.reason;
    }
  }
  if (node.run.slots.some((slot) => slot.state === 'busy'))
    onBusy(run, node, waitsForMachine ? longestBusyDelayMs : longestDelayForPeopleMs);
}

/** What had succeeded before the run was reset ends now, in the order in which it ended then. */
function landAdopted(run: Run, replies: readonly AssignmentReply[]): void {
  const adopted = replies.flatMap((reply) => (reply.kind === 'assigned' && reply.done !== undefined ? [{ reply, done: reply.done }] : []));
  for (const { reply, done } of adopted.sort((a, b) => a.done.endedAtMs - b.done.endedAtMs)) {
    const { path, generation, slot, assignment, mode } = reply;
    const node = run.index.byId.get(stepOfPath(path));
    const isTaken = node?.run.slots.some((one) => one.slot === slot && one.assignment === assignment && one.state === 'running') === true;
    if (node === undefined || mode !== 'do' || node.run.generation !== generation || !isTaken || pathOf(run, node) !== path) continue;
    onSlotEnded(run, node, { type: 'effectEnded', atMs: run.now, effect: { path, generation, slot, assignment, mode }, ...done });
  }
}

function isWanted(run: Run, reply: AssignmentReply): boolean {
  const node = run.index.byId.get(stepOfPath(reply.path));
  if (node === undefined || run.state.ending !== undefined || isSettled(node.run.state) || node.run.generation !== reply.generation)
    return false;
  return node.run.slots.some((slot) => slot.slot === reply.slot && slot.assignment === reply.assignment && slot.state === 'requested');
}

function giveBack(run: Run, reply: AssignmentReply): void {
  const { path, generation, slot, assignment, mode } = reply;
  run.changes.ends.push({ path, generation, slot, assignment, mode, outcome: 'cancelled', atMs: run.now, failure: 'no longer wanted' });
}

function startSlot(
  run: Run,
  node: StepNode,
  slot: SlotRunState,
  reply: { agent: AssignedAgent; why: string; done?: RecordedSuccess },
): void {
  const { agent, why, done } = reply;
  slot.agent = agent;
  slot.why = why;
  slot.state = 'running';
  slot.startedAtMs = run.now;
  node.run.startedAtMs ??= run.now;
  if (node.run.state === 'ready') {
    moveStep(run, node, 'assign', { reason: why });
    moveStep(run, node, 'launch');
  } else {
    run.changes.steps.add(node);
  }
  const effect = effectOf(run, node, slot);
  const part = currentSubStep(run, node)?.part;
  if (node.plan.monitor === undefined) registerCompensation(run, node, effect, agent);
  if (done !== undefined) return adoptEffect(run, node, { effect, agent, done });
  if (node.plan.monitor !== undefined) return startMonitor(run, node, agent);
  const { action, share } = part ?? {};
  launchEffect(run, node, 'slot', { effect, agent, ...(action !== undefined && { action }), ...(share !== undefined && { share }) });
  // Like a monitor, what only people do takes no slot: machines would wait for days.
  if (isOnlyWithPeople(run, node)) releaseRunSlot(run, node);
  else takeSlot(run, node);
}

/** A step of which nothing has started gives its slot back meanwhile, so that others can run. */
function onBusy(run: Run, node: StepNode, longestMs: number): void {
  run.changes.steps.add(node);
  if (node.run.state === 'ready') {
    releaseRunSlot(run, node);
    waitForAgents(run, node.agentKey, longestMs);
    park(run, node);
  } else if (!isSettled(node.run.state)) {
    run.wanting.add(node);
    waitForAgents(run, undefined, longestMs);
  }
}

function park(run: Run, node: StepNode): void {
  const parked = run.busy.get(node.agentKey);
  if (parked === undefined) run.busy.set(node.agentKey, [entryFor(node)]);
  else parked.push(entryFor(node));
}

function waitForAgents(run: Run, key: string | undefined, longestMs = longestBusyDelayMs): void {
  const busy = (run.state.busy ??= { delayMs: firstBusyDelayMs, keys: [] });
  if (key !== undefined && !busy.keys.includes(key)) busy.keys.push(key);
  const delayMs = Math.min(busy.delayMs, longestMs);
  const timer = run.state.timers[busyTimerId];
  if (timer !== undefined && timer.atMs <= run.now + longestMs) return;
  startTimer(run, busyTimerId, { atMs: run.now + delayMs, kind: 'agents', target: '', summary: 'ask for agents again' });
  busy.delayMs = Math.min(delayMs * 2, longestMs);
}

/** The time has come to ask again, or an agent of this run has become free. */
export function askBusyAgain(run: Run): void {
  const { busy } = run.state;
  if (busy === undefined) return;
  cancelTimer(run, busyTimerId);
  busy.keys = [];
  for (const entries of run.busy.values()) for (const entry of entries) if (isStillReady(entry)) pushReady(run, entry.node);
  run.busy.clear();
  for (const entry of run.state.compensations) delete entry.isBusy;
  resumeStepUndos(run);
  for (const node of run.wanting) for (const slot of node.run.slots) if (slot.state === 'busy') slot.state = 'wanted';
}
