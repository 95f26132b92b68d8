import { setTimeout as delay } from 'node:timers/promises';
import type { VaporaClient } from '../client/connect';
import { getStatus, peekStatus } from '../client/run-views';
import { waitForResult, startFailureCode, type RunOutcome } from '../client/run-outcome';
import { isAppError } from '../core/contract/errors';
import { isTerminalRunStatus } from '../core/contract/states';
import type { RunStatusView } from '../core/contract/views';
import type { CommandContext } from './command';
import { exitCodeOfEnd, exitCodeOfError, exitCodes, isWaitingForPerson, type ExitCode } from './exit-codes';
import { LiveFrame } from './live-frame';
import { decideCommand, reportCommand, shellQuote } from './render/commands';
import { describeChanges } from './render/changes';
import { renderStatus } from './render/status';
import { colorsFor, detectRenderOptions, plainText, terminalSize } from './render/style';

const watchIntervalMs = 400;
const firstPeekMs = 200;
const lastPeekMs = 1_000;
const noWorkerPatienceMs = 10_000;
const outagePatienceMs = 15_000;

/** Shows a run until it has ended: redrawn in place on a terminal, one line per change otherwise. */
export async function watchRun(context: CommandContext, client: VaporaClient, id: string): Promise<ExitCode> {
  const { io } = context;
  const show = createRunDisplay(context);
  let answeredAtMs: number | undefined;
  try {
    for (;;) {
      try {
        const { view } = await getStatus(client, id);
        show.update(view);
        answeredAtMs = Date.now();
        if (isTerminalRunStatus(view.status)) return exitCodeOfEnd(view.status);
      } catch (error) {
        // Servers restart: what answered a moment ago gets a little patience.
        const isBrief = answeredAtMs !== undefined && Date.now() - answeredAtMs < outagePatienceMs;
        if (!isBrief || !isAppError(error) || error.code !== 'unavailable') throw error;
      }
      await pause(watchIntervalMs, io.signal);
      if (io.signal.aborted) break;
    }
  } finally {
    show.close();
  }
  noteGoesOn(context, id);
  return exitCodes.interrupted;
}

export interface RunDisplay {
  update(view: RunStatusView): void;
  close(): void;
}

/** Redrawn in place on a terminal, one line per change otherwise. */
export function createRunDisplay(context: CommandContext): RunDisplay {
  return context.io.stdout.isTTY === true && !context.isJson ? createLiveView(context) : createChangeLog(context);
}

function createLiveView(context: CommandContext): RunDisplay {
  const { stdout } = context.io;
  const frame = new LiveFrame(stdout);
  return {
    update(view) {
      // The window may have changed its size.
      const options = { ...context.render, ...detectRenderOptions(stdout, context.io.variables), nowMs: Date.now() };
      frame.draw(fitHeight((listLimit) => renderStatus(view, { ...options, listLimit }), terminalSize(stdout).rows - 1));
    },
    close: () => frame.close(),
  };
}

/** The text with the longest lists that still fits; cutting lists loses less than cutting the end. */
function fitHeight(render: (listLimit: number) => string, rows: number): string {
  for (let limit = 30; limit > 2; limit -= 1) {
    const text = render(limit);
    if (text.split('\n').length <= rows) return text;
  }
  return render(2);
}

/** Lines (or JSON lines) of what changed between two looks. */
function createChangeLog({ isJson, print, render }: CommandContext): RunDisplay {
  let last: RunStatusView | undefined;
  return {
    update(view) {
      if (isJson) {
        const { timeline: _, ...facts } = view;
        const { timeline: __, ...before } = last ?? { timeline: undefined };
        if (JSON.stringify(facts) !== JSON.stringify(before)) print(JSON.stringify(view));
      } else for (const line of describeChanges(last, view, { ...render, nowMs: Date.now() })) print(line);
      last = view;
    },
    close() {},
  };
}

