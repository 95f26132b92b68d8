import fc from 'fast-check';
import {
  Chooser,
  exchangeSteps,
  type ModelMap,
  printToml,
  printYaml,
  randomWorkflows,
  reorderKeys,
} from '../../test/support/random-workflow';
import { planHashOf } from '../../db/hash';
import { compileWorkflow } from './compile';

function hashOf(text: string, format: 'yaml' | 'toml'): string {
  const { plan, diagnostics } = compileWorkflow(text, { format });
  if (plan === null) throw new Error(`${text}\n${JSON.stringify(diagnostics.filter(({ severity }) => severity === 'error'))}`);
  return planHashOf(plan);
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });
const numRuns = 300;

test('one workflow, written in YAML and TOML in many ways, has one hash', () => {
  fc.assert(
    fc.property(randomWorkflows(), seeds, (model, seed) => {
      const chooser = new Chooser(seed);
      const hash = hashOf(printYaml(model, chooser), 'yaml');
      expect(hashOf(printYaml(model, chooser), 'yaml')).toBe(hash);
      expect(hashOf(printToml(model, chooser), 'toml')).toBe(hash);
    }),
    { numRuns },
  );
});

test('the order of keys does not change the hash', () => {
  fc.assert(
    fc.property(randomWorkflows(), seeds, (model, seed) => {
      const chooser = new Chooser(seed);
      const reordered = reorderKeys(model, chooser) as ModelMap;
      expect(hashOf(printYaml(reordered, chooser), 'yaml')).toBe(hashOf(printYaml(model, chooser), 'yaml'));
    }),
    { numRuns },
  );
});

test('the order of steps does', () => {
  fc.assert(
    fc.property(randomWorkflows(), seeds, (model, seed) => {
      const chooser = new Chooser(seed);
      const exchanged = printYaml(exchangeSteps(model) as ModelMap, chooser);
      const { plan } = compileWorkflow(exchanged);
      // In the phases form, what is exchanged may be phases that depend on each other: then there is no plan.
      fc.pre(plan !== null);
      expect(hashOf(exchanged, 'yaml')).not.toBe(hashOf(printYaml(model, chooser), 'yaml'));
    }),
    { numRuns },
  );
});
