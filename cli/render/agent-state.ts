import type { AgentState } from '../../client/agents';
import { formatTime } from './duration';
import { fitLines, plainText, tableLines, type RenderOptions } from './style';

/** One agent of the registry, a line for each thing that is said of it. */
export function renderAgentState({ agent, running, overall }: AgentState, options: RenderOptions): string {
  const { kind, ...executor } = agent.executor;
  const { usdPerHour, usdPerMtokIn, usdPerMtokOut } = agent.cost;
  const prices = [
    [usdPerHour, 'an hour'],
    [usdPerMtokIn, 'a million tokens in'],
    [usdPerMtokOut, 'a million tokens out'],
  ] as const;
  const cost = prices.flatMap(([usd, unit]) => (usd === undefined ? [] : [`$${usd} ${unit}`]));
  const rows: [string, string][] = [
    ['agent', agent.id],
    ['role', agent.role === '*' ? '* (any)' : agent.role],
    ['skills', agent.skills.join(', ') || '-'],
    ['load', `${running} of ${agent.capacity} ${agent.capacity === 1 ? 'step' : 'steps'} at once`],
    ['history', overall.n === 0 ? 'none' : `${overall.successes} of the newest ${overall.n} succeeded`],
    ...(cost.length > 0 ? [['cost', cost.join(', ')] as [string, string]] : []),
    ...(agent.compensate !== undefined ? [['compensate', agent.compensate] as [string, string]] : []),
    ['executor', kind],
    ...Object.entries(executor).map(([name, value]): [string, string] => [
      `  ${name}`,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
    ['registered', formatTime(agent.registeredAt.toISOString())],
    ...(agent.retiredAt !== null ? [['retired', formatTime(agent.retiredAt.toISOString())] as [string, string]] : []),
  ];
  return fitLines(
    tableLines(rows.map((row) => row.map((cell) => (cell.startsWith('  ') ? `  ${plainText(cell.slice(2))}` : plainText(cell))))),
    options,
  );
}
