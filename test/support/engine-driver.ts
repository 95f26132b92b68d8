import type { Adjustment, AdjustVerdict } from '../../core/contract/adjustments';
import type { AgentResult } from '../../core/contract/agent-document';
import { activityIdOf } from '../../core/contract/ids';
import type { AssignedAgent, AssignmentReply, AssignmentRequest, RecordedSuccess, RunChanges } from '../../core/contract/local-activities';
import type { TerminalRunStatus } from '../../core/contract/states';
import type { VerifiedToken } from '../../core/contract/signed-requests';
import { createEngine } from '../../core/engine';
import type { EffectFailure, RunState, Vote } from '../../core/engine/run-state';
import type { CompiledPlan, Decision, Engine, EngineEvent, EngineOptions } from '../../core/engine/types';
import type { Plan } from '../../core/plan/types';

export type Launch = Extract<Decision, { type: 'launch' }>;
export type Notify = Extract<Decision, { type: 'notify' }>;

/** How an effect ends. Absent: success after a second. */
export interface Ending {
  durationMs?: number;
  result?: Partial<AgentResult>;
  failure?: Partial<EffectFailure> & Pick<EffectFailure, 'kind'>;
  /** The attempt that ended; null: not known. Absent: the first. */
  attempt?: number | null;
  /** It never ends by itself (only by being cancelled). */
  never?: boolean;
  /** When it is cancelled: how long until it ends, and whether it succeeds nevertheless. */
  cancelled?: { afterMs?: number; succeeds?: boolean };
}

export interface DriverOptions {
  behave?: (launch: Launch, atMs: number) => Ending;
  /** Default: an agent `<role>-<k>` that is not excluded. */
  assign?: (
    request: AssignmentRequest,
    atMs: number,
    driver: EngineDriver,
  ) =>
    | { kind: 'assigned'; agent: AssignedAgent; done?: RecordedSuccess }
    | { kind: 'busy'; reason: string; people?: true }
    | { kind: 'nobody'; reason: string };
  /** What becomes of a notice. Default: it is delivered at once. */
  deliver?: (notify: Notify) => { address?: string; attempt?: number; failure?: string } | 'never';
  engine?: Partial<EngineOptions>;
  /** Ids of the agents that are added. */
  addAgents?: (asked: { role: string; count: number }) => string[];
  /** What becomes of a signature; `never`: it is not answered. */
  verify?: (token: string) => VerifiedToken | 'never';
  /** What becomes of an edited file: its plan, or why there is none. */
  compile?: (source: string) => Plan | string;
  /** Changes the order of what happens at one moment. */
  shuffle?: <T>(events: T[]) => T[];
  /** After every `decide`, the state goes through JSON into a new engine. */
  restoreAlways?: boolean;
  /** Called after every `decide`, when its decisions are carried out. */
  afterTurn?: (driver: EngineDriver) => void;
}

interface Scheduled {
  atMs: number;
  event: () => EngineEvent;
  id: string;
}

/** Time at which every driven run starts. */
export const startMs = Date.UTC(2026, 0, 5, 12);

export function agentNamed(id: string, more: Partial<AssignedAgent> = {}): AssignedAgent {
  return { id, role: id.replace(/-\d+$/, ''), skills: [], executor: 'simulate', idempotent: true, ...more };
}

/** What they do shows only when their own question has been answered. */
const answeredLater = new Set(['add_agent', 'add_step', 'edit_step']);

/** Runs an engine in virtual time: carries its decisions out by script. What happened is kept for assertions. */
export class EngineDriver {
  engine: Engine;
  nowMs = startMs;
  readonly launches: { id: string; step: string; atMs: number; launch: Launch }[] = [];
  readonly ends: { id: string; step: string; atMs: number }[] = [];
  readonly cancelled: string[] = [];
  readonly assigns: AssignmentRequest[][] = [];
  readonly answers: { request: AssignmentRequest; kind: AssignmentReply['kind'] }[] = [];
  readonly decisions: Decision[] = [];
  readonly changes: RunChanges[] = [];
  readonly notices: Notify[] = [];
  /** Most steps in work at one time, monitors apart. */
  maxRunning = 0;
  finished: { status: TerminalRunStatus; reason?: string } | undefined;
  readonly #options: DriverOptions;
  #engineOptions: EngineOptions;
  #queue: Scheduled[] = [];
  readonly #inFlight = new Map<string, { launch: Launch; ending: Ending }>();

