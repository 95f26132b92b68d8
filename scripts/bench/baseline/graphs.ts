/** The shapes of the generated scenarios: the hand-written workflows and the workflow files are made from the same ones. */

export interface LayersShape {
  layers: number;
  width: number;
}

/** Which steps of the layer before a step needs, as offsets from its own place. */
const needs = [0, 1, 7];

export function chainStep(index: number): string {
  return `step-${index}`;
}

export function layerStep(layer: number, place: number): string {
  return `step-${layer}-${place}`;
}

/** The ids that step `place` of `layer` depends on: none in the first layer. */
export function layerDependencies({ width }: LayersShape, layer: number, place: number): string[] {
  if (layer === 0) return [];
  return [...new Set(needs.map((offset) => layerStep(layer - 1, (place + offset) % width)))];
}
