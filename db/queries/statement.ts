import { CompiledQuery } from 'kysely';
import type { Database } from '../connect';

/**
 * One SQL statement made of parts (`with a as (…), b as (…) select …`): everything that must be written together goes to the
 * server in one round trip and is one transaction without BEGIN and COMMIT. Each connection prepares it once under its name, so
 * one name must always mean one text.
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

  async run<Row>(db: Database, name: string, select: string): Promise<Row[]> {
    const parts = this.#parts.length === 0 ? '' : `with ${this.#parts.join(',\n')}\n`;
    const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(`/* prepared: ${name} */ ${parts}${select}`, this.#values));
    return rows;
  }
}

/** ISO text of a time in epoch ms, or null: what timestamptz columns are written with. */
export function isoOf(atMs: number | undefined | null): string | null {
  return atMs == null ? null : new Date(atMs).toISOString();
}
