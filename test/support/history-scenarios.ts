/** Runs whose histories are kept and replayed: together they make the workflow do all it can do. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { adjustRun, decideGate } from '../../client/control-run';
import { reportStep } from '../../client/report-step';
import { waitForResult } from '../../client/run-outcome';
import type { StartInput } from '../../core/contract/start-input';
import type { TerminalRunStatus } from '../../core/contract/states';
import { poison, strayVotes } from './poison-signals';
import { sendRawSignal } from './raw-signals';
import { instantAgents, readExample, startTestRun } from './vapora';
import type { StartedTestRun, TestVapora } from './vapora';
import { waitFor } from './wait-for';

export interface HistoryScenario {
  name: string;
  ends: TerminalRunStatus;
  /** Starts the run and does what people do; resolves before or after its end. */
  act(vapora: TestVapora, folder: string): Promise<StartedTestRun>;
}

const feature = (vapora: TestVapora, input: StartInput = {}): Promise<StartedTestRun> =>
  startTestRun(vapora, readExample('feature-auth-mfa', 'workflow.yaml'), {
    agents: { source: readExample('feature-auth-mfa', 'agents.yaml') },
    // Few samples of the 24-hour monitor: they are most of the history.
    timeScale: 200_000,
    ...input,
  });

const everySkill = {
  source:
    'agents:\n  - {id: sim, role: "*", skills: [frontend, backend, security], capacity: 100, executor: {kind: simulate, duration: 1ms}}\n',
};

function scenario(name: string, ends: TerminalRunStatus, act: HistoryScenario['act']): HistoryScenario {
  return { name, ends, act };
}

