import fc from 'fast-check';
import { compareWithModel } from '../../test/support/compare-runs';
import { agentNamed, byStep, EngineDriver } from '../../test/support/engine-driver';
import { buildPlan, type PlanDraft } from '../../test/support/plan-builder';
import { createCoverage, rareHappenings } from '../../test/support/run-coverage';
import { randomScript } from '../../test/support/random-script';
import { findBrokenLaw } from '../../test/support/run-laws';
import type { RunScript } from '../../test/support/run-script';
import type * as Assignment from './assignment';
import type * as Approvers from './approvers';
import type * as Ending from './ending';
import type * as GateTimers from './gate-timers';
import type * as Gates from './gates';
import type * as PlanIndex from './plan-index';
import type * as RunModule from './run';
import type * as Slots from './slots';
import type * as StepUndo from './step-undo';
import type * as Votes from './votes';

/** `VAPORA_MODEL_SEED=7 npx jest core/engine/reference-model` tries other plans; `npm run model` very many. */
const seed = Number(process.env['VAPORA_MODEL_SEED'] ?? 20_260_105);
const numRuns = 500;
const comparing = '../../test/support/compare-runs';

test(`the engine does what the reference model predicts, on ${numRuns} random plans of seed ${seed}`, () => {
  const coverage = createCoverage();
  fc.assert(
    fc.property(randomScript, (script) => expect(compareWithModel(script, coverage.add)).toBe('')),
    { seed, numRuns },
  );
  const unmet = Object.keys(coverage.counts).filter((happening) => coverage.counts[happening] === 0);
  expect(unmet.filter((happening) => !rareHappenings.has(happening))).toEqual([]);
});

/** An engine with functions of one of its modules replaced. */
interface Mutation {
  module: string;
  breakIt: (actual: object) => object;
}

function breaking<Module extends object>(module: string, breakIt: (actual: Module) => Partial<Module>): Mutation {
  return { module, breakIt: breakIt as Mutation['breakIt'] };
}

/** The first of these scripts on which the broken engine and the reference model part, and how. */
function findCaught({ module, breakIt }: Mutation, scripts: readonly RunScript[]): string | undefined {
  let caught: string | undefined;
  jest.isolateModules(() => {
    jest.doMock(module, () => {
      const fresh = jest.requireActual<object>(module);
      return { ...fresh, ...breakIt(fresh) };
    });
    const { compareWithModel: compare } = jest.requireActual<{ compareWithModel: typeof compareWithModel }>(comparing);
    for (const script of scripts) if ((caught ??= compare(script) || undefined) !== undefined) break;
  });
  jest.dontMock(module);
  return caught;
}