  constructor(
    readonly plan: Plan,
    options: DriverOptions = {},
  ) {
    this.#options = options;
    this.#engineOptions = {
      plan,
      planHash: 'sha256:test',
      run: { id: 'run', runId: 'run-id', rootRunId: 'root', definition: plan.id },
      startedAtMs: startMs,
      timeScale: 1,
      initiator: 'ivo',
      inputs: {},
      humans: [],
      autoApprove: false,
      historyEstimatesMs: {},
      ...options.engine,
    };
    this.engine = createEngine(this.#engineOptions);
    this.#turn([]);
  }

  get state(): RunState {
    return this.engine.state;
  }

  stateOf(step: string): string {
    return this.state.steps[step]!.state;
  }

  statesOf(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.state.steps).map(([id, { state }]) => [id, state]));
  }

  audit(): RunChanges['audit'] {
    return this.changes.flatMap((change) => change.audit);
  }

  /** Effects in the order of their launch, as `<step>` or `undo <step>`; samples left out. */
  order(): string[] {
    return this.launches
      .filter(({ launch }) => launch.sample === undefined)
      .map(({ step, launch }) => (launch.effect.mode === 'undo' ? `undo ${step}` : step));
  }

  /** Somebody changes the run. Gives what became of it; the run goes on as far as it can by itself. */
  adjust(adjustment: Adjustment, { by = 'ana', reason }: { by?: string; reason?: string } = {}): AdjustVerdict {
    let verdict: AdjustVerdict | undefined;
    this.askFor(adjustment, { by, ...(reason === undefined ? {} : { reason }), answer: (said) => (verdict = said) });
    this.run();
    if (verdict === undefined) throw new Error('The adjustment was not answered.');
    return verdict;
  }

  /** The same, without letting time pass. */
  askFor(
    adjustment: Adjustment,
    { by = 'ana', reason, answer }: { by?: string; reason?: string; answer?: (verdict: AdjustVerdict) => void } = {},
  ): void {
    const request = {
      adjustment,
      by: { kind: 'person' as const, id: by },
      ...(reason === undefined ? {} : { reason }),
      via: 'update' as const,
    };
    const before = JSON.stringify(this.state);
    const refusal = this.engine.judgeAdjustment(request);
    if (JSON.stringify(this.state) !== before) throw new Error('Judging an adjustment changed the run.');
    this.#turn([
      {
        type: 'adjusted',
        atMs: this.nowMs,
        request,
        answer: (verdict) => {
          if (verdict.ok === (refusal !== undefined) && !answeredLater.has(adjustment.kind))
            throw new Error(`Judged ${refusal === undefined ? 'fine' : refusal.code}, but ${JSON.stringify(verdict)}`);
          answer?.(verdict);
        },
      },
    ]);
  }

  /** Something from outside, now; then on until nothing happens by itself. */
  send(...events: EngineEvent[]): this {
    this.#turn(events);
    return this.run();
  }

  vote(gate: string, decision: Vote['decision'], by = 'ana', reason?: string): this {
    return this.send(this.voteEvent(gate, decision, by, reason));
  }

  voteEvent(gate: string, decision: Vote['decision'], by = 'ana', reason?: string): EngineEvent {
    return {
      type: 'voted',
      vote: { gate, by, decision, ...(reason === undefined ? {} : { reason }), atMs: this.nowMs, assurance: 'local', via: 'signal' },
    };
  }

  cancel(noRollback = false): this {
    return this.send({ type: 'cancelRequested', atMs: this.nowMs, by: { kind: 'person', id: 'ana' }, reason: 'enough', noRollback });
  }

  /** Until the run has ended or only people can move it: the deadlines of gates and tasks, and what is deferred, come only with `untilMs`. */
  run({ untilMs }: { untilMs?: number } = {}): this {
    for (let turns = 0; this.finished === undefined; turns += 1) {
      if (turns > 20_000) throw new Error('The run does not end.');
      const next = this.#nextMs();
      if (next === undefined || next > (untilMs ?? this.#horizonMs())) break;
      this.nowMs = Math.max(this.nowMs, next);
      const due = this.#queue.filter((one) => one.atMs <= this.nowMs);
      this.#queue = this.#queue.filter((one) => one.atMs > this.nowMs);
      const events = due.map((one) => one.event());
      this.#turn(this.#options.shuffle === undefined ? events : this.#options.shuffle(events));
    }
    return this;
  }

  /** Something from outside, at its time. */
  schedule(atMs: number, event: (atMs: number) => EngineEvent): void {
    this.#queue.push({ atMs, id: 'outside', event: () => event(atMs) });
  }

  /** Lets time pass, whatever is waited for. */
  pass(ms: number): this {
    const untilMs = this.nowMs + ms;
    this.run({ untilMs });
    this.nowMs = Math.max(this.nowMs, untilMs);
    return this;
  }

  #nextMs(): number | undefined {
    return this.#queue.reduce<number | undefined>((next, { atMs }) => (next === undefined || atMs < next ? atMs : next), undefined);
  }

  #horizonMs(): number {
    return this.#queue.some(({ id }) => !/^(gate|task)\//.test(id) && !id.endsWith('/deferred') && id !== 'run/late')
      ? Number.POSITIVE_INFINITY
      : this.nowMs;
  }

  #turn(events: EngineEvent[]): void {
    for (const event of events) this.engine.apply(event);
    const decisions = this.engine.decide(this.nowMs);
    this.decisions.push(...decisions);
    for (const decision of decisions) this.#carryOut(decision);
    const monitors = new Set(this.plan.steps.filter((step) => step.monitor !== undefined).map((step) => step.id));
    const working = Object.entries(this.state.steps).filter(
      ([id, { state }]) => (state === 'running' || state === 'assigned') && !monitors.has(id),
    );
    this.maxRunning = Math.max(this.maxRunning, working.length);
    this.changes.push(this.engine.takeChanges().changes);
    if (this.#options.restoreAlways === true && this.finished === undefined) {
      const { plan, planHash, historyEstimatesMs } = this.engine.followed;
      this.#engineOptions = { ...this.#engineOptions, plan, planHash, historyEstimatesMs };
      this.engine = createEngine({ ...this.#engineOptions, saved: JSON.parse(JSON.stringify(this.engine.state)) as RunState });
    }
    if (this.finished === undefined && this.engine.decide(this.nowMs).some((decision) => decision.type !== 'startTimer')) {
      throw new Error('A second decide without an event decided something.');
    }
    this.#options.afterTurn?.(this);
  }

  #carryOut(decision: Decision): void {
    switch (decision.type) {
      case 'assign':
        return this.#assign(decision.requests);
      case 'launch':
        return this.#launch(decision);
      case 'cancelEffect': {
        const id = activityIdOf(decision.effect);
        this.cancelled.push(id);
        const flight = this.#inFlight.get(id);
        if (flight === undefined) throw new Error(`${id} is cancelled and does not run`);
        this.#queue = this.#queue.filter((one) => one.id !== id);
        const { afterMs = 0, succeeds = false } = flight.ending.cancelled ?? {};
        const ending: Ending = succeeds ? {} : { failure: { kind: 'cancelled', message: 'cancelled', recorded: false } };
        return this.#scheduleEnd(id, flight.launch, { ...ending, durationMs: afterMs });
      }
      case 'startTimer': {
        this.#queue = this.#queue.filter((one) => one.id !== decision.id);
        this.#queue.push({
          atMs: decision.atMs,
          id: decision.id,
          event: () => ({ type: 'timerFired', atMs: this.nowMs, id: decision.id }),
        });
        return;
      }
      case 'notify':
        return this.#notify(decision);
      case 'cancelTimer':
        this.#queue = this.#queue.filter((one) => one.id !== decision.id);
        return;
      case 'addAgents': {
        const added = this.#options.addAgents?.(decision) ?? [`${decision.role}-extra`];
        this.#queue.push({
          atMs: this.nowMs,
          id: 'addAgents',
          event: () => ({ type: 'agentsAdded', atMs: this.nowMs, agentSet: 'larger', added }),
        });
        return;
      }
      case 'verify': {
        const verified = decision.tokens.map(({ token }) => this.#options.verify?.(token) ?? ('never' as const));
        if (verified.includes('never')) return;
        this.#queue.push({
          atMs: this.nowMs,
          id: 'verify',
          event: () => ({ type: 'verified', atMs: this.nowMs, verified: verified as VerifiedToken[] }),
        });
        return;
      }
      case 'compilePlan': {
        const compiled = this.#compile(decision.source);
        this.#queue.push({ atMs: this.nowMs, id: 'compilePlan', event: () => ({ type: 'planCompiled', atMs: this.nowMs, compiled }) });
        return;
      }
      case 'finish':
        if (this.#inFlight.size > 0) throw new Error(`The run ends while ${[...this.#inFlight.keys()].join(', ')} runs`);
        this.finished = { status: decision.status, ...(decision.reason === undefined ? {} : { reason: decision.reason }) };
        return;
    }
  }

  #compile(source: string): CompiledPlan {
    const plan = this.#options.compile?.(source) ?? 'nobody said what it compiles to';
    if (typeof plan === 'string') return { problem: plan };
    return { plan, frozen: { planHash: `sha256:${source}`, planPieces: 1 }, historyEstimatesMs: {} };
  }

  #notify(notify: Notify): void {
    const delivery = this.#options.deliver?.(notify) ?? { address: 'here', attempt: 1 };
    this.notices.push(notify);
    if (delivery === 'never') return;
    this.#queue.push({
      atMs: this.nowMs,
      id: notify.id,
      event: () => ({ type: 'noticeEnded', atMs: this.nowMs, id: notify.id, ...delivery }),
    });
  }

  #assign(requests: AssignmentRequest[]): void {
    this.assigns.push(requests);
    const replies = requests.map((request): AssignmentReply => {
      const { path, generation, slot, assignment, mode } = request;
      const answer = this.#options.assign?.(request, this.nowMs, this) ?? { kind: 'assigned' as const, agent: defaultAgent(request) };
      this.answers.push({ request, kind: answer.kind });
      const effect = { path, generation, slot, assignment, mode };
      return answer.kind === 'assigned' ? { ...effect, ...answer, why: 'by script' } : { ...effect, ...answer };
    });
    this.#queue.push({ atMs: this.nowMs, id: 'assign', event: () => ({ type: 'replied', atMs: this.nowMs, replies }) });
  }

  #launch(launch: Launch): void {
    const id = activityIdOf(launch.effect);
    if (this.#inFlight.has(id) || this.launches.some((other) => other.id === id)) throw new Error(`${id} is launched twice`);
    const ending = this.#options.behave?.(launch, this.nowMs) ?? {};
    this.launches.push({ id, step: launch.step, atMs: this.nowMs, launch });
    this.#inFlight.set(id, { launch, ending });
    if (ending.never !== true) this.#scheduleEnd(id, launch, ending);
  }

  #scheduleEnd(id: string, launch: Launch, ending: Ending): void {
    const startedAtMs = this.launches.find((one) => one.id === id)!.atMs;
    this.#queue.push({
      atMs: this.nowMs + (ending.durationMs ?? 1_000),
      id,
      event: (): EngineEvent => {
        this.#inFlight.delete(id);
        this.ends.push({ id, step: launch.step, atMs: this.nowMs });
        const { effect } = launch;
        const { attempt = 1 } = ending;
        const times = { atMs: this.nowMs, startedAtMs, endedAtMs: this.nowMs, ...(attempt === null ? {} : { attempt }) };
        if (ending.failure === undefined) return { type: 'effectEnded', effect, ...times, result: { status: 'success', ...ending.result } };
        return { type: 'effectEnded', effect, ...times, failure: { message: 'by script', recorded: true, ...ending.failure } };
      },
    });
  }
}

function defaultAgent({ role, agentId, exclude }: AssignmentRequest): AssignedAgent {
  if (agentId !== undefined) return agentNamed(agentId, { role });
  for (let k = 1; ; k += 1) if (!exclude.includes(`${role}-${k}`)) return agentNamed(`${role}-${k}`);
}

/** Outcomes by step id (or undo by `undo <id>`), the same for every assignment; those not named succeed after a second. */
export function byStep(endings: Record<string, Ending>): (launch: Launch) => Ending {
  return ({ step, effect }) => endings[effect.mode === 'undo' ? `undo ${step}` : step] ?? {};
}
