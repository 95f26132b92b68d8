import { CompiledQuery } from 'kysely';
import type { Database } from '../connect';

/** In the place of a name: planned at each call, for what the tables hold now. For what is asked once a run, or by a person. */
export const unprepared = Symbol('unprepared');

/**
 * One SQL statement made of parts (`with a as (…), b as (…) select …`): everything that must be written together goes to the
 * server in one round trip and is one transaction without BEGIN and COMMIT. Each connection prepares it once under its name, so
 * one name must always mean one text; what is not on the hot path is `unprepared`.
 */
export class Statement {
  readonly #parts: string[] = [];
  readonly #values: unknown[] = [];

  /** Binds a value; gives the text that stands for it. */
  value(value: unknown, type: string): string {
    this.#values.push(value);
    return `$${this.#values.length}::${type}`;
  }

  with(name: string, sql: string): this {
    this.#parts.push(`${name} as (${sql})`);
    return this;
  }

  async run<Row>(db: Database, name: string | typeof unprepared, select: string): Promise<Row[]> {
    const parts = this.#parts.length === 0 ? '' : `with ${this.#parts.join(',\n')}\n`;
    const prefix = name === unprepared ? '' : `/* prepared: ${name} */ `;
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(`${prefix}${parts}${select}`, this.#values));
    return rows;
  }
}

/** ISO text of a time in epoch ms, or null: what timestamptz columns are written with. */
export function isoOf(atMs: number | undefined | null): string | null {
  return atMs == null ? null : new Date(atMs).toISOString();
}
