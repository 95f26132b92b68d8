import { dayMs } from '../../../core/learning/expertise';
import { drawNormal } from '../baseline/bandits';
import type { OutcomeTable } from './outcomes';
import type { Prospect, World } from './replay';
import { createSeeded, shuffled } from './seeded';

/** A set-up to replay; the same seed gives the same world. */
export interface Variant {
  name: string;
  /** For the table. */
  title: string;
  /** Replayed outcomes, or drawn from a model. */
  source: 'outcomes' | 'synthetic';
  create(table: OutcomeTable, seed: number): World;
}

const teamSize = 8;
const days = 60;
/** Of a task where nothing is said: it has ended when the next one comes. */
const shortMs = 60_000;

export const variants: readonly Variant[] = [
  { name: 'reference', title: '8 agents, 500 tasks over 60 days', source: 'outcomes', create: (table, seed) => drawWorld(table, seed, {}) },
  {
    name: 'change',
    title: 'on day 30 the best and the worst agent change places',
    source: 'outcomes',
    create: (table, seed) => drawWorld(table, seed, { swapOnDay: 30 }),
  },
  {
    name: 'newcomers',
    title: 'two of the eight come on day 20',
    source: 'outcomes',
    create: (table, seed) => drawWorld(table, seed, { newcomers: 2, newcomersOnDay: 20 }),
  },
  { name: 'few', title: '60 tasks', source: 'outcomes', create: (table, seed) => drawWorld(table, seed, { tasks: 60 }) },
  {
    name: 'slow',
    title: '500 tasks over 360 days',
    source: 'outcomes',
    create: (table, seed) => drawWorld(table, seed, { days: 360 }),
  },
  {
    name: 'fast',
    title: '500 tasks in one day',
    source: 'outcomes',
    create: (table, seed) => drawWorld(table, seed, { days: 1 }),
  },
  {
    name: 'waves',
    title: '10 tasks at a time, for 6 hours, 2 at once for each agent',
    source: 'outcomes',
    create: (table, seed) => drawWorld(table, seed, { wave: 10, capacity: 2, durationMs: dayMs / 4 }),
  },
  {
    name: 'similar',
    title: '8 neighbours in the order of success',
    source: 'outcomes',
    create: (table, seed) => drawWorld(table, seed, { neighbours: true }),
  },
  { name: 'equal', title: 'all agents equal', source: 'outcomes', create: (table, seed) => drawWorld(table, seed, { equal: true }) },
  {
    name: 'generalists',
    title: 'synthetic: who is good is good at everything',
    source: 'synthetic',
    create: (_, seed) => drawSynthetic(seed, { agentSpread: 1, taskTypeSpread: 0.3 }),
  },
  {
    name: 'specialists',
    title: 'synthetic: everybody is good at something else',
    source: 'synthetic',
    create: (_, seed) => drawSynthetic(seed, { agentSpread: 0.3, taskTypeSpread: 1.5 }),
  },
];

interface Setup {
  tasks?: number;
  days?: number;
  /** The best agent's outcomes come under the worst one's name from this day on, and the other way round. */
  swapOnDay?: number;
  newcomers?: number;
  newcomersOnDay?: number;
  /** Tasks that come at the same time. */
  wave?: number;
  durationMs?: number;
  capacity?: number;
  /** Agents next to each other in the order of their success instead of any. */
  neighbours?: boolean;
  /** The outcomes of a task are dealt out anew among the agents. */
  equal?: boolean;
}

