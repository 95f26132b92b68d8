import type { RunStatusView } from '../../core/contract/views';
import { aGate, aRun, aStep, seedRun } from '../../test/support/run-views';
import { renderStatus } from './status';
import { plainOptions, textWidth, type RenderOptions } from './style';

const nowMs = Date.parse('2025-11-09T22:00:00.000Z');
const hour = 3_600_000;

function check(view: RunStatusView, expected: string, options: Partial<RenderOptions> = {}): void {
  expect(renderStatus(view, { ...plainOptions, nowMs, ...options })).toBe(expected.replace(/^\n/, '').replace(/\n *$/, ''));
}

test("the specification's dashboard, on a terminal with emoji", () => {
  check(
    seedRun(),
    `
Workflow: feature-auth-mfa
Status: in_progress (Phase 2/4: Implementation)
Progress: 45% █████████░░░░░░░░░░░
Timeline: 1d 14h used, 3d 10h of 5d remaining
Active Agents (4/6):
├─ developer-frontend-001 🟢 Implementing 4_frontend_dev (60% done)
├─ developer-backend-001 🟢 Implementing 4_backend_dev (50% done): writing the TOTP service
├─ security-001 🟢 Auditing 5_security_audit (70% done, round 2)
└─ documenter-001 🟡 6_docs_start: waiting for approval
Pending Agents (2):
├─ (code-reviewer) ⏳ 7a_frontend_review: waiting for 4_frontend_dev
└─ (tester) ⏳ 7d_test_coverage: waiting for 4_frontend_dev, 4_backend_dev
Blockers (1):
└─ 9_deploy_staging: coverage 71.3 % is not > 85 %
Issues: none
Risks (1):
└─ 11_monitor_staging: error_rate 1.4% > 1% (warning)
Waiting for a person (1):
🟡 6_docs_start: approval (by ana or luis, 12h left)
   summary: ADR written
   metrics: pages 4
   vapora workflow approve --id feature-auth-mfa --gate 6_docs_start --by ana
Timeline Projection:
- Design: ✅ 2h (completed, planned 2h)
- Implementation: 3d (50% done, on track)
- Review: 1d (scheduled)
- Deploy: 4h (scheduled)
Total ETA: 4d (vs 5d planned, 1d early!, 90% sure within 4d 12h)
`,
    { emoji: true, unicode: true },
  );
});

test('plain when piped', () => {
  const text = renderStatus(seedRun(), { ...plainOptions, nowMs });
  expect(text).toMatch(/^[\u0020-\u007e\n]*$/);
  expect(text).toContain('|- developer-frontend-001 * Implementing 4_frontend_dev (60% done)');
  expect(text).toContain('- Design: [done] 2h (completed, planned 2h)');
});

test('every line but the commands fits the width', () => {
  for (const width of [20, 40, 79]) {
    const lines = renderStatus(seedRun(), { ...plainOptions, emoji: true, unicode: true, color: true, nowMs, width }).split('\n');
    expect(lines.filter((line) => !line.includes('vapora workflow')).every((line) => textWidth(line) <= width)).toBe(true);
    expect(lines.join('\n')).toContain('vapora workflow approve --id feature-auth-mfa --gate 6_docs_start');
  }
});

test('a run that has ended says how and how long, and of agents nothing', () => {
  check(
    aRun({
      title: 'Implement MFA',
      id: 'x1',
      status: 'rolled_back',
      reason: 'smoke test failed',
      progress: 0.8,
      timeScale: 3_600,
      steps: [aStep({ id: 'a', state: 'failed', reason: 'exit code 1' }), aStep({ id: 'b', state: 'compensated' })],
      phases: [{ id: 'p', title: '', state: 'failed', done: 1, total: 2, plannedMs: null, elapsedMs: 2 * hour }],
      phase: 'p',
      phaseIndex: 1,
      phaseCount: 1,
      ignoredSignals: 2,
      timeline: { plannedMs: 4 * hour, elapsedMs: 5 * hour, etaP50: null, etaP90: null },
    }),
    `
Workflow: x1 (feature-auth-mfa) - Implement MFA
Status: rolled_back (Phase 1/1: p)
Reason: smoke test failed
Progress: 80% ################....
Timeline: took 5h of 4h planned (time scale x3600)
Blockers: none
Issues (1):
\`- a failed: exit code 1
Risks: none
Timeline Projection:
- p: [failed] 2h (failed, 1 of 2 steps done)
Total: 5h (vs 4h planned, 1h late)
Ignored signals: 2 (vapora audit show --id x1 says why)
`,
  );
});

