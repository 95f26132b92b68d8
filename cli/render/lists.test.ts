import { aGate, aTask } from '../../test/support/run-views';
import { renderAudit, type AuditLine } from './audit';
import { renderGates } from './gates';
import { renderRunList } from './run-list';
import { plainOptions } from './style';

const nowMs = Date.parse('2025-11-09T12:00:00Z');

test('a list of runs', () => {
  const runs = [
    {
      id: 'feature-auth-mfa',
      definition: 'feature-auth-mfa',
      status: 'waiting_approval' as const,
      phase: 'Planning',
      startedAt: '2025-11-09T11:00:00Z',
      endedAt: null,
    },
    {
      id: 'x1',
      definition: 'ship',
      status: 'completed' as const,
      phase: null,
      startedAt: '2025-11-08T11:00:00Z',
      endedAt: '2025-11-08T11:01:30Z',
    },
  ];
  expect(`\n${renderRunList(runs, { ...plainOptions, nowMs })}\n`).toBe(`
ID                DEFINITION        STATUS            PHASE     STARTED  TOOK
feature-auth-mfa  feature-auth-mfa  waiting_approval  Planning  1h ago   -
x1                ship              completed         -         1d ago   1min 30s
`);
  expect(renderRunList([], plainOptions)).toContain('vapora workflow run FILE');
});

test('gates with the commands that answer them', () => {
  const gate = aGate({
    id: 'deploy',
    kind: 'approval',
    prompt: 'Go live?',
    approvers: ['ana', 'luis'],
    quorum: 2,
    votes: [{ by: 'ana', decision: 'approve', at: '2025-11-09T11:00:00Z', assurance: 'local' }],
  });
  const blocked = aGate({ id: 'test:blocked', kind: 'blocked', isOverride: true, deadline: '2025-11-09T14:00:00Z' });
  const phase = aGate({
    id: 'build',
    kind: 'phase',
    isOverride: true,
    approvers: ['ivo', 'ana'],
    barred: [{ id: 'ivo', why: 'initiator' }],
  });
  expect(
    `\n${renderGates(
      [
        { run: 'r1', gate },
        { run: 'r2', gate: blocked },
        { run: 'r3', gate: phase },
      ],
      { ...plainOptions, nowMs },
    )}\n`,
  ).toBe(`
r1  deploy: Go live? (by ana or luis, 1 of 2 approvals)
  vapora workflow approve --id r1 --gate deploy --by luis
  vapora workflow reject --id r1 --gate deploy --by luis --reason 'why'
r2  test:blocked: blocked: approving overrides what blocks it (by anyone, 2h left)
  vapora workflow approve --id r2 --gate test:blocked --reason 'why'
  vapora workflow reject --id r2 --gate test:blocked --reason 'why'
r3  build: the phase is held back: approving overrides what holds it (by ivo or ana, not ivo (who started the run))
  vapora workflow approve --id r3 --gate build --by ana --reason 'why'
  vapora workflow reject --id r3 --gate build --by ana --reason 'why'
`);
  expect(renderGates([], plainOptions)).toBe('Nothing is waiting for a person.');
});

test('what people are asked to do, each with the command that reports it', () => {
  const task = aTask({
    id: 'docs#2',
    agent: 'ana',
    mayReport: ['ana', 'max'],
    deadline: '2025-11-09T15:00:00Z',
    progress: 0.4,
    message: 'half of it',
    asked: {
      title: 'Write the docs',
      tasks: ['a page', 'a picture'],
      outputs: ['docs.md'],
      inputs: { notes: { text: 'n'.repeat(80) }, logo: { artifact: `sha256:${'ab'.repeat(32)}` }, brief: { absent: true } },
      comments: [{ from: 'review', text: 'shorter', generation: 1 }],
    },
  });
  const undo = aTask({
    id: 'infra#1!undo',
    mode: 'undo',
    agent: 'bo',
    mayReport: ['bo'],
    asked: { action: 'tear it down', tasks: [], outputs: [], inputs: {} },
  });
  expect(
    `\n${renderGates([], { ...plainOptions, nowMs, user: 'max' }, [
      { run: 'r1', task },
      { run: 'r2', task: undo },
    ])}\n`,
  ).toBe(`
r1  docs: Write the docs (asked of ana, 40% done: half of it, 3h left)
  tasks: a page; a picture
  inputs: notes "${'n'.repeat(59)}…", logo (sha256:abababababab…), brief (nobody gave it)
  review says: shorter
  outputs: docs.md
  vapora workflow report --id r1 --step docs --status success --output docs.md=@FILE
r2  infra: undo it: tear it down (asked of bo)
  vapora workflow report --id r2 --step infra --by bo --status success
`);
});

test('the audit: who, what, when, why', () => {
  const at = new Date(2025, 10, 9, 10, 0, 0).toISOString();
  const lines: AuditLine[] = [
    {
      seq: 9,
      event: {
        at,
        actor: { kind: 'engine', id: 'engine' },
        action: 'step.passed',
        object: '4_backend_dev',
        generation: 2,
        outcome: 'success',
      },
    },
    {
      seq: 10,
      event: {
        at,
        actor: { kind: 'person', id: 'ana\u001b[2J', assurance: 'local' },
        action: 'gate.approved',
        object: 'deploy',
        reason: 'looks\ngood',
      },
    },
  ];
  expect(`\n${renderAudit(lines, plainOptions)}\n`).toBe(`
 9  2025-11-09 10:00:00  engine  step.passed 4_backend_dev#2 -> success
10  2025-11-09 10:00:00  ana (person, local)  gate.approved deploy: looks good
`);
  expect(renderAudit([], plainOptions)).toBe('Nothing is recorded.');
});
