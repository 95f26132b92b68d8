import { compileAgents } from './agents';

test('an agent of each kind', () => {
  const { agents, diagnostics } = compileAgents(`
agents:
  - id: developer-backend-001
    role: developer
    skills: [backend, security]
    capacity: 2
    cost: {usd_per_hour: 4, usd_per_mtok_in: 3, usd_per_mtok_out: $15}
    executor: {kind: command, argv: [claude, -p, "a, b"], cwd: "{{workspace}}", env: [API_KEY], timeout: 2h}
  - {id: reviewer-llm, role: code-reviewer, executor: {kind: llm, model: "openai:gpt-5", tools: [read_file]}}
  - {id: ana, role: DecisionMaker, executor: {kind: human, contact: "ana@example.org"}}
  - {id: py, role: security, executor: {kind: worker, task_queue: role-security}}
  - id: sim-1
    role: "*"
    compensate: undo
    executor:
      kind: simulate
      success: 95%
      duration: 30min..60min
      verdict: approved
      metrics: {coverage: "91%", error_rate: "0.1%..0.5%", ok: true, n: 3, p99: 120ms, v: {value: 1, unit: x}}
      script: {test: [{status: failure, metrics: {coverage: "60%"}, duration: 1min, fail_attempts: 1}, {}], deploy: {verdict: rejected}}
`);
  expect(diagnostics).toEqual([]);
  expect(agents).toEqual([
    {
      id: 'developer-backend-001',
      role: 'developer',
      skills: ['backend', 'security'],
      capacity: 2,
      cost: { usdPerHour: 4, usdPerMtokIn: 3, usdPerMtokOut: 15 },
      executor: { kind: 'command', argv: ['claude', '-p', 'a, b'], cwd: '{{workspace}}', env: ['API_KEY'], timeoutMs: 7_200_000 },
    },
    {
      id: 'reviewer-llm',
      role: 'code-reviewer',
      skills: [],
      capacity: 1,
      cost: {},
      executor: { kind: 'llm', model: 'openai:gpt-5', tools: ['read_file'] },
    },
    { id: 'ana', role: 'decision-maker', skills: [], capacity: 1, cost: {}, executor: { kind: 'human', contact: 'ana@example.org' } },
    { id: 'py', role: 'security', skills: [], capacity: 1, cost: {}, executor: { kind: 'worker', taskQueue: 'role-security' } },
    {
      id: 'sim-1',
      role: '*',
      skills: [],
      capacity: 1,
      cost: {},
      compensate: 'undo',
      executor: {
        kind: 'simulate',
        success: 0.95,
        duration: { minMs: 1_800_000, maxMs: 3_600_000 },
        verdict: 'approved',
        metrics: {
          coverage: { value: 91, unit: '%' },
          error_rate: { min: 0.1, max: 0.5, unit: '%' },
          ok: true,
          n: 3,
          p99: { value: 120, unit: 'ms' },
          v: { value: 1, unit: 'x' },
        },
        script: {
          test: [{ status: 'failure', metrics: { coverage: { value: 60, unit: '%' } }, durationMs: 60_000, failAttempts: 1 }, {}],
          deploy: [{ verdict: 'rejected' }],
        },
        idempotent: true,
      },
    },
  ]);
});

test('a map by id, in TOML', () => {
  const { agents } = compileAgents('[agents.sim]\nrole = "tester"\nexecutor = {kind = "simulate", duration = "estimate"}\n', {
    fileName: 'agents.toml',
  });
  expect(agents).toMatchObject([{ id: 'sim', role: 'tester', executor: { kind: 'simulate', duration: 'estimate' } }]);
});

test('every mistake has a place', () => {
  const { agents, diagnostics } = compileAgents(`
agents:
  - {role: tester, executor: {kind: simulate}}
  - {id: a, executor: {kind: simulate}}
  - {id: b, role: tester}
  - {id: b, role: "te ster!", executor: {kind: comand}}
  - {id: c, role: tester, capacity: 0, executor: {kind: command, argv: npm test}}
  - {id: d, role: tester, executor: {kind: worker}}
  - {id: e, role: tester, exekutor: 1, executor: {kind: simulate, success: 2, duration: 5, metrics: {m: lots}}}
`);
  expect(agents).toBeNull();
  expect(diagnostics.map(({ severity, code, range }) => `${severity} ${code} ${range.line}:${range.column}`)).toEqual([
    'error missing_key 3:5',
    'error missing_key 4:10',
    'error missing_key 5:10',
    'error duplicate_id 6:10',
    'error bad_id 6:19',
    'error bad_value 6:48',
    'error bad_value 7:37',
    'error bad_value 7:72',
    'error missing_key 8:27',
    'error unknown_key 9:27',
    'error bad_value 9:76',
    'error bad_value 9:89',
    'error bad_value 9:105',
  ]);
});

test.each([
  ['', 'no_workflow'],
  ['agents: []', 'missing_key'],
  ['agents: 3', 'bad_value'],
  ['- a', 'bad_value'],
  ['people: []', 'unknown_key'],
])('%j is refused', (text, code) => {
  const { agents, diagnostics } = compileAgents(text);
  expect(agents).toBeNull();
  expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
});
