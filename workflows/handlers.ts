import { ApplicationFailure, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import type { AdjustmentKind, AdjustReply, AdjustVerdict } from '../core/contract/adjustments';
import type { AgentDocument } from '../core/contract/agent-document';
import type { DecideReply, Refusal, ReportReply } from '../core/contract/messages';
import { signalNames } from '../core/contract/names';
import type { ExplainView, GateView, RunStatusView, TimelineView } from '../core/contract/views';
import type { Engine, ReportVerdict, VoteVerdict } from '../core/engine/types';
import type { Plan } from '../core/plan/types';
import { parseAdjustment } from './adjustments';
import type { Inbox } from './driver';
import { onSignal } from './interceptors';
import { parseDecision, parseSignal } from './messages';
import { recordingViewOf } from './recorder';
import type { Recorder } from './recorder';
import { parseReport, type ParsedReport } from './reports';

/** What the handlers speak of, once the run is planned. */
export interface Holder {
  engine?: Engine;
  recorder?: Recorder;
}

const statusQuery = defineQuery<RunStatusView | null>('status');
const planQuery = defineQuery<Plan | null>('plan');
const timelineQuery = defineQuery<TimelineView | null>('timeline');
const gatesQuery = defineQuery<GateView[]>('gates');
const explainQuery = defineQuery<ExplainView | null, [unknown]>('explain');
const taskQuery = defineQuery<AgentDocument | null, [unknown]>('task');
const decideUpdate = defineUpdate<DecideReply, unknown[]>('decide');
/** Updates that change the run: `adjust` says which kind, the others are one each. */
const adjustUpdates: readonly { name: string; kind?: AdjustmentKind }[] = [
  { name: 'adjust' },
  { name: 'retryStep', kind: 'retry_step' },
  { name: 'skipStep', kind: 'skip_step' },
  { name: 'overrideGate', kind: 'override_gate' },
];

/** Signals, updates and queries of a run, from its first moment: `holder` is filled when the run is planned. Gives how many signals have come. */
export function registerHandlers(inbox: Inbox, holder: Holder): { countSignals(): number } {
  let signals = 0;
  const receive = (name: string, args: unknown[]): void => {
    signals += 1;
    inbox.post(parseSignal(name, args, Date.now()));
  };
  // So that Temporal's tools list them: the signals themselves come through the interceptor.
  for (const name of signalNames) setHandler(defineSignal<unknown[]>(name), (...args: unknown[]) => receive(name, args));
  onSignal(receive);

  setHandler(statusQuery, () => (holder.engine ? { ...holder.engine.statusView(Date.now()), ...recordingViewOf(holder.recorder) } : null));
  setHandler(planQuery, () => holder.engine?.followed.plan ?? null);
  setHandler(timelineQuery, () => holder.engine?.timelineView() ?? null);
  setHandler(gatesQuery, () => holder.engine?.gateViews(Date.now()) ?? []);
  setHandler(explainQuery, (input) => {
    const step = typeof input === 'object' && input !== null ? (input as { stepId?: unknown }).stepId : input;
    return typeof step === 'string' ? (holder.engine?.explain(step) ?? null) : null;
  });

  setHandler(taskQuery, (input) => {
    const task = typeof input === 'object' && input !== null ? (input as { task?: unknown }).task : input;
    return typeof task === 'string' ? (holder.engine?.taskDocument(task) ?? null) : null;
  });

  setHandler(
    decideUpdate,
    async (...args) => {
      const { vote, token } = judged(args);
      // What the loop made of the vote: something that arrived at the same moment may have decided before it.
      const verdict = await new Promise<VoteVerdict>((answer) => inbox.post({ type: 'voted', vote, ...token, answer }));
      if (!verdict.ok) throw refused(verdict);
      return verdict.reply;
    },
    {
      validator: (...args) => {
        const { engine, vote, token } = judged(args);
        const verdict = engine.judgeVote(vote, token.token);
        if (!verdict.ok) throw refused(verdict);
      },
    },
  );

  setHandler(
    defineUpdate<ReportReply, unknown[]>('report'),
    async (...args) => {
      const { report, signed } = reported(args);
      const verdict = await new Promise<ReportVerdict>((answer) =>
        inbox.post({ type: 'reported', atMs: Date.now(), report, ...signed, answer }),
      );
      if (!verdict.ok) throw refused(verdict);
      return verdict.reply;
    },
    {
      validator: (...args) => {
        const { engine, report, signed } = reported(args);
        const verdict = engine.judgeReport(report, signed.token);
        if (!verdict.ok) throw refused(verdict);
      },
    },
  );

  for (const { name, kind } of adjustUpdates) {
    const read = (args: readonly unknown[]) => {
      const parsed = parseAdjustment(args, kind);
      if (!parsed.ok) throw refused({ code: 'malformed', reason: `${name}: ${parsed.reason}` });
      const { signed, ...asked } = parsed.value;
      return { engine: plannedEngine(), request: { ...asked, via: 'update' } as const, signed };
    };
    setHandler(
      defineUpdate<AdjustReply, unknown[]>(name),
      async (...args) => {
        const { request, signed } = read(args);
        const verdict = await new Promise<AdjustVerdict>((answer) =>
          inbox.post({ type: 'adjusted', atMs: Date.now(), request, ...signed, answer }),
        );
        if (!verdict.ok) throw refused(verdict);
        return verdict.reply;
      },
      {
        validator: (...args) => {
          const { engine, request, signed } = read(args);
          const refusal = engine.judgeAdjustment(request, signed.token);
          if (refusal !== undefined) throw refused(refusal);
        },
      },
    );
  }

  return { countSignals: () => signals };

  function plannedEngine(): Engine {
    if (!holder.engine) throw refused({ code: 'planning', reason: 'the run is still being planned: try again in a moment' });
    return holder.engine;
  }

  function reported(args: readonly unknown[]): { engine: Engine } & ParsedReport {
    const parsed = parseReport(args);
    if (!parsed.ok) throw refused({ code: 'malformed', reason: `report: ${parsed.reason}` });
    return { engine: plannedEngine(), ...parsed.value };
  }

  function judged(args: readonly unknown[]) {
    const parsed = parseDecision(args);
    if (!parsed.ok) throw refused({ code: 'malformed', reason: `decide: ${parsed.reason}` });
    const { token, ...vote } = parsed.value;
    return {
      engine: plannedEngine(),
      vote: { ...vote, atMs: Date.now(), assurance: 'local', via: 'update' } as const,
      token: token === undefined ? {} : { token },
    };
  }
}

function refused({ code, reason }: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: 'Refused', message: reason, nonRetryable: true, details: [{ code }] });
}