test('a run that is only being planned', () => {
  check(
    aRun({ status: 'planning' }),
    `
Workflow: feature-auth-mfa
Status: planning
Progress: 0% ....................
Timeline: 0ms so far
Active Agents: none
Pending Agents: none
Blockers: none
Issues: none
Risks: none
`,
  );
});

describe('alerts', () => {
  const alert = (state: 'raised' | 'cleared', severity: string) => ({
    step: 'm',
    name: 'cpu',
    severity,
    message: 'cpu high',
    state,
    at: '2025-11-09T11:00:00Z',
  });
  const line = (view: RunStatusView, title: string): string | undefined =>
    renderStatus(view, plainOptions)
      .split('\n')
      .find((text) => text.startsWith(title));

  test.each([
    ['a cleared one is gone', [alert('raised', 'critical'), alert('cleared', 'critical')], 'Issues: none', 'Risks: none'],
    ['a severe one is an issue', [alert('raised', 'critical')], 'Issues (1):', 'Risks: none'],
    ['a mild one is a risk', [alert('raised', 'warning')], 'Issues: none', 'Risks (1):'],
    [
      'raised again counts once',
      [alert('raised', 'warning'), alert('cleared', 'warning'), alert('raised', 'warning')],
      'Issues: none',
      'Risks (1):',
    ],
  ])('%s', (_, alerts, issues, risks) => {
    const view = aRun({ alerts });
    expect(line(view, 'Issues')).toBe(issues);
    expect(line(view, 'Risks')).toBe(risks);
  });

  test('a projected delay is a risk', () => {
    const view = aRun({ timeline: { plannedMs: 4 * hour, elapsedMs: hour, etaP50: 5 * hour, etaP90: null } });
    expect(renderStatus(view, plainOptions)).toContain('Risks (1):\n`- projected 1h late');
  });
});

test('an agent cannot smuggle control characters or lines into the text', () => {
  const hostile = '\u001b]0;title\u0007\u001b[2Jgone\nStatus: completed';
  const view = aRun({
    title: hostile,
    steps: [aStep({ id: 'a', state: 'running', agent: 'x', message: hostile }), aStep({ id: 'b', state: 'blocked', reason: hostile })],
    gates: [aGate({ id: 'a', prompt: hostile, result: { summary: hostile, metrics: { [hostile]: hostile } } })],
  });
  const text = renderStatus(view, { ...plainOptions, unicode: true });
  // eslint-disable-next-line no-control-regex -- exactly what must not be there
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect(text.split('\n').filter((line) => line.startsWith('Status:'))).toHaveLength(1);
});

test('a gate id that a shell would take apart is quoted in the command', () => {
  const text = renderStatus(aRun({ gates: [aGate({ id: "a b'c" })] }), plainOptions);
  expect(text).toContain(`--gate 'a b'\\''c'`);
});

test.each([
  [['merge'], 'merge: waiting for approval'],
  [['merge:start'], 'merge: waiting for its manual start'],
  [['test'], 'merge: waiting for test'],
])('a step that waits for %j says so without naming itself', (waitsFor, text) => {
  const view = aRun({ steps: [aStep({ id: 'merge', state: 'waiting_approval', waitsFor })] });
  expect(renderStatus(view, plainOptions)).toContain(`(developer) - ${text}\n`);
});

test('what is not in the database, and what it refused', () => {
  const text = renderStatus(aRun({ recording: { since: '2025-11-09T21:55:00.000Z', refused: 2 } }), { ...plainOptions, nowMs });
  expect(text).toContain('Not recorded for 5min: the worker cannot reach Postgres');
  expect(text).toContain('Refused by the database: 2 (vapora audit show --id feature-auth-mfa says what and why)');
});
