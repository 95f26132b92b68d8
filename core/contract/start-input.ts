/** The one optional JSON object a run starts with. Everything may be absent: then the newest published version runs. */
export interface StartInput {
  version?: number;
  planHash?: string;
  /** The workflow file's text. */
  source?: string;
  format?: 'yaml' | 'toml';
  inputs?: Record<string, unknown>;
  initiator?: string;
  /** 3600 makes an hour a second. */
  timeScale?: number;
  /** Seed of simulated agents. */
  seed?: string;
  /** A registry file's text (and the folder it lies in, on the workers), or ids out of the registered ones. */
  agents?: { source: string; format?: 'yaml' | 'toml'; folder?: string } | string[];
  /** Gates are approved by `auto` as soon as they open. For demos and tests; the audit says so. */
  autoApprove?: boolean;
  /** `none`: no assignment by history and no Postgres at all (dry runs, benchmarks of the engine alone). */
  recording?: 'full' | 'none';
  /** Whoever votes about the run or changes it has to sign; so has who starts it. A worker may ask for that of every run. */
  strict?: boolean;
  /** The signature of who starts it: `StartClaims`. */
  token?: string;
}
