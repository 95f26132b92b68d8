import fc from 'fast-check';
import { findAncestors, graphOfSteps } from '../../plan/graph';
import { compileWorkflow } from '../compile';

interface Made {
  /** How many steps back each dependency is. */
  back: number[];
  phase: number;
  produces: string[];
}

/** Steps in two phases, so many of them that the producers are asked as a set. */
const steps = fc.array(
  fc.record<Made>({
    back: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 2 }),
    phase: fc.nat(1),
    produces: fc.constantFrom<string[][]>([], ['o'], ['o', 'o'], ['p.md'], ['p.txt', 'p.md']),
  }),
  { minLength: 80, maxLength: 120 },
);

function textOf(made: readonly Made[], isSerial: boolean): string {
  const phases = [0, 1].map((phase) => {
    const members = made.flatMap((step, index) => {
      if (step.phase !== phase) return [];
      const dependencies = step.back.map((back) => index - back).filter((other) => (made[other]?.phase ?? 2) <= phase);
      return [
        `      s${index}: {agent: developer, input: [o, p], output: [${step.produces.join(', ')}], depends_on: [${dependencies.map((other) => `s${other}`).join(', ')}]}\n`,
      ];
    });
    return `    ph${phase}:\n      ${isSerial ? 'serial: true\n      ' : ''}steps:\n${members.join('').replaceAll(/^ {6}/gmu, '        ')}`;
  });
  return `workflow:\n  id: w\n  phases:\n${phases.join('')}`;
}

test.each([
  ['by their dependencies', false],
  ['and by their turn in a serial phase', true],
])('an input comes from the last step in the plan that has run before, %s', (_, isSerial) => {
  fc.assert(
    fc.property(steps, (made) => {
      fc.pre(made.some(({ phase }) => phase === 0) && made.some(({ phase }) => phase === 1));
      const { plan, diagnostics } = compileWorkflow(textOf(made, isSerial));
      if (plan === null) throw new Error(JSON.stringify(diagnostics.find(({ severity }) => severity === 'error')));
      const graph = graphOfSteps(plan.steps);
      plan.steps.forEach((step, node) => {
        const ancestors = findAncestors(graph, [node]);
        const hasRun = plan.steps.map(
          (other, index) =>
            ancestors.has(index) ||
            (step.phase === 'ph1' && other.phase === 'ph0') ||
            (isSerial && other.phase === step.phase && other.order < step.order),
        );
        for (const { name, from } of step.inputs) {
          const makes = (outputs: readonly string[]): boolean => outputs.some((output) => output === name || output.startsWith(`${name}.`));
          expect([step.id, name, from]).toEqual([
            step.id,
            name,
            plan.steps.findLast((other, index) => hasRun[index] && makes(other.outputs))?.id,
          ]);
        }
      });
    }),
    { numRuns: 40 },
  );
});
