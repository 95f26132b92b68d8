import fc from 'fast-check';
import type { Condition } from '../../core/plan/condition';
import type { Plan, PlanStep } from '../../core/plan/types';
import { buildPlan, type StepDraft } from './plan-builder';
import { riskyPhrase, voters, type Answer, type OutsideEvent, type RunScript, type WorkScript } from './run-script';

/** Random plans with every construct that the reference model knows, and all that happens to them. */

/** True once in `n` times; shrinks to false. */
const rarely = (n: number): fc.Arbitrary<boolean> => fc.integer({ min: 0, max: n - 1 }).map((value) => value === n - 1);
const seldom = <T>(n: number, value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.tuple(rarely(n), value).map(([is, one]) => (is ? one : undefined));

const decision = fc.constantFrom('approve' as const, 'reject' as const);
const approvalDraft = fc
  .record({
    when: fc.constantFrom('before' as const, 'after' as const),
    named: fc.subarray(['ana', 'ben', 'cleo', 'leads']),
    outsiders: fc.subarray(['ivo', 'developer-1']),
    quorum: fc.constantFrom(1, 1, 2),
    distinctFrom: fc.subarray(['initiator' as const, 'author' as const]),
    deadline: seldom(
      2,
      fc.record({
        timeoutMs: fc.integer({ min: 1_200, max: 7_000 }),
        onTimeout: fc.constantFrom('escalate', 'escalate', 'reject', 'approve', 'block'),
      }),
    ),
  })
  .map(({ when, named, outsiders, quorum, distinctFrom, deadline }) => ({
    when,
    approvers: named.length === 0 ? [] : [...named, ...outsiders],
    // Of those who may always vote there are enough.
    quorum: named.length === 0 || named.length > 1 || named[0] === 'leads' ? quorum : 1,
    distinctFrom,
    ...(deadline && { ...deadline, timeoutIsExplicit: true }),
  }));

const stepDraft = fc.record({
  /** Places of earlier steps it depends on, by how far back, and what of them it needs. */
  back: fc.array(
    fc.tuple(
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom('holds', 'holds', 'holds', 'holds', 'holds', 'done', 'failed', 'passed', 'skipped'),
    ),
    {
      maxLength: 3,
    },
  ),
  afterPhase: rarely(8),
  phase: fc.integer({ min: 0, max: 2 }),
  role: fc.constantFrom('developer', 'developer', 'tester'),
  priority: fc.constantFrom('normal', 'critical', 'high', 'low'),
  order: fc.integer({ min: 0, max: 3 }),
  count: fc.constantFrom(1, 1, 1, 1, 2, 3),
  mustPass: seldom(3, fc.integer({ min: 1, max: 3 })),
  mustPassIsExplicit: rarely(2),
  reassign: fc.constantFrom(0, 0, 1, 2),
  optional: rarely(8),
  async: rarely(8),
  automatic: rarely(10).map((is) => !is),
  canBlockMerge: rarely(6),
  canBlockDeployment: rarely(8),
  merges: rarely(8),
  deploys: rarely(8),
  production: rarely(5),
  escalateAfterMs: seldom(4, fc.integer({ min: 500, max: 6_000 })),
  escalationIf: rarely(2),
  compensate: rarely(4).map((is) => !is),
  deployment: seldom(
    3,
    fc.record({
      strategy: fc.constantFrom('blue_green' as const, 'rolling' as const, 'recreate' as const, 'canary' as const),
      shares: fc.subarray([5, 50, 100], { minLength: 1 }),
      waitMs: fc.integer({ min: 0, max: 3 }).map((seconds) => 700 * seconds),
      hasAbort: fc.boolean(),
      hasActions: rarely(4),
      isUndoneAtOnce: rarely(3),
    }),
  ),
  rollbackOn: rarely(8),
  onFailure: seldom(4, fc.constantFrom('rollback', 'fail', 'continue', 'block')),
  ifBlocked: seldom(
    4,
    fc.constantFrom(
      { kind: 'escalate' },
      { kind: 'skip' },
      { kind: 'fail' },
      { kind: 'defer', forMs: 3_100 },
      { kind: 'defer', untilNextWeek: true },
    ),
  ),
  approval: seldom(4, approvalDraft),
  gate: rarely(5),
  requires: rarely(8),
  monitor: seldom(
    7,
    fc.record({
      samples: fc.integer({ min: 1, max: 3 }),
      forSamples: fc.constantFrom(1, 1, 2),
      onAlert: fc.constantFrom('continue', 'fail', 'rollback'),
    }),
  ),
  securityBack: seldom(8, fc.integer({ min: 1, max: 6 })),
  if: rarely(10),
  rework: seldom(
    3,
    fc.record({ back: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 2 }), maxRounds: fc.constantFrom(1, 2, 3) }),
  ),
});