function shipAChange(variant: string, ends: TerminalRunStatus): HistoryScenario {
  return scenario(`ship-a-change-${variant}`, ends, async (vapora, folder) => {
    const prepare = join(__dirname, '../../examples/ship-a-change/prepare.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [prepare, join(folder, variant)]);
    const run = await startTestRun(vapora, readExample('ship-a-change', 'workflow.yaml').replace(/pace_ms: \d+/, 'pace_ms: 0'), {
      agents: { source: readExample('ship-a-change', 'agents.yaml') },
      inputs: { repo: stdout.trim(), variant },
    });
    if (ends !== 'completed') return run;
    await run.waitsAt('6_approve');
    await run.handle.signal('approve', { gate: '6_approve', by: 'ana', reason: 'looks good' });
    return run;
  });
}

export const historyScenarios: HistoryScenario[] = [
  scenario('feature', 'completed', async (vapora) => {
    const run = await feature(vapora);
    await run.waitsAt('3_decision_maker_approves');
    await run.handle.signal('approve', { gate: '3_decision_maker_approves', by: 'ana', reason: 'ok' });
    await run.waitsAt('12_final_approval');
    await decideGate(vapora.client, run.id, { gate: '12_final_approval', by: 'ana', decision: 'approve' });
    return run;
  }),

  scenario('feature-phases', 'completed', (vapora) =>
    startTestRun(vapora, readExample('feature-user-preferences', 'workflow.yaml'), {
      agents: everySkill,
      timeScale: 200_000,
      autoApprove: true,
    }),
  ),

  shipAChange('good', 'completed'),
  shipAChange('broken', 'rolled_back'),

  scenario('approvals', 'completed', async (vapora) => {
    const source = `
Workflow: approvals
Steps:
  a: { agent: developer }
  b: { agent: developer, dependencies: [a], approval: { approvers: [ana, bo, cy], quorum: 2 } }
  c: { agent: developer, dependencies: [b], approval: { approvers: [ana] } }
`;
    const run = await startTestRun(vapora, source, { agents: instantAgents });
    await run.handle.signal('approve', { gate: 'c', by: 'ana', reason: 'early' });
    await run.waitsAt('b');
    await run.handle.signal('approve', { gate: 'b', by: 'mallory' });
    await run.handle.signal('approve', { gate: 'b', by: 'ana' });
    await run.handle.signal('approve', { gate: 'b', by: 'ana' });
    await decideGate(vapora.client, run.id, { gate: 'b', by: 'bo', decision: 'approve' });
    return run;
  }),

  scenario('reject-and-compensate', 'rolled_back', async (vapora) => {
    const source = `
Workflow: reject-and-compensate
Steps:
  one: { agent: developer, compensate: undo_one }
  two: { agent: developer, dependencies: [one], compensate: undo_two }
  side: { agent: tester, dependencies: [one], compensate: undo_side }
  three: { agent: developer, dependencies: [two, side], approval_required: true }
`;
    const run = await startTestRun(vapora, source, { agents: instantAgents });
    await run.waitsAt('three');
    await run.handle.signal('reject', { gate: 'three', by: 'ana', reason: 'not like this' });
    return run;
  }),

  scenario('cancel', 'cancelled', async (vapora) => {
    const run = await startSlow(vapora, 'cancel');
    await run.handle.signal('pause', { reason: 'lunch', by: 'bo' });
    await run.reaches('paused');
    await run.handle.signal('resume', { by: 'bo' });
    await run.handle.signal('cancel', { reason: 'no longer wanted', by: 'ana' });
    return run;
  }),

  scenario('cancel-through-temporal', 'cancelled', async (vapora) => {
    const run = await startSlow(vapora, 'cancel-through-temporal');
    await run.handle.cancel();
    return run;
  }),

  scenario('monitor', 'completed', (vapora) =>
    startTestRun(
      vapora,
      `
Workflow: monitor
Steps:
  m: { agent: monitor, duration: 1h, interval: 20min, metrics: [error_rate], alert_if: error_rate > 1% }
  d: { agent: tester, dependencies: [m] }
`,
      {
        agents: {
          source:
            'agents:\n  - {id: m, role: monitor, executor: {kind: simulate, duration: 1ms, metrics: {error_rate: 2%}}}\n  - {id: t, role: tester, executor: {kind: simulate, duration: 1ms}}\n',
        },
        timeScale: 3_600,
      },
    ),
  ),

  scenario('deployments', 'rolled_back', async (vapora) => {
    const source = `
Workflow: deployments
Steps:
  small: { agent: devops, environment: staging, strategy: rolling, on_failure: continue, retry: { attempts: 1 }, reassign: 0 }
  large: { agent: devops, environment: production, strategy: { canary: { steps: [10%, 100%], wait: 10min, abort_if: error_rate > 1% } } }
  last: { agent: tester, dependencies: [large], retry: { attempts: 1 }, reassign: 0 }
`;
    const broken = 'script: {small/health_check: [{status: failure}]}, metrics: {error_rate: 0.1%}';
    const agents = `agents:
  - {id: d, role: devops, capacity: 9, executor: {kind: simulate, duration: 1ms, ${broken}}}
  - {id: t, role: tester, executor: {kind: simulate, duration: 1ms, success: 0}}
`;
    return startTestRun(vapora, source, { agents: { source: agents }, timeScale: 6_000 });
  }),

  scenario('adjustments', 'completed', async (vapora) => {
    const source = `
Workflow: adjustments
On_failure: continue
Steps:
  a: { agent: developer, retry: { attempts: 1 }, reassign: 0 }
  w: { agent: tester, approval: { approvers: [ana] } }
  b: { agent: tester, dependencies: [w] }
  c: { agent: tester, dependencies: [b] }
  o: { agent: tester, dependencies: [w], optional: true }
`;
    const agents = `agents:
  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms, script: {a: [{status: failure}, {status: success}]}}}
  - {id: t, role: tester, executor: {kind: simulate, duration: 1ms}}
`;
    const run = await startTestRun(vapora, source, { agents: { source: agents } });
    await run.waitsAt('w');
    await waitFor('a to fail', async () => (await run.status()).steps.find(({ id }) => id === 'a')?.state === 'failed');
    const adjust = (message: object) => run.handle.executeUpdate('adjust', { args: [{ by: 'bo', reason: 'late', ...message }] });
    await adjust({ kind: 'retry_step', step: 'a' });
    await adjust({ kind: 'add_agent', role: 'tester', count: 2 });
    await adjust({ kind: 'parallelize', steps: ['b', 'c'] });
    await adjust({ kind: 'pause', freeze: true });
    await adjust({ kind: 'resume' });
    await run.handle.signal('adjust', { kind: 'skip_step', step: 'o' });
    await run.handle.signal('adjust', { kind: 'no such thing' });
    await run.handle.signal('approve', { gate: 'w', by: 'ana' });
    return run;
  }),

  scenario('edited-steps', 'completed', async (vapora) => {
    const source = `
Workflow: edited-steps
Steps:
  a: { agent: developer }
  w: { agent: developer, dependencies: [a], approval: { approvers: [ana] } }
  b: { agent: developer, dependencies: [w] }
`;
    const run = await startTestRun(vapora, source, { agents: instantAgents });
    await run.waitsAt('w');
    const longer = `${source}  early: { agent: tester, dependencies: [a] }\n  late: { agent: tester, dependencies: [b, early], compensate: forget }\n`;
    const edited = (message: object) => ({ by: 'bo', reason: 'it turned out so', ...message });
    await run.handle.executeUpdate('adjust', { args: [edited({ kind: 'add_step', source: longer })] });
    await run.handle
      .executeUpdate('adjust', { args: [edited({ kind: 'edit_step', source: source.replace('[w]', '[v]') })] })
      .catch(() => undefined);
    const { planHash } = await run.status();
    const other = longer.replace('dependencies: [w] }', 'dependencies: [w], tasks: [look twice] }');
    await run.handle.signal('adjust', edited({ kind: 'edit_step', source: other, steps: ['b'] }));
    await waitFor('the edit', async () => (await run.status()).planHash !== planHash);
    await run.handle.signal('approve', { gate: 'w', by: 'ana' });
    return run;
  }),

  scenario('notices', 'rolled_back', async (vapora) => {
    const source = `
Workflow: notices
notify: [log, {channel: webhook, url: "http://127.0.0.1:1/", on: failed}]
timeline_hours: 1
Steps:
  a: { agent: developer, compensate: undo_a }
  b: { agent: developer, dependencies: [a], approval: { approvers: [ana] } }
`;
    const run = await startTestRun(vapora, source, { agents: instantAgents });
    await run.waitsAt('b');
    await run.handle.signal('alert', { name: 'disk', severity: 'critical', message: 'full' });
    await run.handle.signal('reject', { gate: 'b', by: 'ana', reason: 'no' });
    return run;
  }),

  scenario('retry-and-reassign', 'completed', (vapora) =>
    startTestRun(
      vapora,
      `
Workflow: retry-and-reassign
Steps:
  a: { agent: developer, reassign: 1, retry: { attempts: 2, initial_interval: 10ms } }
  b: { agent: tester, dependencies: [a] }
  c: { agent: tester, dependencies: [a] }
`,
      {
        agents: {
          source: `
agents:
  - {id: bad, role: developer, executor: {kind: simulate, duration: 1ms, success: 0}}
  - {id: good, role: developer, skills: [x], executor: {kind: simulate, duration: 1ms}}
  - {id: only, role: tester, capacity: 1, executor: {kind: simulate, duration: 100ms}}
`,
        },
      },
    ),
  ),

  scenario('poison', 'completed', async (vapora) => {
    const source = 'Workflow: poison\nSteps:\n  gated: { agent: developer, approval: { approvers: [ana] } }\n';
    const run = await startTestRun(vapora, source, { agents: instantAgents });
    await run.waitsAt('gated');
    // What nests 100,000 levels deep would be most of the file.
    const small = [...poison, ...strayVotes].filter(([, { payloads = [] }]) => payloads.every(({ data }) => (data?.length ?? 0) < 1_000));
    for (const [, signal] of small) await sendRawSignal(vapora, run.id, signal);
    await run.handle.signal('approve', { gate: 'gated', by: 'ana' });
    return run;
  }),

  scenario('not-recorded', 'completed', (vapora) => feature(vapora, { recording: 'none', autoApprove: true })),

  scenario('invalid', 'failed', (vapora) =>
    startTestRun(vapora, 'Workflow: invalid\nSteps:\n  a: { agent: developer, dependencies: [nope] }\n', { agents: instantAgents }),
  ),
  scenario('people', 'rolled_back', async (vapora) => {
    const source = `
Workflow: people
Steps:
  build: { agent: developer }
  docs: { agent: writer, dependencies: [build], outputs: [docs.md], compensate: take it back, timeout: 3s, reassign: 1 }
  ship: { agent: tester, dependencies: [docs], retry: { attempts: 1 }, reassign: 0 }
  aside: { agent: writer, dependencies: [docs], optional: true }
`;
    const agents = {
      source: `agents:
  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}
  - {id: t, role: tester, executor: {kind: simulate, success: 0, duration: 8s}}
  - {id: ana, role: writer, capacity: 9, executor: {kind: human}}
  - {id: bo, role: writer, capacity: 9, executor: {kind: human}}
`,
    };
    const run = await startTestRun(vapora, source, { agents });
    const taskOf = (id: RegExp) =>
      waitFor(`the task ${String(id)}`, async () => (await run.status()).tasks?.find((task) => id.test(task.id)));
    const first = await taskOf(/^docs#1$/);
    await run.handle.signal('report', { step: 'docs', by: 'eve', result: { status: 'success' } });
    // Nobody reports in time: the other one is asked.
    const second = await taskOf(/^docs#1.1.2$/);
    if (second.agent === first.agent) throw new Error(`${first.agent} was asked twice`);
    await run.handle.signal('report', { step: 'docs', agent: second.agent, progress: 0.5, message: 'half of it' });
    await reportStep(vapora.client, run.id, {
      step: 'docs',
      by: second.agent,
      result: { status: 'success', outputs: { 'docs.md': 'text' }, metrics: { words: 1 } },
    });
    await taskOf(/^aside#1$/);
    await adjustRun(vapora.client, run.id, { kind: 'skip_step', step: 'aside', by: 'ana', reason: 'not needed' });
    const undo = await taskOf(/!undo$/);
    await reportStep(vapora.client, run.id, { step: 'docs', by: undo.agent, result: { status: 'success' } });
    // What is undone last: the one who did not report may have begun.
    const other = await waitFor('the other undo', async () => (await run.status()).tasks?.find((task) => task.id !== undo.id));
    await reportStep(vapora.client, run.id, { step: 'docs', by: other.agent, result: { status: 'success' } });
    return run;
  }),
];
/** A step that can be undone, and one that takes an hour. */
async function startSlow(vapora: TestVapora, name: string): Promise<StartedTestRun> {
  const source = `
Workflow: ${name}
Steps:
  quick: { agent: developer, compensate: undo_quick }
  slow: { agent: tester, dependencies: [quick] }
`;
  const agents = {
    source:
      'agents:\n  - {id: d, role: developer, executor: {kind: simulate, duration: 1ms}}\n  - {id: t, role: tester, executor: {kind: simulate, duration: 1h}}\n',
  };
  const run = await startTestRun(vapora, source, { agents });
  await waitFor('slow to run', async () => (await run.status()).steps.find(({ id }) => id === 'slow')?.state === 'running');
  return run;
}

/** Runs one scenario to its end. */
export async function playScenario({ name, ends, act }: HistoryScenario, vapora: TestVapora, folder: string): Promise<StartedTestRun> {
  const run = await act(vapora, folder);
  const { status, reason } = await waitForResult(vapora.client, run.id);
  if (status !== ends) throw new Error(`${name} ended ${status} instead of ${ends}: ${reason ?? 'no reason'}`);
  return run;
}
