import type { Outcome } from './watched-compiler';

export interface Trouble {
  what: string;
  /** Which text it was. */
  of: string;
}

/** Counts answers by kind and by code, and keeps what must not happen. */
export class Tally {
  readonly troubles: Trouble[] = [];
  readonly #kinds = new Map<string, number>();
  readonly #codes = new Map<string, number>();
  #slowest = { ms: 0, of: '' };

  add(outcome: Outcome, of: string): void {
    if (outcome.kind !== 'answer') {
      this.#count(this.#kinds, outcome.kind);
      this.troubles.push({ what: outcome.kind === 'stall' ? 'no answer in time' : `the process ended: ${outcome.how}`, of });
      return;
    }
    this.#count(this.#kinds, outcome.isPlan ? 'plan' : 'errors');
    for (const code of outcome.errors) this.#count(this.#codes, code);
    for (const what of outcome.broken) this.troubles.push({ what, of });
    if (outcome.ms > this.#slowest.ms) this.#slowest = { ms: outcome.ms, of };
  }

  render(): string {
    const lines = [
      `answers: ${describe(this.#kinds) || 'none'}`,
      `errors by code, in how many texts: ${describe(this.#codes) || 'none'}`,
      `slowest: ${this.#slowest.ms.toFixed(0)} ms${this.#slowest.of === '' ? '' : `, ${this.#slowest.of}`}`,
      `crashes, stalls, broken promises: ${this.troubles.length}`,
      ...this.troubles.slice(0, 20).map(({ what, of }) => `  ${of}: ${what}`),
    ];
    return lines.join('\n');
  }

  #count(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

function describe(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
