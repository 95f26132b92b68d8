import type { AgentResult } from '../../core/contract/agent-document';
import type { AgentSpec } from '../../core/contract/agents';

const hourMs = 3_600_000;
const mega = 1_000_000;

/** Adds what the agent would cost by its registry entry, for the time it simulates: hours plus tokens. */
export function withCost(result: AgentResult, cost: AgentSpec['cost'], workedMs: number): AgentResult {
  const { usdPerHour, usdPerMtokIn, usdPerMtokOut } = cost;
  if (result.cost?.usd !== undefined || (usdPerHour ?? usdPerMtokIn ?? usdPerMtokOut) === undefined) return result;
  const usd =
    ((usdPerHour ?? 0) * workedMs) / hourMs +
    ((usdPerMtokIn ?? 0) * (result.cost?.tokens_in ?? 0)) / mega +
    ((usdPerMtokOut ?? 0) * (result.cost?.tokens_out ?? 0)) / mega;
  return { ...result, cost: { ...result.cost, usd: Math.round(usd * mega) / mega } };
}
