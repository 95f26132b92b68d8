import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BaselineInput } from './baseline/contract';
import type { FeatureInput } from './baseline/feature-auth-mfa';
import { chainStep, layerDependencies, layerStep } from './baseline/graphs';
import type { LayersShape } from './baseline/graphs';
import type { SlottedSteps } from './baseline/list-schedule';

export interface Scenario {
  name: string;
  title: string;
  /** Workflow type of ours. */
  definition: string;
  /** The workflow file's text. */
  source: string;
  timeScale: number;
  /** Workflows started at once. */
  runs: number;
  /** How often each side is measured, unless the command line says otherwise. */
  repetitions: number;
  baseline: {
    workflowType: string;
    input: Omit<FeatureInput, keyof BaselineInput> | { length: number } | { width: number } | LayersShape | SlottedSteps;
  };
  /** Most history events, recording, against the bare hand-written workflow. */
  eventGoal?: number;
}

const featureFile = join(__dirname, '../../examples/feature-auth-mfa/workflow.yaml');
export const agentsFile = join(__dirname, 'agents.yaml');

/** The 24 hours of the production monitor become 2.2 s, 22 samples at the shortest interval there is, 100 ms of real time. */
const featureTimeScale = 40_000;
/** 216 ms, three samples: hardly a feature any more, and the fixed costs of a run show most. */
const briefTimeScale = 400_000;

export function createScenarios(): Scenario[] {
  return [
    { ...featureAt(featureTimeScale), name: 'feature', title: 'the 20-step feature', runs: 1, repetitions: 9, eventGoal: 1.1 },
    { ...featureAt(briefTimeScale), name: 'brief', title: 'the feature, hardly monitored', runs: 1, repetitions: 15, eventGoal: 1.1 },
    { ...chainOf(100), name: 'chain', title: 'a chain of 100 steps', runs: 1, repetitions: 11, eventGoal: 1.2 },
    { ...fanOf(100), name: 'fan', title: 'a fan of 100 steps', runs: 1, repetitions: 15, eventGoal: 1.1 },
    { ...layersOf({ layers: 25, width: 40 }), name: 'layers', title: '1,000 steps in 25 layers', runs: 1, repetitions: 5 },
    { ...featureAt(briefTimeScale), name: 'features', title: '200 features at once', runs: 200, repetitions: 3 },
  ];
}

function featureAt(timeScale: number) {
  const hourMs = 3_600_000 / timeScale;
  return {
    definition: 'feature-auth-mfa',
    source: readFileSync(featureFile, 'utf8'),
    timeScale,
    baseline: {
      workflowType: 'featureAuthMfa',
      input: {
        autoApprove: true,
        stagingMonitor: { durationMs: hourMs, intervalMs: 100 },
        productionMonitor: { durationMs: 24 * hourMs, intervalMs: 100 },
      },
    },
  };
}

function chainOf(length: number) {
  const steps = Array.from({ length }, (_, index) => stepText(chainStep(index), index === 0 ? [] : [chainStep(index - 1)]));
  return { ...generated('bench-chain', steps), baseline: { workflowType: 'chain', input: { length } } };
}

function fanOf(width: number) {
  const steps = Array.from({ length: width }, (_, index) => stepText(chainStep(index), []));
  return { ...generated('bench-fan', steps), baseline: { workflowType: 'fan', input: { width } } };
}

function layersOf(shape: LayersShape) {
  const steps: string[] = [];
  for (let layer = 0; layer < shape.layers; layer++) {
    for (let place = 0; place < shape.width; place++) steps.push(stepText(layerStep(layer, place), layerDependencies(shape, layer, place)));
  }
  return { ...generated('bench-layers', steps), baseline: { workflowType: 'layers', input: shape } };
}

/** The hand-written workflows limit nothing; neither does ours here. */
function generated(definition: string, steps: string[]) {
  const head = [`Workflow: ${definition}`, 'allow_concurrent_agents: 1000', 'Steps:'];
  return { definition, source: `${[...head, ...steps].join('\n')}\n`, timeScale: 1 };
}

function stepText(id: string, dependencies: string[]): string {
  const needs = dependencies.length > 0 ? `, dependencies: [${dependencies.join(', ')}]` : '';
  return `  ${id}: {agent: developer${needs}}`;
}