/** Waits until a run has ended (its outcome is printed) or only a person can move it (the commands that do are). */
export async function awaitRun(context: CommandContext, client: VaporaClient, id: string, runId: string | undefined): Promise<ExitCode> {
  const settled = new AbortController();
  const { signal } = context.io;
  const ended = waitForResult(client, id, { runId, signal: AbortSignal.any([settled.signal, signal]) }).then(
    (outcome) => ({ outcome }),
    (error: unknown) => ({ error }),
  );
  const waiting = watchForPerson(context, client, id, AbortSignal.any([settled.signal, signal]));
  // A look that fails settles nothing: what ends the wait is the result, which fails too if the server is gone for good.
  const first = await Promise.race([
    ended,
    waiting.then(
      (view) => ({ view }),
      () => ended,
    ),
  ]);
  settled.abort();
  await Promise.allSettled([ended, waiting]);
  if (signal.aborted && !('outcome' in first)) {
    noteGoesOn(context, id);
    return exitCodes.interrupted;
  }
  if ('outcome' in first) return reportOutcome(context, first.outcome);
  if ('error' in first) throw first.error;
  if (first.view === undefined) return reportOutcome(context, await waitForResult(client, id, { runId }));
  reportWaiting(context, first.view);
  return exitCodes.waitingForPerson;
}

/** Looks at the status word, which needs no worker, and asks for the whole only when it says that a person is needed. */
async function watchForPerson(
  context: CommandContext,
  client: VaporaClient,
  id: string,
  signal: AbortSignal,
): Promise<RunStatusView | undefined> {
  const startedAtMs = Date.now();
  let intervalMs = firstPeekMs;
  let wasNoted = false;
  while (!signal.aborted) {
    const peeked = await peekStatus(client, id);
    if (peeked?.isClosed === true) return undefined;
    if (peeked !== undefined && isWaitingForPerson(peeked.status)) {
      const { view } = await getStatus(client, id);
      if (isWaitingForPerson(view.status)) return view;
    }
    if (!wasNoted && peeked?.status === 'created' && Date.now() - startedAtMs > noWorkerPatienceMs) {
      wasNoted = true;
      context.note(`no worker has taken ${id} up yet; is one running? ('vapora worker' starts one)`);
    }
    await pause(intervalMs, signal);
    intervalMs = Math.min(lastPeekMs, intervalMs * 1.5);
  }
  return undefined;
}

/** Prints how a run ended and gives the exit code for it. */
export function reportOutcome(context: CommandContext, outcome: RunOutcome): ExitCode {
  const startFailure = startFailureCode(outcome);
  if (context.isJson) context.printJson(outcome);
  else {
    const colors = colorsFor(context.render);
    const status = outcome.status === 'completed' ? colors.green(outcome.status) : colors.red(outcome.status);
    const steps = outcome.steps === undefined ? '' : ` (${countsText(outcome.steps)})`;
    context.print(`${plainText(outcome.id)} ${status}${steps}${outcome.reason === undefined ? '' : `: ${outcome.reason}`}`);
  }
  return startFailure === undefined ? exitCodeOfEnd(outcome.status) : exitCodeOfError(startFailure);
}

function countsText(steps: Record<string, number>): string {
  return Object.entries(steps)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}

function reportWaiting(context: CommandContext, view: RunStatusView): void {
  const open = view.gates.filter(({ state }) => state === 'open');
  const { tasks = [] } = view;
  if (context.isJson) {
    const { schemaVersion, id, runId, definition, status, phase, reason, waitsFor } = view;
    context.printJson({
      schemaVersion,
      id,
      runId,
      definition,
      status,
      phase,
      reason,
      waitsFor,
      gates: open,
      ...(tasks.length > 0 && { tasks }),
    });
    return;
  }
  context.print(`${view.id} is ${view.status}${view.reason === undefined ? '' : `: ${plainText(view.reason)}`}`);
  for (const gate of open) {
    context.print(`  ${decideCommand('approve', view.id, gate, context.render.user)}`);
    context.print(`  ${decideCommand('reject', view.id, gate, context.render.user)}`);
  }
  for (const task of tasks) context.print(`  ${reportCommand(view.id, task, context.render.user)}`);
  if (view.status === 'paused') context.print(`  vapora workflow resume --id ${shellQuote(view.id)}`);
  else if (open.length + tasks.length === 0) context.print(`  vapora workflow status --id ${shellQuote(view.id)}`);
}

function noteGoesOn({ note, options }: CommandContext, id: string): void {
  if (options.flag('local')) {
    note("the run stops with this environment and goes on with the next one in this folder: 'vapora dev'");
    return;
  }
  note(`the run goes on; see it with: vapora workflow watch --id ${shellQuote(id)}`);
}

/** A wait that ends early, without an error, when the command is interrupted. */
async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(durationMs, undefined, { signal });
  } catch {
    // Interrupted: the caller looks at the signal.
  }
}
