/** What a metric measures, as far as its name says: decides how a bare number is read. */
export type MetricKind = 'rate' | 'time' | 'money' | 'flag' | 'number';

const kinds: ReadonlyMap<string, MetricKind> = new Map([
  ['coverage', 'rate'],
  ['cpu', 'rate'],
  ['memory', 'rate'],
  ['latency', 'time'],
  ['p50', 'time'],
  ['p90', 'time'],
  ['p95', 'time'],
  ['p99', 'time'],
  ['cost', 'money'],
  ['cost_usd', 'money'],
  ['tests_passing', 'flag'],
  ['tests_passed', 'flag'],
  ['build_passing', 'flag'],
  ['lint_passing', 'flag'],
  ['mitigated', 'flag'],
  ['critical_error', 'flag'],
  ['critical_errors', 'number'],
  ['errors', 'number'],
  ['warnings', 'number'],
  ['critical_vulns', 'number'],
  ['high_vulns', 'number'],
  ['medium_vulns', 'number'],
  ['low_vulns', 'number'],
  ['requests', 'number'],
  ['throughput', 'number'],
  ['risk', 'number'],
  ['score', 'number'],
  ['tokens', 'number'],
  ['alerts', 'number'],
  ['samples', 'number'],
  ['failed_samples', 'number'],
]);

const kindsBySuffix: readonly (readonly [string, MetricKind])[] = [
  ['_rate', 'rate'],
  ['_percent', 'rate'],
  ['_coverage', 'rate'],
  ['_latency', 'time'],
  ['_ms', 'time'],
  ['_usd', 'money'],
  ['_passing', 'flag'],
  ['_passed', 'number'],
  ['_failed', 'number'],
  ['_count', 'number'],
  ['_vulns', 'number'],
  ['_errors', 'number'],
  ['_score', 'number'],
];

/** The kind a metric's name implies; undefined for a name that says nothing. `<name>_max` is what a monitor reports of `<name>`. */
export function metricKindOf(name: string): MetricKind | undefined {
  if (name.length > 4 && name.endsWith('_max')) return metricKindOf(name.slice(0, -4));
  return kinds.get(name) ?? kindsBySuffix.find(([suffix]) => name.length > suffix.length && name.endsWith(suffix))?.[1];
}

/** Metric names that agents are known to report, for did-you-mean. */
export function knownMetricNames(): string[] {
  return [...kinds.keys(), 'error_rate', 'success_rate', 'p99_latency', 'p95_latency'];
}

/** Names under which the same metric is found: `p99` = `p99_latency` = `latency`. The written name comes first. */
export function metricAliasesOf(name: string): string[] {
  const group = ['p99_latency', 'p99', 'latency'];
  if (group.includes(name)) return [name, ...group.filter((other) => other !== name)];
  const percentile = /^(p50|p90|p95)(_latency)?$/u.exec(name);
  if (percentile === null) return [name];
  return [name, percentile[2] === undefined ? `${name}_latency` : (percentile[1] ?? name)];
}
