import type { GateView, RunStatusView, StepView, TaskView } from '../../core/contract/views';

const hour = 3_600_000;
const day = 24 * hour;

export function aStep(step: Partial<StepView> & { id: string }): StepView {
  return {
    phase: 'implementation',
    state: 'pending',
    generation: 1,
    agent: null,
    role: 'developer',
    progress: null,
    reason: null,
    waitsFor: [],
    estimateMs: null,
    ...step,
  };
}

export function aGate(gate: Partial<GateView> & { id: string }): GateView {
  return {
    kind: 'approval',
    generation: 1,
    state: 'open',
    decision: null,
    approvers: [],
    barred: [],
    isOverride: false,
    quorum: 1,
    votes: [],
    deadline: null,
    ...gate,
  };
}

export function aTask(task: Partial<TaskView> & { id: string }): TaskView {
  return {
    step: task.id.replace(/[#/].*$/, ''),
    generation: 1,
    mode: 'do',
    agent: 'ana',
    mayReport: ['ana'],
    since: '2025-11-09T11:00:00.000Z',
    deadline: null,
    progress: null,
    asked: { tasks: [], outputs: [], inputs: {} },
    ...task,
  };
}

export function aRun(view: Partial<RunStatusView> = {}): RunStatusView {
  return {
    schemaVersion: 1,
    id: 'feature-auth-mfa',
    runId: '0198f2c4-0000-7000-8000-000000000001',
    definition: 'feature-auth-mfa',
    planHash: 'a'.repeat(64),
    status: 'in_progress',
    phase: null,
    phaseIndex: 0,
    phaseCount: 0,
    phases: [],
    progress: 0,
    waitsFor: [],
    startedAt: '2025-11-09T10:00:00.000Z',
    timeScale: 1,
    steps: [],
    gates: [],
    alerts: [],
    adjustments: [],
    ignoredSignals: 0,
    totals: { steps: view.steps?.length ?? 0, gates: view.gates?.length ?? 0, alerts: view.alerts?.length ?? 0 },
    timeline: { plannedMs: null, elapsedMs: 0, etaP50: null, etaP90: null },
    ...view,
  };
}

/** The run that the specification shows in its dashboard, in the middle of its second phase. */
export function seedRun(): RunStatusView {
  return aRun({
    phase: 'implementation',
    phaseIndex: 2,
    phaseCount: 4,
    phases: [
      { id: 'design', title: 'Design', state: 'passed', done: 3, total: 3, plannedMs: 2 * hour, elapsedMs: 2 * hour },
      { id: 'implementation', title: 'Implementation', state: 'running', done: 2, total: 4, plannedMs: 3 * day, elapsedMs: 1.5 * day },
      { id: 'review', title: 'Review', state: 'pending', done: 0, total: 4, plannedMs: day, elapsedMs: null },
      { id: 'deploy', title: 'Deploy', state: 'pending', done: 0, total: 2, plannedMs: 4 * hour, elapsedMs: null },
    ],
    progress: 0.45,
    steps: [
      aStep({ id: '4_frontend_dev', state: 'running', agent: 'developer-frontend-001', role: 'developer-frontend', progress: 0.6 }),
      aStep({
        id: '4_backend_dev',
        state: 'running',
        agent: 'developer-backend-001',
        role: 'developer-backend',
        progress: 0.5,
        message: 'writing the TOTP service',
      }),
      aStep({ id: '5_security_audit', state: 'running', agent: 'security-001', role: 'security', progress: 0.7, generation: 2 }),
      aStep({ id: '6_docs_start', state: 'waiting_approval', agent: 'documenter-001', role: 'documenter' }),
      aStep({ id: '7a_frontend_review', role: 'code-reviewer', waitsFor: ['4_frontend_dev'] }),
      aStep({ id: '7d_test_coverage', role: 'tester', waitsFor: ['4_frontend_dev', '4_backend_dev'] }),
      aStep({ id: '9_deploy_staging', role: 'devops', state: 'blocked', reason: 'coverage 71.3 % is not > 85 %' }),
    ],
    gates: [
      aGate({
        id: '6_docs_start',
        step: '6_docs_start',
        approvers: ['ana', 'luis'],
        deadline: '2025-11-10T10:00:00.000Z',
        result: { summary: 'ADR written', metrics: { pages: 4 } },
      }),
    ],
    alerts: [
      {
        step: '11_monitor_staging',
        name: 'error_rate',
        severity: 'warning',
        message: 'error_rate 1.4% > 1%',
        state: 'raised',
        at: '2025-11-09T11:00:00.000Z',
      },
    ],
    timeline: { plannedMs: 5 * day, elapsedMs: 1.6 * day, etaP50: 4 * day, etaP90: 4.5 * day },
  });
}