const work = fc.record({
  durationMs: fc.integer({ min: 1, max: 4 }).map((seconds) => seconds * 1_000),
  fails: fc.constantFrom(...Array<'never'>(18).fill('never'), 'always', 'firstAgent', 'firstGeneration', 'lastSlot'),
  failsToDeploy: fc.constantFrom(...Array<'never'>(5).fill('never'), 'always', 'firstAgent', 'firstGeneration'),
  failure: fc.constantFrom('failed', 'failed', 'unknown', 'not_runnable'),
  failsAt: fc.constantFrom(0, 1, 2, 3, 4, 5, 'each' as const, 'each' as const),
  errors: fc.array(fc.constantFrom('calm', 'calm', 'calm', 'calm', 'alarming', 'silent'), { maxLength: 7 }),
  verdicts: fc.array(fc.constantFrom(null, null, null, null, 'approved', 'rejected', 'changes_requested', 'changes_requested', 'blocked'), {
    maxLength: 3,
  }),
  sendsBack: rarely(2),
  coverage: fc.array(fc.constantFrom(100, 100, 100, 90, 60, null), { maxLength: 3 }),
  stopMs: fc.constantFrom(250, 1_450),
  succeedsWhenStopped: rarely(4),
  undoFails: rarely(8),
  isRisky: rarely(3),
  samples: fc.array(fc.constantFrom('calm', 'calm', 'calm', 'alarming', 'alarming', 'failed'), { maxLength: 3 }),
});

const answer: fc.Arbitrary<Answer> = fc.record({
  by: fc.constantFrom(...voters, 'mallory'),
  decision,
  afterMs: fc.integer({ min: 0, max: 9 }).map((seconds) => seconds * 1_000),
  reason: fc.constant('because'),
});
const answers = fc.record({
  openings: fc.array(fc.array(answer, { maxLength: 4 }), { maxLength: 2 }),
  atLast: fc.constantFrom('approve', 'approve', 'approve', 'reject'),
  lastAfterMs: fc.constantFrom(5_000, 5_000, 12_000, 25_000),
});

const outsideDraft = fc.record({
  kind: fc.constantFrom(...Array<'vote'>(12).fill('vote'), 'pause', 'pause', 'cancel'),
  halfSeconds: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 40 })),
  lengthMs: fc.integer({ min: 1, max: 9 }).map((seconds) => seconds * 1_000),
  owner: fc.nat(),
  question: fc.constantFrom('', '', '', ':start', ':blocked', ':unknown'),
  // Mostly those of the first level.
  by: fc.constantFrom('ana', 'ben', 'cleo', 'ana', 'ben', 'cleo', ...voters, 'mallory'),
  decision,
  hasReason: fc.boolean(),
  noRollback: fc.boolean(),
  freeze: fc.boolean(),
});

const phaseDraft = fc.record({
  barrier: fc.boolean(),
  serial: rarely(5),
  optional: rarely(6),
  limit: fc.constantFrom(undefined, undefined, 1, 2),
  gate: seldom(3, fc.constantFrom('none_failed', 'coverage', 'passed')),
  approval: seldom(3, approvalDraft),
});

const capacity = fc.constantFrom(1, 1, 2);
const places = { minLength: 1, maxLength: 3 };

