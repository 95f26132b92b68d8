import type { DraftStep } from '../draft';
import type { Word } from '../fields';
import type { SerialOrder } from './serial-order';
import { nodeOf, type StepOrder } from './step-order';

export interface Producer {
  step: DraftStep;
  output: string;
  word: Word;
}

/** From here on they are asked as a set, a word of bits at a time: ten thousand steps may each read what all of them produce. */
const many = 32;

/** The producers of one artifact. */
export class Producers {
  readonly inFileOrder: readonly Producer[];
  /** By the steps' place in topological order. */
  readonly latestFirst: readonly Producer[];
  readonly #order: StepOrder | undefined;
  readonly #serial: SerialOrder;
  #byNode: { nodes: ReadonlyMap<number, Producer>; set: Uint32Array } | undefined;
  /** Of each serial phase, those that run in their turn, first to last. */
  #inTurn: ReadonlyMap<string, readonly Producer[]> | undefined;

  constructor(inFileOrder: readonly Producer[], order: StepOrder | undefined, serial: SerialOrder) {
    this.inFileOrder = inFileOrder;
    this.#order = order;
    this.#serial = serial;
    this.latestFirst =
      order === undefined || inFileOrder.length < 2 ? inFileOrder : [...inFileOrder].sort((a, b) => this.#rankOf(b) - this.#rankOf(a));
  }

  /** The last one that has run before a step; without an order, the first in the file. */
  findBefore(step: DraftStep): Producer | undefined {
    if (this.#order === undefined) return this.inFileOrder.find((producer) => producer.step !== step);
    const waitedFor = this.#lastWaitedFor(step, this.#order);
    const inTurn = this.#serial.isEmpty ? undefined : this.#lastInTurn(step);
    if (waitedFor === undefined || inTurn === undefined) return waitedFor ?? inTurn;
    return this.#rankOf(inTurn) > this.#rankOf(waitedFor) ? inTurn : waitedFor;
  }

  #lastWaitedFor(step: DraftStep, order: StepOrder): Producer | undefined {
    const node = nodeOf(step, order);
    if (this.latestFirst.length < many) {
      return this.latestFirst.find((producer) => order.reach.isBefore(nodeOf(producer.step, order), node));
    }
    this.#byNode ??= this.#indexNodes(order);
    const found = order.reach.lastBefore(node, this.#byNode.set);
    return found === undefined ? undefined : this.#byNode.nodes.get(found);
  }

  #indexNodes(order: StepOrder): { nodes: ReadonlyMap<number, Producer>; set: Uint32Array } {
    const nodes = new Map<number, Producer>();
    for (const producer of this.inFileOrder) {
      const node = nodeOf(producer.step, order);
      if (!nodes.has(node)) nodes.set(node, producer);
    }
    return { nodes, set: order.reach.setOf(nodes.keys()) };
  }

  #lastInTurn({ plan }: DraftStep): Producer | undefined {
    this.#inTurn ??= this.#indexTurns();
    const candidates = this.#inTurn.get(plan.phase) ?? [];
    // The first that does not stand before the step, by halving: the one before it is the last that does.
    let low = 0;
    let high = candidates.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((candidates[middle]?.step.plan.order ?? plan.order) < plan.order) low = middle + 1;
      else high = middle;
    }
    return candidates[low - 1];
  }

  #indexTurns(): ReadonlyMap<string, readonly Producer[]> {
    const byPhase = new Map<string, Producer[]>();
    for (const producer of [...this.inFileOrder].sort((a, b) => a.step.plan.order - b.step.plan.order)) {
      const { phase, id } = producer.step.plan;
      if (!this.#serial.hasTurn(id)) continue;
      const members = byPhase.get(phase);
      if (members === undefined) byPhase.set(phase, [producer]);
      // One step may produce it under two names: the first counts.
      else if (members.at(-1)?.step !== producer.step) members.push(producer);
    }
    return byPhase;
  }

  #rankOf({ step }: Producer): number {
    return this.#order === undefined ? 0 : (this.#order.ranks[nodeOf(step, this.#order)] ?? 0);
  }
}
