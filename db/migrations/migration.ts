/** One step of the schema, forward only. A released one is never edited: its checksum stands in the databases that ran it. */
export interface Migration {
  version: number;
  name: string;
  /** Runs in one transaction. */
  sql: string;
}
