/** One thing the embedded environment needs. */
export interface Finding {
  name: string;
  /** False only for what stops vapora from working here. */
  ok: boolean;
  detail: string;
  /** What to do about it, as one sentence; also where something works, but could be better. */
  remedy?: string | undefined;
}