describe('a broken engine is caught within as many plans:', () => {
  const scripts = fc.sample(randomScript, { seed, numRuns });

  test.each<[string, Mutation]>([
    [
      'a step does not wait for the last of what it depends on',
      breaking<typeof RunModule>('./run', ({ countUnmet }) => ({ countUnmet: (run, node) => Math.max(0, countUnmet(run, node) - 1) })),
    ],
    [
      'rework reaches only what depends on it directly',
      breaking<typeof PlanIndex>('./plan-index', () => ({ findDescendants: (start) => new Set(start.flatMap((node) => node.dependents)) })),
    ],
    [
      'compensations run in the order in which the work was started',
      breaking<typeof Ending>('./ending', ({ selectCompensations }) => ({
        selectCompensations: (run, ending) => {
          const chosen = selectCompensations(run, ending);
          return run.state.compensations.filter((entry) => chosen.includes(entry));
        },
      })),
    ],
    [
      'one vote is enough',
      breaking<typeof Votes>('./votes', ({ tally }) => ({ tally: (gate, votes) => tally({ ...gate, quorum: 1 }, votes) })),
    ],
    ['authors may approve their own work', breaking<typeof Approvers>('./approvers', () => ({ findBarred: () => [] }))],
    ['anyone may vote', breaking<typeof Approvers>('./approvers', () => ({ findApprovers: () => [] }))],
    [
      'early votes outlive a rework',
      breaking<typeof Gates>('./gates', ({ withdrawGate }) => ({
        withdrawGate: (run, id, reason) => {
          if (run.state.gates[id]?.state !== 'pending') withdrawGate(run, id, reason);
        },
      })),
    ],
    [
      'a deployment undoes its sub-steps in the order in which they began',
      breaking<typeof StepUndo>('./step-undo', ({ nextStepUndoRequests }) => ({
        nextStepUndoRequests: (run) => {
          run.state.compensations.reverse();
          const requests = nextStepUndoRequests(run);
          run.state.compensations.reverse();
          return requests;
        },
      })),
    ],
    [
      'a deployment does not undo the sub-step that failed',
      breaking<typeof StepUndo>('./step-undo', ({ beginStepUndo }) => ({
        beginStepUndo: (run, node, undo) => {
          const failed = run.state.compensations.findLast(({ step }) => step === node.plan.id);
          if (failed !== undefined && node.run.undoing === undefined) failed.state = 'dropped';
          return beginStepUndo(run, node, undo);
        },
      })),
    ],
    [
      'the levels of escalation that last long are passed over',
      breaking<typeof GateTimers>('./gate-timers', ({ nextLevel }) => ({
        nextLevel: (run, gate) => {
          const level = nextLevel(run, gate);
          return level?.afterMs === undefined || level.afterMs < 3_000 ? level : nextLevel(run, { ...gate, level: gate.level + 1 });
        },
      })),
    ],
    [
      'those of an earlier level may vote no more',
      breaking<typeof GateTimers>('./gate-timers', ({ escalateGate }) => ({
        escalateGate: (run, gate, level) => {
          escalateGate(run, gate, level);
          if (gate.approvers.length > 0) gate.approvers = level.people;
        },
      })),
    ],
    [
      'busy agents are taken for free',
      breaking<typeof Assignment>('./assignment', ({ onReplies }) => ({
        onReplies: (run, replies) =>
          onReplies(
            run,
            replies.map((reply) =>
              reply.kind === 'busy' ? { ...reply, kind: 'assigned', agent: agentNamed('developer-1'), why: '' } : reply,
            ),
          ),
      })),
    ],
    ['a step whose agents are busy keeps its slot', breaking<typeof Slots>('./slots', () => ({ releaseRunSlot: () => undefined }))],
    [
      'busy agents are not asked for again when work ends',
      breaking<typeof Assignment>('./assignment', ({ askBusyAgain }) => ({
        askBusyAgain: (run) => {
          if (run.state.timers['agents'] === undefined) askBusyAgain(run);
        },
      })),
    ],
    ['the limit of a phase is not kept', breaking<typeof Slots>('./slots', () => ({ hasRoom: () => true }))],
  ])('%s', (_, mutation) => {
    expect(findCaught(mutation, scripts)).toMatch(/the engine: |was launched|was undone/);
  });

  test('and a whole one is not', () => {
    expect(findCaught({ module: './run', breakIt: () => ({}) }, scripts.slice(0, 50))).toBeUndefined();
  });
});

describe('the laws catch a run', () => {
  const undo = { compensate: { action: 'undo' } };
  const steps = { a: undo, b: { after: ['a'], ...undo }, c: {}, d: { after: ['b'] } };
  const drive = (): EngineDriver =>
    new EngineDriver(buildPlan({ steps }), { behave: byStep({ d: { failure: { kind: 'failed' } } }) }).run();

  test.each<[string, Partial<PlanDraft>, string]>([
    ['that breaks none', {}, ''],
    ['that starts a step too early', { steps: { ...steps, a: { after: ['c'] } } }, 'a#1 was launched after step.readied of c'],
    ['that exceeds a limit', { maxConcurrentSteps: 1 }, 'a#1 was launched beside a, c'],
  ])('%s', (_, draft, broken) => {
    expect(findBrokenLaw(buildPlan({ steps, ...draft }), drive())).toBe(broken);
  });

  test('that undoes in another order', () => {
    const driver = drive();
    driver.launches.push(...driver.launches.splice(-2).reverse());
    expect(findBrokenLaw(driver.plan, driver)).toBe('b#1!undo was undone after a#1!undo');
  });
});
