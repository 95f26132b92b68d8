import type { Plan, PlanApproval, PlanDependency, PlanMonitor, PlanPhase, PlanStep } from '../../core/plan/types';

/** A step as a test writes it: dependencies by id, a phase by id, everything else as in the plan. */
export type StepDraft = Partial<Omit<PlanStep, 'id' | 'order' | 'dependsOn' | 'approval' | 'monitor'>> & {
  after?: (string | PlanDependency)[];
  approval?: Partial<PlanApproval> | true;
  monitor?: Partial<PlanMonitor>;
};

export type PlanDraft = Partial<Omit<Plan, 'steps' | 'phases'>> & {
  phases?: (Partial<PlanPhase> & { id: string })[];
  /** In topological order. */
  steps: Record<string, StepDraft>;
};

/** A plan with every default explicit, as the compiler would make it. Steps without a phase belong to the first one. */
export function buildPlan({ phases = [{ id: 'all' }], steps, ...rest }: PlanDraft): Plan {
  return {
    schemaVersion: 1,
    id: 'test-plan',
    form: 'steps',
    maxConcurrentSteps: 10,
    onFailure: 'rollback',
    policy: 'exploit',
    approvers: {},
    escalation: [],
    inputs: [],
    timezone: 'UTC',
    notify: [],
    metadata: {},
    ...rest,
    phases: phases.map((phase): PlanPhase => ({ barrier: false, serial: false, optional: false, ...phase })),
    steps: Object.entries(steps).map(([id, step], order) => buildStep(id, step, { order, phase: phases[0]!.id })),
  };
}

function buildStep(id: string, { after = [], approval, monitor, ...step }: StepDraft, place: { order: number; phase: string }): PlanStep {
  const count = step.count ?? 1;
  return {
    id,
    ...place,
    role: 'developer',
    skills: [],
    dependsOn: after.map((one) => (typeof one === 'string' ? { step: one, when: 'holds' } : one)),
    inputs: [],
    outputs: [],
    tasks: [],
    actions: [],
    taskType: 'CodeGeneration',
    quality: 'Medium',
    priority: 'normal',
    timeoutMs: 86_400_000,
    retry: { attempts: 3, initialIntervalMs: 1_000, backoff: 2, maxIntervalMs: 60_000 },
    reassign: 0,
    mustPassCount: count,
    parallelizable: false,
    parallelWith: [],
    mustPassAll: false,
    securityReviewers: [],
    canBlockMerge: false,
    canBlockDeployment: false,
    merges: false,
    deploys: false,
    environments: [],
    escalationIf: [],
    automatic: true,
    async: false,
    optional: false,
    ...step,
    count,
    ...(approval === undefined ? {} : { approval: buildApproval(approval === true ? {} : approval) }),
    ...(monitor === undefined ? {} : { monitor: buildMonitor(monitor) }),
  };
}

export function buildApproval(approval: Partial<PlanApproval>): PlanApproval {
  return {
    when: 'after',
    approvers: [],
    quorum: 1,
    distinctFrom: [],
    timeoutMs: 86_400_000,
    timeoutIsExplicit: false,
    onTimeout: 'escalate',
    ...approval,
  };
}

function buildMonitor(monitor: Partial<PlanMonitor>): PlanMonitor {
  return {
    durationMs: 60_000,
    intervalMs: 10_000,
    intervalIsExplicit: true,
    metrics: [],
    alerts: [],
    forSamples: 1,
    onAlert: 'continue',
    ...monitor,
  };
}
