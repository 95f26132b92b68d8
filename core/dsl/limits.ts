/** The file is data from strangers: a limit on everything that could grow. */
export const limits = {
  textBytes: 1024 * 1024,
  depth: 32,
  /** Every scalar and collection. */
  nodes: 200_000,
  steps: 10_000,
  /** As written; a barrier is not an edge. */
  dependencies: 100_000,
  /** After phases named in `depends_on` were replaced by their steps. */
  expandedDependencies: 400_000,
  /** Characters and values of `defaults`, times the steps that take them: no more than a file could say without them. */
  defaults: 1024 * 1024,
  /** In one comma string. */
  words: 20_000,
  idLength: 100,
  /** Kept and shown; the rest is only counted. */
  diagnostics: 1_000,
  related: 20,
  /** Characters. */
  message: 400,
  conditionDepth: 64,
  conditionNodes: 1_000,
  /** Names compared for one did-you-mean, and did-you-means per file: both are only a courtesy. */
  suggestionCandidates: 2_000,
  suggestions: 100,
  durationMs: 10 * 366 * 24 * 3600 * 1000,
} as const;
