import { parseDocument } from 'yaml';
import { compileWorkflow } from '../../core/dsl/compile';
import type { Verdict } from './report';
import { type spreadOf, spreadOfRatios } from './statistics';

interface CompileCase {
  name: string;
  steps: number;
  textOf(steps: number): string;
}

const sizes = [20, 1_000, 10_000];
const roles = ['developer', 'tester', 'code-reviewer', 'architect'];
/** Steps handled in one measurement, so that a small file is measured as long as a large one. */
const stepsAtOnce = 10_000;
const ratioGoal = 2;
/** Growth is linear when a step costs as much in a large file as in a small one; what memory costs is allowed for. */
const growthGoal = 1.5;

/**
 * What compiling a file costs against the YAML library reading the same text, in CPU time of this process: side by side, each
 * first in every other round.
 */
export function measureCompile({ repetitions }: { repetitions: number }): Verdict[] {
  const cases: CompileCase[] = sizes.flatMap((steps) => [
    { name: `${steps} steps`, steps, textOf: usualSteps },
    { name: `${steps} steps, as short as can be`, steps, textOf: shortSteps },
  ]);
  const measured = cases.map((each) => ({ ...each, ...measureCase(each, repetitions) }));
  const verdicts = measured.map(({ name, compiled, read }) =>
    verdictOf(`${name}: compile : parse`, spreadOfRatios(compiled, read), ratioGoal),
  );
  const perStep = (steps: number): number[] => measured.find((each) => each.steps === steps)?.compiled.map((ms) => ms / steps) ?? [];
  return [...verdicts, verdictOf('a step among 10,000 : among 1,000', spreadOfRatios(perStep(10_000), perStep(1_000)), growthGoal)];
}

function verdictOf(comparison: string, ratio: ReturnType<typeof spreadOf>, goal: number): Verdict {
  return { scenario: 'compile', comparison, ratio, goal, met: Number(ratio.median.toFixed(2)) <= goal };
}

/** CPU ms of one compile, and of one reading, per round. */
function measureCase({ steps, textOf, name }: CompileCase, repetitions: number): { compiled: number[]; read: number[] } {
  const text = textOf(steps);
  if (compileWorkflow(text).plan?.steps.length !== steps) throw new Error(`${name} does not compile`);
  const times = Math.max(1, Math.round(stepsAtOnce / steps));
  const sides = {
    compiled: () => compileWorkflow(text),
    read: () => parseDocument(text, { uniqueKeys: false }),
  };
  const found = { compiled: [] as number[], read: [] as number[] };
  // The first two rounds only warm up.
  for (let round = -2; round < repetitions; round += 1) {
    for (const side of round % 2 === 0 ? (['compiled', 'read'] as const) : (['read', 'compiled'] as const)) {
      const ms = cpuMsOf(sides[side], times);
      if (round >= 0) found[side].push(ms);
    }
  }
  return found;
}

function cpuMsOf(work: () => unknown, times: number): number {
  const started = process.cpuUsage();
  for (let turn = 0; turn < times; turn += 1) work();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000 / times;
}

/** Block style, a chain, with what most steps say. */
function usualSteps(count: number): string {
  const steps = Array.from(
    { length: count },
    (_, step) =>
      `  step_${step}:\n    agent: ${roles[step % roles.length]}\n${step === 0 ? '' : `    depends_on: [step_${step - 1}]\n`}    output: out_${step}\n    timeout: 30min\n`,
  );
  return `Workflow: generated\nSteps:\n${steps.join('')}`;
}

/** The hardest comparison: the least to read for a whole step of a plan. */
function shortSteps(count: number): string {
  return `Workflow: generated\nSteps:\n${Array.from({ length: count }, (_, step) => `  s${step}: {agent: tester}\n`).join('')}`;
}