function drawWorld(table: OutcomeTable, seed: number, setup: Setup): World {
  const draw = createSeeded(seed);
  const team = drawTeam(table, setup, draw);
  const rates = ratesOf(table);
  const order = shuffled([...table.tasks.keys()], draw).slice(0, setup.tasks);
  const stepMs = ((setup.days ?? days) * dayMs) / order.length;
  const wave = setup.wave ?? 1;
  const overall = (agent: number): number => share(table.solved[agent] ?? []);
  const byRate = team.toSorted((a, b) => overall(a) - overall(b));
  const [worst = 0, best = 0] = [byRate[0], byRate.at(-1)];
  const swapped = new Map([
    [worst, best],
    [best, worst],
  ]);
  const newcomers = team.slice(team.length - (setup.newcomers ?? 0));
  const tasks = order.map((task, place) => {
    const atMs = Math.floor(place / wave) * wave * stepMs;
    const taskType = table.tasks[task]?.taskType ?? '';
    const isThere = (agent: number): boolean => !newcomers.includes(agent) || atMs >= (setup.newcomersOnDay ?? 0) * dayMs;
    const asWhom = (agent: number): number =>
      setup.swapOnDay !== undefined && atMs >= setup.swapOnDay * dayMs ? (swapped.get(agent) ?? agent) : agent;
    let prospects = team.filter(isThere).map((agent): Prospect => ({
      agentId: table.agents[agent] ?? '',
      succeeds: table.solved[asWhom(agent)]?.[task] ?? false,
      rate: rates[asWhom(agent)]?.get(taskType) ?? 0,
    }));
    if (setup.equal === true) {
      const dealt = shuffled(prospects, draw);
      const rate = prospects.reduce((sum, each) => sum + each.rate, 0) / prospects.length;
      prospects = prospects.map(({ agentId }, index) => ({ agentId, succeeds: dealt[index]?.succeeds ?? false, rate }));
    }
    return { taskType, atMs, durationMs: setup.durationMs ?? shortMs, prospects };
  });
  return { tasks, capacity: setup.capacity ?? 1 };
}

function drawTeam(table: OutcomeTable, { neighbours }: Setup, draw: () => number): number[] {
  const all = [...table.agents.keys()];
  const size = Math.min(teamSize, all.length);
  if (neighbours !== true) return shuffled(all, draw).slice(0, size);
  const byRate = all.toSorted((a, b) => share(table.solved[a] ?? []) - share(table.solved[b] ?? []));
  const from = Math.floor(draw() * (all.length - size + 1));
  return shuffled(byRate.slice(from, from + size), draw);
}

/** By agent: success rate by task type, over all tasks of the table. */
function ratesOf(table: OutcomeTable): ReadonlyMap<string, number>[] {
  const known = ratesByTable.get(table);
  if (known !== undefined) return known;
  const types = new Set(table.tasks.map(({ taskType }) => taskType));
  const rates = table.solved.map(
    (solved) =>
      new Map([...types].map((taskType) => [taskType, share(solved.filter((_, task) => table.tasks[task]?.taskType === taskType))])),
  );
  ratesByTable.set(table, rates);
  return rates;
}
const ratesByTable = new WeakMap<OutcomeTable, ReadonlyMap<string, number>[]>();

function share(outcomes: readonly boolean[]): number {
  return outcomes.filter(Boolean).length / Math.max(1, outcomes.length);
}

const syntheticTypes = 6;
const syntheticTasks = 500;

/** Success has the log-odds (agent) + (agent and task type) + (task type), each normal: no parameter comes from the outcomes. */
function drawSynthetic(seed: number, { agentSpread, taskTypeSpread }: { agentSpread: number; taskTypeSpread: number }): World {
  const draw = createSeeded(seed);
  const types = Array.from({ length: syntheticTypes }, (_, type) => ({ name: `type-${type}`, ease: drawNormal(draw) * 0.7 }));
  const agents = Array.from({ length: teamSize }, (_, agent) => {
    const skill = drawNormal(draw) * agentSpread;
    const rates = types.map(({ ease }) => 1 / (1 + Math.exp(-(skill + ease + drawNormal(draw) * taskTypeSpread))));
    return { agentId: `agent-${agent}`, rates };
  });
  const tasks = Array.from({ length: syntheticTasks }, (_, place) => {
    const type = Math.floor(draw() * types.length);
    const prospects = agents.map(({ agentId, rates }): Prospect => {
      const rate = rates[type] ?? 0;
      return { agentId, rate, succeeds: draw() < rate };
    });
    return { taskType: types[type]?.name ?? '', atMs: (place * days * dayMs) / syntheticTasks, durationMs: shortMs, prospects };
  });
  return { tasks, capacity: 1 };
}
