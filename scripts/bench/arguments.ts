import { parseArgs } from 'node:util';
import type { WorkerOptions } from '@temporalio/worker';
import { AppError } from '../../core/contract/errors';
import { sides } from './sides';
import type { Side } from './sides';

export interface BenchArguments {
  /** Names of scenarios; empty = all. */
  scenarios: string[];
  repetitions?: number;
  sides: Side[];
  /** Another server than the bench's own, e.g. one started with other settings. */
  temporalAddress?: string;
  /** Servers that write to disk. In memory the disk hides nothing: the harder comparison, and the steadier. */
  durable: boolean;
  /** False: the hand-written activities have no heartbeat timeouts. */
  baselineHeartbeats: boolean;
  /** Worker settings to try, for both sides. */
  overrides: Partial<WorkerOptions>;
  /** Where to leave CPU profiles of both workers. */
  profileDir?: string;
  jsonFile?: string;
  /** Outcomes for `selection`, where they are not at the usual place. */
  dataFile?: string;
  help: boolean;
}

export const helpText = `npm run bench [-- SCENARIO… OPTIONS]

Runs the same steps as vapora workflows and as hand-written Temporal workflows, in turns, and prints the ratios. Two scenarios need
no servers: compile (a file against the YAML library's own reading of it) and startup (vapora validate against Node itself). Three more
start servers of their own: makespan (random steps of known durations in 4 and in 10 slots, against exact list scheduling too), runs
(1,000 small runs at once, and whether Postgres holds exactly what they should leave) and scale (one run of 10,000 steps). selection replays
the outcomes of real coding agents for the selection policies and for textbook bandits, and prints their regret; one or two minutes.

  --repetitions N     rounds per scenario (every round runs every side once); of makespan, the number of random DAGs;
                      of selection, the number of seeds
  --sides A,B         of ${sides.join(', ')}
  --durable           servers that write to disk, as 'vapora dev' runs them (default: Temporal in memory, Postgres without fsync)
  --no-baseline-heartbeats
                      the hand-written activities go without heartbeat timeouts: ours then gives a guarantee that they do not
  --temporal ADDRESS  use this Temporal server instead of an own one (to compare server settings)
  --worker KEY=JSON   a worker option for both sides, e.g. --worker maxEagerActivityReservationsPerWorkflowTask=3
  --profile DIR       leave CPU profiles of the workers there, workflow code included, and print what takes the time
  --data FILE         of selection: a CSV file (or its .gz) with the columns agent,task_type,instance,resolved
  --json FILE         write every single measurement
`;

/** Throws AppError `bad_usage`. */
export function parseBenchArguments(args: string[]): BenchArguments {
  const { values, positionals } = parse(args);
  const repetitions = values.repetitions === undefined ? undefined : Number(values.repetitions);
  if (repetitions !== undefined && !(Number.isInteger(repetitions) && repetitions >= 1))
    throw badUsage('--repetitions needs a number from 1');
  const wanted = values.sides?.split(',') ?? [...sides];
  const unknown = wanted.find((name) => !sides.some((side) => side === name));
  if (unknown !== undefined) throw badUsage(`there is no side "${unknown}"; there are ${sides.join(', ')}`);
  return {
    scenarios: positionals,
    sides: wanted as Side[],
    durable: values.durable === true,
    baselineHeartbeats: values['no-baseline-heartbeats'] !== true,
    overrides: Object.fromEntries((values.worker ?? []).map(parseOverride)),
    help: values.help === true,
    ...(repetitions !== undefined && { repetitions }),
    ...(values.temporal !== undefined && { temporalAddress: values.temporal }),
    ...(values.profile !== undefined && { profileDir: values.profile }),
    ...(values.json !== undefined && { jsonFile: values.json }),
    ...(values.data !== undefined && { dataFile: values.data }),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        repetitions: { type: 'string' },
        sides: { type: 'string' },
        temporal: { type: 'string' },
        durable: { type: 'boolean' },
        'no-baseline-heartbeats': { type: 'boolean' },
        worker: { type: 'string', multiple: true },
        profile: { type: 'string' },
        json: { type: 'string' },
        data: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw badUsage((error as Error).message);
  }
}

function parseOverride(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw badUsage(`--worker needs KEY=JSON, not "${text}"`);
  try {
    return [text.slice(0, at), JSON.parse(text.slice(at + 1))];
  } catch {
    throw badUsage(`--worker ${text}: what follows "=" must be JSON`);
  }
}

function badUsage(message: string): AppError {
  return new AppError('bad_usage', message, { hint: 'npm run bench -- --help' });
}
