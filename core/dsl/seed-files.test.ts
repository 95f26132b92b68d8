import { readFileSync } from 'node:fs';
import path from 'node:path';
import { compileWorkflow, type CompileResult } from './compile';

const examples = path.join(__dirname, '../../examples');

function compileExample(name: string): CompileResult {
  return compileWorkflow(readFileSync(path.join(examples, name, 'workflow.yaml')), { fileName: 'workflow.yaml' });
}

function warningsOf({ diagnostics }: CompileResult): string[] {
  return diagnostics
    .filter(({ severity }) => severity === 'warning')
    .map(({ code, message, range }) => `${range.line}:${range.column} ${code} ${/`([^`]+)`/u.exec(message)?.[1] ?? ''}`);
}

const neverProduced = [
  'feature_request',
  'project_context',
  'project_timeline',
  'design',
  'feasibility_report',
  'api_spec',
  'database_schema',
];
const neverProducedLater = [
  'threat_model',
  'frontend_pr',
  'backend_pr',
  'security_audit',
  'test_results',
  'monitoring_report',
  'security_clearance',
];

describe('feature-auth-mfa', () => {
  const result = compileExample('feature-auth-mfa');
  const { plan } = result;
  const step = (id: string) => plan?.steps.find((candidate) => candidate.id === id);

  test('its warnings are exactly those of the language paper', () => {
    const warnings = warningsOf(result);
    const inputs = warnings.filter((line) => line.includes('input_never_produced')).map((line) => line.split(' ')[2]);
    expect(inputs).toEqual([...neverProduced, ...neverProducedLater]);
    expect(warnings.filter((line) => !line.includes('input_never_produced'))).toEqual([
      '43:36 unknown_step 5_security_setup',
      '55:37 unknown_step 5_security_setup',
    ]);
    const setup = result.diagnostics.filter(({ code }) => code === 'unknown_step');
    expect(setup.map(({ hint }) => hint)).toEqual(['did you mean `5_security_audit`?', 'did you mean `5_security_audit`?']);
    const backendPr = result.diagnostics.find(({ message }) => message.includes('`backend_pr`'));
    expect(backendPr?.related?.map(({ range }) => range.line)).toEqual([99, 107]);
  });

  test('everything in it has its effect', () => {
    expect(result.diagnostics.filter(({ code }) => code === 'not_built_yet')).toEqual([]);
  });

  test("its steps fall into the seed's five groups", () => {
    const groups = plan?.phases.map((phase) => [phase.title, plan.steps.filter(({ phase: id }) => id === phase.id).map(({ id }) => id)]);
    expect(groups).toEqual([
      ['Planning', ['1_architect_designs', '2_pm_validates', '3_decision_maker_approves']],
      ['Implementation', ['4_frontend_dev', '4_backend_dev', '5_security_audit', '6_docs_start']],
      ['Review', ['7a_frontend_review', '7b_backend_review', '7c_security_review', '7d_test_coverage']],
      ['Merge & Deploy', ['8_merge_to_dev', '9_deploy_staging', '10_smoke_test', '11_monitor_staging']],
      ['Release', ['12_final_approval', '13_deploy_production', '14_monitor_production', '15_announce_release', '16_update_docs']],
    ]);
  });

  test('a step carries everything it says', () => {
    expect(step('1_architect_designs')).toMatchObject({
      role: 'architect',
      taskType: 'ArchitectureDesign',
      quality: 'Critical',
      estimateMs: 45 * 60_000,
      outputs: ['design_doc.md', 'adr-001-mfa-strategy.md', 'architecture_diagram.svg'],
      inputs: [{ name: 'feature_request' }, { name: 'project_context' }],
      retry: { attempts: 3, initialIntervalMs: 1_000, backoff: 2, maxIntervalMs: 60_000 },
      timeoutMs: 86_400_000,
      reassign: 1,
    });
    expect(step('4_backend_dev')).toMatchObject({
      role: 'developer-backend',
      skills: ['backend', 'security'],
      tasks: ['implement_mfa_service', 'add_totp_verification', 'add_webauthn_endpoint'],
      parallelWith: ['4_frontend_dev', '6_docs_start'],
      maxDurationMs: 4 * 86_400_000,
      timeoutMs: 4 * 86_400_000,
      inputs: [{ name: 'design_doc', from: '1_architect_designs', output: 'design_doc.md' }, { name: 'database_schema' }],
    });
    expect(step('6_docs_start')?.priority).toBe('low');
    expect(step('5_security_audit')?.canBlockDeployment).toBe(true);
  });

  test('gates, reviewers and monitors', () => {
    expect(step('7a_frontend_review')).toMatchObject({ count: 1, mustPassCount: 1, canBlockMerge: true, mustPassAll: false });
    expect(step('7b_backend_review')?.securityReviewers).toEqual(['7c_security_review']);
    expect(step('7c_security_review')?.gateText).toBe('critical_vulns == 0 and (high_vulns == 0 or mitigated)');
    expect(step('7d_test_coverage')?.gate).toEqual({
      op: 'and',
      args: [
        { op: 'metric', name: 'tests_passing' },
        { op: '>', left: { op: 'metric', name: 'coverage' }, right: { op: 'literal', value: 85, unit: 'percent' } },
      ],
    });
    expect(step('8_merge_to_dev')).toMatchObject({ merges: true, requires: { op: 'quantifier', name: 'all_approved' } });
    expect(step('10_smoke_test')).toMatchObject({ mustPassAll: true, testType: 'smoke', deploys: false });
    expect(step('11_monitor_staging')?.monitor).toMatchObject({
      durationMs: 3_600_000,
      intervalMs: 60_000,
      intervalIsExplicit: false,
      metrics: ['error_rate', 'latency', 'cpu', 'memory'],
      alerts: [{ text: 'error_rate > 1% or p99_latency > 500ms' }],
    });
    expect(step('14_monitor_production')?.monitor).toMatchObject({
      alerts: [{ text: 'error_rate > 0.5%' }, { text: 'p99 > 300ms' }, { text: 'cpu > 80%' }],
      autoRollbackText: 'critical_error',
    });
    expect(step('13_deploy_production')).toMatchObject({
      deploys: true,
      deployment: { strategy: 'blue_green' },
      environments: ['production'],
    });
    expect(step('12_final_approval')?.ifBlocked).toEqual({ kind: 'defer', untilNextWeek: true });
    expect(step('15_announce_release')?.async).toBe(true);
  });

  test('approvals stand where the file says or implies them', () => {
    const points = plan?.steps.filter(({ approval }) => approval !== undefined).map(({ id, approval }) => [id, approval?.when]);
    expect(points).toEqual([
      ['3_decision_maker_approves', 'after'],
      ['12_final_approval', 'after'],
    ]);
    expect(result.diagnostics.filter(({ code }) => code === 'implied_approval').map(({ range }) => range.line)).toEqual([145]);
  });

  test('snapshot keys are metadata', () => {
    expect(plan?.metadata).toEqual({ status: 'planning', created: '2025-11-09T10:00:00Z', release_notes: 'docs/releases/v1.2.0.md' });
  });

  test('places stand beside the plan', () => {
    expect(result.sourceRanges['steps/7d_test_coverage']).toEqual({ line: 104, column: 3, endLine: 104, endColumn: 19 });
    expect(JSON.stringify(plan)).not.toContain('endColumn');
  });
});

describe('feature-auth', () => {
  const result = compileExample('feature-auth');

  test('the agents form: roles, order, one phase', () => {
    expect(result.plan?.form).toBe('agents');
    expect(result.plan?.steps.map(({ id, role }) => [id, role])).toEqual([
      ['architect', 'architect'],
      ['pm', 'project-manager'],
      ['developer', 'developer'],
    ]);
    expect(result.plan?.phases).toHaveLength(1);
    expect(result.plan?.plannedMs).toBe(48 * 3_600_000);
    expect(result.plan?.steps.filter(({ approval }) => approval !== undefined).map(({ id }) => id)).toEqual(['architect']);
  });

  test('its warnings', () => {
    expect(warningsOf(result)).toEqual(['7:23 parallel_dependency architect', '16:40 no_approval_point deploy_production']);
  });
});

describe('feature-user-preferences', () => {
  const result = compileExample('feature-user-preferences');
  const { plan } = result;

  test('the phases form: barriers, a gate, planned length', () => {
    expect(plan?.form).toBe('phases');
    expect(plan?.phases.map(({ id, barrier, serial, maxConcurrentSteps }) => [id, barrier, serial, maxConcurrentSteps])).toEqual([
      ['phase_1_design', true, true, undefined],
      ['phase_2_implementation', true, false, 6],
      ['phase_3_review', true, false, undefined],
      ['phase_4_release', true, false, undefined],
    ]);
    expect(plan?.phases[2]?.gateText).toBe('all_tests_pass && all_reviews_approved');
    expect(plan?.plannedMs).toBe(70 * 3_600_000);
    expect(plan?.createdAt).toBe('2025-11-09T10:00:00Z');
  });

  test('a dependency on a phase is one on each of its steps and on its gate', () => {
    const phase = 'phase_3_review';
    expect(plan?.steps.find(({ id }) => id === 'final_approval')?.dependsOn).toEqual(
      ['frontend_review', 'backend_review', 'tests', 'deploy_staging'].map((step) => ({ step, when: 'holds', phase })),
    );
  });

  test('its warnings and approvals', () => {
    expect(warningsOf(result)).toEqual(['13:18 input_never_produced feature_spec']);
    expect(plan?.steps.filter(({ approval }) => approval !== undefined).map(({ id }) => id)).toEqual(['pm_reviews', 'final_approval']);
  });
});