const draft = fc.record({
  steps: fc.array(stepDraft, { minLength: 1, maxLength: 12 }),
  works: fc.array(work, { minLength: 12, maxLength: 12 }),
  answers: fc.array(answers, { minLength: 15, maxLength: 15 }),
  phases: fc.tuple(phaseDraft, phaseDraft, phaseDraft),
  slots: fc.integer({ min: 1, max: 5 }),
  onFailure: fc.constantFrom('rollback', 'rollback', 'fail', 'continue', 'block'),
  outside: fc.array(outsideDraft, { maxLength: 12 }),
  hasCancel: rarely(4),
  agents: fc
    .constantFrom('many', 'few')
    .chain((are) =>
      are === 'many'
        ? fc.constant({ developer: Array<number>(4).fill(100), tester: Array<number>(4).fill(100) })
        : fc.record({ developer: fc.array(capacity, places), tester: fc.array(capacity, places) }),
    ),
  occupied: fc.array(
    fc.record({
      agent: fc.constantFrom('developer-1', 'developer-1', 'developer-2', 'tester-1'),
      from: fc.integer({ min: 0, max: 8 }),
      seconds: fc.integer({ min: 1, max: 20 }),
    }),
    { maxLength: 3 },
  ),
  humans: fc.subarray([
    { id: 'dana', role: 'decision-maker' },
    { id: 'hugo', role: 'developer' },
  ]),
  escalation: fc.array(
    fc.record({
      afterMs: fc.integer({ min: 800, max: 5_000 }),
      to: fc.subarray(['ben', 'board', 'finn', 'dana'], { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 3 },
  ),
  escalateAfterMs: seldom(2, fc.integer({ min: 1_000, max: 8_000 })),
});
type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;
type ApprovalDraft = NonNullable<Draft['steps'][number]['approval']>;
type DeploymentDraft = NonNullable<Draft['steps'][number]['deployment']>;

export const randomScript: fc.Arbitrary<RunScript> = draft.map((one) => {
  const plan = planOf(one);
  const owners = [...plan.steps, ...plan.phases].map(({ id }) => id);
  const approved = [...plan.steps, ...plan.phases].filter(({ approval }) => approval !== undefined).map(({ id }) => id);
  return {
    plan,
    work: Object.fromEntries(plan.steps.map((step, index) => [step.id, workOf(step, one.works[index]!)])),
    answers: Object.fromEntries(owners.map((id, index) => [id, one.answers[index]!])),
    agents: agentsOf(one.agents),
    occupied: one.occupied.map(({ agent, from, seconds }) => ({ agent, fromMs: 1_000 * from - 7, toMs: 1_000 * (from + seconds) - 7 })),
    humans: one.humans,
    // Mostly about what somebody is to approve.
    outside: outsideOf(one, [...approved, ...approved, ...approved, ...owners]),
  };
});

function workOf(
  { deployment, rework }: PlanStep,
  { fails, failsToDeploy, verdicts, sendsBack, ...script }: Draft['works'][number],
): WorkScript {
  const isSentBack = rework !== undefined && sendsBack;
  return {
    ...script,
    fails: deployment === undefined ? fails : failsToDeploy,
    verdicts: isSentBack ? ['changes_requested', ...verdicts] : verdicts,
  };
}

/** One more watches: a monitor takes no place. */
function agentsOf(capacities: Draft['agents']): RunScript['agents'] {
  const ofRoles = Object.entries(capacities).flatMap(([role, of]) =>
    of.map((places, index) => ({ id: `${role}-${index + 1}`, role, capacity: places })),
  );
  return [...ofRoles, { id: 'watcher-1', role: 'watcher', capacity: 100 }];
}

function planOf({ steps, phases, slots, onFailure, humans, escalation, escalateAfterMs }: Draft): Plan {
  // Where there are people of the role, they are few.
  const approvalOf = (approval: ApprovalDraft): ApprovalDraft =>
    approval.approvers.length === 0 && humans.length > 0 ? { ...approval, quorum: 1 } : approval;
  // A step depends on nothing of a later phase.
  const placed = steps.map((step) => step.phase).sort((a, b) => a - b);
  const drafts: Record<string, StepDraft> = {};
  steps.forEach((step, index) => {
    const earlier = (back: number): string[] => (index - back < 0 ? [] : [`s${index - back}`]);
    const after = [
      ...new Map(
        step.back.flatMap(([back, when]) => earlier(back).map((id) => [id, { step: id, when: when as 'holds' }] as const)),
      ).values(),
    ];
    const phaseBefore = placed[index]! - 1;
    const whole = step.afterPhase
      ? steps.flatMap((_, other) =>
          placed[other] === phaseBefore ? [{ step: `s${other}`, when: 'holds' as const, phase: `p${phaseBefore}` }] : [],
        )
      : [];
    const [first] = after;
    const reads: Condition | undefined = first && atLeast({ op: 'stepMetric', step: first.step, name: 'coverage' }, 80);
    const { ifBlocked } = step;
    const deployment = step.monitor ? undefined : step.deployment;
    drafts[`s${index}`] = {
      after: [...after.filter(({ step: id }) => !whole.some((other) => other.step === id)), ...whole],
      phase: `p${placed[index]!}`,
      role: step.role,
      priority: step.priority,
      count: step.count,
      mustPassCount: Math.min(step.mustPass ?? step.count, step.count),
      ...(step.mustPassIsExplicit && step.mustPass !== undefined && { mustPassIsExplicit: true }),
      ...pick(step, ['reassign', 'optional', 'async', 'automatic', 'canBlockMerge', 'canBlockDeployment', 'merges', 'deploys']),
      environments: step.production ? ['production'] : [],
      estimateMs: 1_000 * (1 + (index % 3)),
      ...(step.compensate && { compensate: { action: 'undo' } }),
      ...(deployment && deploymentOf(deployment)),
      ...(step.rollbackOn && !step.monitor && { deploys: true, rollbackOn: { condition: tooManyErrors, text: 'errors' } }),
      ...(step.onFailure && { onFailure: step.onFailure }),
      ...(ifBlocked && { ifBlocked }),
      ...(step.monitor && monitorOf(step.monitor, `s${index}`)),
      ...(step.approval && { approval: approvalOf(step.approval) }),
      ...(step.escalateAfterMs !== undefined && { escalateAfterMs: step.escalateAfterMs }),
      ...(step.escalationIf && { escalationIf: [riskyPhrase.toUpperCase()] }),
      ...(step.gate && !step.monitor && { gate: atLeast({ op: 'stepMetric', step: `s${index}`, name: 'coverage' }, 80) }),
      ...(step.securityBack && ifBlocked?.kind !== 'defer' && { securityReviewers: earlier(step.securityBack) }),
      // What never changes would be put off for ever.
      ...(step.requires && reads && ifBlocked?.kind !== 'defer' && { requires: reads }),
      ...(step.if && reads && { if: reads }),
      ...(step.rework && { rework: { steps: step.rework.back.flatMap(earlier), maxRounds: step.rework.maxRounds } }),
    };
  });
  const plan = buildPlan({
    phases: phases.map(({ barrier, serial, optional, limit, gate, approval }, index) => ({
      id: `p${index}`,
      barrier,
      serial,
      optional,
      ...(limit && { maxConcurrentSteps: limit }),
      ...(gate && { gate: phaseGate(gate, `s${placed.lastIndexOf(index)}`), gateText: gate }),
      ...(approval && {
        approval: buildPlan({ steps: { a: { approval: approvalOf(approval) } } }).steps[0]!.approval!,
      }),
    })),
    steps: drafts,
    maxConcurrentSteps: slots,
    onFailure,
    approvers: { leads: ['ana', 'dora', 'ben'], board: ['leads', 'eve'] },
    escalation,
    ...(escalateAfterMs !== undefined && { escalateAfterMs }),
  });
  // The place in the file is not the place in the plan.
  const inFile = plan.steps.map((_, index) => index).sort((a, b) => steps[a]!.order - steps[b]!.order || a - b);
  return { ...plan, steps: plan.steps.map((step, index) => ({ ...step, order: inFile.indexOf(index) })) };
}

function pick<T, K extends keyof T>(from: T, keys: K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}

function monitorOf({ samples, forSamples, onAlert }: NonNullable<Draft['steps'][number]['monitor']>, id: string): StepDraft {
  const alerts = [{ condition: atLeast({ op: 'metric', name: `errors_${id}` }, 1), text: 'errors' }];
  return {
    role: 'watcher',
    count: 1,
    mustPassCount: 1,
    monitor: { durationMs: samples * 1_000, intervalMs: 1_000, alerts, forSamples, onAlert },
  };
}

const tooManyErrors = atLeast({ op: 'metric', name: 'error_rate' }, 1);

function deploymentOf({ strategy, shares, waitMs, hasAbort, hasActions, isUndoneAtOnce }: DeploymentDraft): StepDraft {
  return {
    deploys: true,
    actions: hasActions ? ['push', 'smoke_test'] : [],
    compensate: isUndoneAtOnce ? { action: 'previous_version' } : undefined,
    deployment:
      strategy === 'canary'
        ? { strategy, steps: shares, waitMs, ...(hasAbort && { abortIf: { condition: tooManyErrors, text: 'errors' } }) }
        : { strategy },
  };
}

function atLeast(left: Condition, value: number): Condition {
  return { op: '>=', left, right: { op: 'literal', value } };
}

function phaseGate(kind: string, step: string): Condition {
  if (kind === 'none_failed' || step === 's-1') return { op: 'quantifier', name: 'none_failed' };
  if (kind === 'passed') return { op: 'predicate', name: 'passed', target: step };
  return atLeast({ op: 'stepMetric', step, name: 'coverage' }, 80);
}

/** No two things from outside come at one moment, nor with the end of any work that was not begun by one of them. */
function outsideOf({ outside, hasCancel }: Draft, owners: readonly string[]): OutsideEvent[] {
  return outside
    .flatMap((one, index): OutsideEvent[] => {
      const atMs = one.halfSeconds * 500 + 7 * index + 101;
      if (one.kind === 'pause')
        return [
          { kind: 'pause', atMs, freeze: one.freeze },
          { kind: 'resume', atMs: atMs + one.lengthMs + 3 },
        ];
      if (one.kind === 'cancel') return hasCancel ? [{ kind: 'cancel', atMs, noRollback: one.noRollback }] : [];
      const gate = `${owners[one.owner % owners.length]!}${one.question}`;
      return [{ kind: 'vote', atMs, gate, by: one.by, decision: one.decision, ...(one.hasReason && { reason: 'because' }) }];
    })
    .sort((a, b) => a.atMs - b.atMs);
}
