import type { SimulatedMetric } from '../../core/contract/agents';
import type { Verdict } from '../../core/contract/states';

/** What an agent of a task type usually reports when all is well. */
export interface SimulatedDefaults {
  verdict?: Verdict;
  metrics: Record<string, SimulatedMetric>;
  /** What it did, as the beginning of a sentence. */
  did: string;
}

const reviewed: SimulatedDefaults = {
  verdict: 'approved',
  metrics: { critical_vulns: 0, high_vulns: 0, medium_vulns: { min: 0, max: 2 }, comments: { min: 0, max: 9 } },
  did: 'reviewed',
};

const byTaskType: Readonly<Record<string, SimulatedDefaults>> = {
  ArchitectureDesign: { metrics: { decisions: { min: 2, max: 6 } }, did: 'designed' },
  CodeGeneration: { metrics: { files_changed: { min: 2, max: 20 }, lines_added: { min: 60, max: 900 } }, did: 'implemented' },
  CodeReview: reviewed,
  SecurityAudit: { ...reviewed, did: 'audited' },
  Testing: {
    metrics: {
      tests_passing: true,
      tests_total: { min: 40, max: 240 },
      tests_failed: 0,
      coverage: { min: 88, max: 97, unit: '%' },
    },
    did: 'tested',
  },
  Deployment: { metrics: { healthy: true, replicas_ready: { min: 2, max: 6 } }, did: 'deployed' },
  Monitoring: {
    metrics: {
      error_rate: { min: 0.05, max: 0.4, unit: '%' },
      latency: { min: 120, max: 240, unit: 'ms' },
      p99_latency: { min: 120, max: 240, unit: 'ms' },
      cpu: { min: 20, max: 60, unit: '%' },
      memory: { min: 35, max: 65, unit: '%' },
      critical_error: false,
    },
    did: 'watched',
  },
  Documentation: { metrics: { pages: { min: 1, max: 12 } }, did: 'documented' },
  Marketing: { metrics: { pieces: { min: 1, max: 4 } }, did: 'announced' },
  Planning: { metrics: { risks_found: { min: 0, max: 4 } }, did: 'planned' },
};
const otherwise: SimulatedDefaults = { metrics: {}, did: 'finished' };

export function simulatedDefaultsOf(taskType: string): SimulatedDefaults {
  return (Object.hasOwn(byTaskType, taskType) ? byTaskType[taskType] : undefined) ?? otherwise;
}

/** A short text of the kind that an artifact's name promises. */
export function simulatedArtifact(name: string, facts: { title: string; agent: string; role: string; lines: string[] }): string {
  const { title, agent, role, lines } = facts;
  const extension = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase();
  if (extension === 'json') return JSON.stringify({ name, title, by: agent, role, lines }, null, 2);
  if (extension === 'svg') {
    const label = title.replace(/[<&>]/g, ' ');
    return `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="80"><rect width="320" height="80" fill="none" stroke="currentColor"/><text x="16" y="44">${label}</text></svg>`;
  }
  return [`# ${name}`, '', `${title}, by ${agent} (${role}, simulated).`, '', ...lines.map((line) => `- ${line}`), ''].join('\n');
}
