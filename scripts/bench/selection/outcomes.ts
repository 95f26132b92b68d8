import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { AppError } from '../../../core/contract/errors';

/** Which agent solved which task. */
export interface OutcomeTable {
  agents: string[];
  tasks: { instance: string; taskType: string }[];
  /** By agent and task, in the orders above. */
  solved: boolean[][];
}

const header = 'agent,task_type,instance,resolved';

/** Where the outcomes lie unless told: they are data of somebody else's, and so beside the repository and not in it. */
const defaultOutcomesFile = resolve(__dirname, '../../../../shared/data/swebench-verified-outcomes.csv.gz');

export function hasOutcomes(file = defaultOutcomesFile): boolean {
  return existsSync(file);
}

/** Throws AppError `bad_usage` where there is no such file, and as parseOutcomes does. */
export function readOutcomes(file = defaultOutcomesFile): OutcomeTable {
  if (!hasOutcomes(file)) {
    throw new AppError('bad_usage', `there are no outcomes to replay at ${file}`, {
      hint: `--data FILE names a CSV file (or its .gz) with the columns ${header}, one row for each agent and task`,
    });
  }
  const bytes = readFileSync(file);
  return parseOutcomes((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
}

/** From CSV without quotes. Throws AppError `bad_usage` on other columns, and where an agent lacks a task's outcome. */
export function parseOutcomes(csv: string): OutcomeTable {
  const [first, ...lines] = csv.trimEnd().split(/\r?\n/);
  if (first !== header) throw new AppError('bad_usage', `the outcomes need the columns ${header}, not ${first}`);
  const taskTypes = new Map<string, string>();
  const byAgent = new Map<string, Map<string, boolean>>();
  for (const [index, line] of lines.entries()) {
    const [agent = '', taskType = '', instance = '', resolved = '', ...more] = line.split(',');
    if ((resolved !== '0' && resolved !== '1') || more.length > 0) {
      throw new AppError('bad_usage', `line ${index + 2} of the outcomes is not ${header}: ${line}`);
    }
    taskTypes.set(instance, taskType);
    const own = byAgent.get(agent) ?? new Map<string, boolean>();
    byAgent.set(agent, own.set(instance, resolved === '1'));
  }
  const tasks = [...taskTypes].map(([instance, taskType]) => ({ instance, taskType }));
  const solved = [...byAgent].map(([agent, own]) =>
    tasks.map(({ instance }) => {
      const outcome = own.get(instance);
      if (outcome === undefined) throw new AppError('bad_usage', `the outcomes lack ${agent} on ${instance}`);
      return outcome;
    }),
  );
  return { agents: [...byAgent.keys()], tasks, solved };
}
