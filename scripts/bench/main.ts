import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { AppError, isAppError } from '../../core/contract/errors';
import { helpText, parseBenchArguments } from './arguments';
import type { BenchArguments } from './arguments';
import { measureCompile } from './compile';
import { publishScenarios } from './definitions';
import { registerSearchAttributes, startBenchEnvironment } from './environment';
import type { BenchEnvironment } from './environment';
import { describeMachine } from './machine';
import { countEventTypes, measureScenario } from './measure';
import { measureMakespan } from './makespan';
import type { CpuTimes, Meter } from './measure';
import { summariseProfiles } from './profile-summary';
import { judge, renderEventTypes, renderMeasurements, renderVerdicts } from './report';
import type { ScenarioReport, Verdict } from './report';
import { measureRuns } from './runs';
import { measureScale } from './scale';
import { agentsFile, createScenarios } from './scenarios';
import type { Scenario } from './scenarios';
import { measureSelection } from './selection/bench';
import { hasOutcomes } from './selection/outcomes';
import { readCpuMsOfTrees } from './server-cpu';
import { rejectedOn } from './servers';
import type { Side } from './sides';
import { spawnWorker } from './spawned-worker';
import type { SpawnedWorker } from './spawned-worker';
import { measureStartup } from './startup';

/** Exit codes: 0 measured (whether goals were met is printed, not judged), 1 failed, 2 wrong usage, 130 interrupted. */
export async function main(args: string[]): Promise<void> {
  const interrupt = new AbortController();
  const abort = (): void => interrupt.abort();
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    const options = parseBenchArguments(args);
    if (options.help) console.log(helpText);
    else await run(options, interrupt.signal);
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? 130 : isAppError(error) && error.code === 'bad_usage' ? 2 : 1;
    if (interrupt.signal.aborted) console.error('bench: interrupted');
    else console.error(isAppError(error) ? `bench: ${error.message}${error.hint ? `\n${error.hint}` : ''}` : error);
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}

/** What needs no servers, by name. */
const localBenches: ReadonlyMap<string, (options: { repetitions: number }) => Verdict[]> = new Map([
  ['compile', measureCompile],
  ['startup', measureStartup],
]);
const localRepetitions = 15;

/** What starts servers of its own, by name. */
const serverBenches: ReadonlyMap<string, (options: BenchArguments, context: BenchContext) => Promise<string>> = new Map([
  ['makespan', measureMakespan],
  ['runs', measureRuns],
  ['scale', (_, context) => measureScale(context)],
]);
/** What replays recorded outcomes, by name. */
const replays: ReadonlyMap<string, (options: BenchArguments, context: BenchContext) => Promise<string>> = new Map([
  ['selection', measureSelection],
]);
interface BenchContext {
  signal: AbortSignal;
  say: (line: string) => void;
}

async function run(options: BenchArguments, signal: AbortSignal): Promise<void> {
  const { local, scenarios, withOwnServers, replayed } = choose(options);
  const verdicts = local.flatMap(([name, measure]) => {
    say(name);
    return measure({ repetitions: options.repetitions ?? localRepetitions });
  });
  if (verdicts.length > 0) console.log(renderVerdicts(verdicts));
  for (const measure of replayed) console.log(await measure(options, { signal, say }));
  if (scenarios.length > 0) await bench(options, scenarios, signal);
  for (const measure of withOwnServers) console.log(`\n${await measure(options, { signal, say })}`);
}

function choose({ scenarios: names, dataFile }: BenchArguments): {
  local: [string, (options: { repetitions: number }) => Verdict[]][];
  scenarios: Scenario[];
  withOwnServers: ((options: BenchArguments, context: BenchContext) => Promise<string>)[];
  replayed: ((options: BenchArguments, context: BenchContext) => Promise<string>)[];
} {
  const scenarios = createScenarios();
  const known = [...localBenches.keys(), ...scenarios.map((each) => each.name), ...serverBenches.keys(), ...replays.keys()];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new AppError('bad_usage', `there is no scenario "${unknown}"; there are ${known.join(', ')}`);
  const isChosen = (name: string): boolean => names.length === 0 || names.includes(name);
  // Not everybody has the outcomes: who asks for everything gets what there is, who asks for this is told what is missing.
  const canReplay = names.length > 0 || hasOutcomes(dataFile);
  if (!canReplay) say('selection is left out: there are no outcomes to replay');
  return {
    local: [...localBenches].filter(([name]) => isChosen(name)),
    scenarios: scenarios.filter(({ name }) => isChosen(name)),
    withOwnServers: [...serverBenches].filter(([name]) => isChosen(name)).map(([, measure]) => measure),
    replayed: canReplay ? [...replays].filter(([name]) => isChosen(name)).map(([, measure]) => measure) : [],
  };
}

async function bench(options: BenchArguments, scenarios: Scenario[], signal: AbortSignal): Promise<void> {
  const cleanups: (() => Promise<unknown>)[] = [];
  try {
    say('starting PostgreSQL and Temporal');
    const environment = await startBenchEnvironment({ durable: options.durable, signal });
    cleanups.push(environment.stop);
    const temporalAddress = options.temporalAddress ?? environment.temporalAddress;
    if (options.temporalAddress !== undefined) await registerSearchAttributes(temporalAddress, environment.temporalNamespace);
    const agentsSource = readFileSync(agentsFile, 'utf8');
    await publishScenarios(environment.databaseUrl, scenarios, agentsSource);

    say('starting one worker of each kind');
    const workers = await startWorkers(options, environment, temporalAddress);
    cleanups.push(() => Promise.all(workers.map((worker) => worker.stop())));
    const connection = await Connection.connect({ address: temporalAddress });
    cleanups.push(() => connection.close());

    const meter: Meter = {
      client: new Client({ connection }),
      settings: { agentsSource, baselineHeartbeats: options.baselineHeartbeats },
      // Of a server that somebody else started, the process is not known.
      readCpu: (side) =>
        readCpu(side, workers, options.temporalAddress === undefined ? environment : { ...environment, temporalPid: undefined }),
    };
    const reports: ScenarioReport[] = [];
    for (const scenario of scenarios) reports.push(await Promise.race([report(meter, scenario, options), rejectedOn(signal)]));
    print(reports, environment, options);
    if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(reports.map(toJson), null, 2)}\n`);
  } finally {
    for (const cleanUp of cleanups.reverse()) await cleanUp();
  }
  if (options.profileDir !== undefined) console.log(summariseProfiles(options.profileDir));
}

async function startWorkers(options: BenchArguments, environment: BenchEnvironment, temporalAddress: string): Promise<SpawnedWorker[]> {
  const { databaseUrl, dataDir } = environment;
  const { profileDir } = options;
  // In debug mode workflow code runs in the main thread, where the profiler sees it.
  const overrides = { ...options.overrides, ...(profileDir !== undefined && { debugMode: true }) };
  if (profileDir !== undefined) mkdirSync(profileDir, { recursive: true });
  const started = (['ours', 'baseline'] as const).map((kind) =>
    spawnWorker({
      kind,
      temporalAddress,
      databaseUrl,
      dataDir,
      overrides,
      ...(profileDir !== undefined && { profileFile: resolve(profileDir, `${kind}.cpuprofile`) }),
    }),
  );
  const results = await Promise.allSettled(started);
  const workers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (!failed) return workers;
  await Promise.all(workers.map((worker) => worker.stop()));
  throw failed.reason;
}

async function readCpu(side: Side, workers: SpawnedWorker[], { temporalPid, postgresPid }: BenchEnvironment): Promise<CpuTimes> {
  const kind = side === 'bare' || side === 'handRecorded' ? 'baseline' : 'ours';
  const worker = (await workers.find((each) => each.kind === kind)?.readUsage())?.cpuMs ?? 0;
  const temporal = temporalPid === undefined ? undefined : readCpuMsOfTrees([temporalPid]);
  const postgres = postgresPid === undefined ? undefined : readCpuMsOfTrees([postgresPid]);
  return { worker, ...(temporal !== undefined && { temporal }), ...(postgres !== undefined && { postgres }) };
}

async function report(meter: Meter, scenario: Scenario, options: BenchArguments): Promise<ScenarioReport> {
  const repetitions = options.repetitions ?? scenario.repetitions;
  say(`${scenario.title}: ${repetitions} rounds`);
  const measurements = await measureScenario(meter, scenario, { repetitions, wanted: options.sides });
  const eventTypes: ScenarioReport['eventTypes'] = {};
  for (const side of options.sides) eventTypes[side] = await countEventTypes(meter, { ...scenario, runs: 1 }, side);
  const found = { scenario, measurements, eventTypes };
  for (const { comparison, ratio } of judge(found)) say(`  ${comparison}: ${ratio.median.toFixed(2)}`);
  return found;
}

function print(reports: ScenarioReport[], environment: BenchEnvironment, options: BenchArguments): void {
  const settings = [
    options.durable ? "durable, as 'vapora dev' runs them" : 'Temporal in memory, Postgres without fsync',
    options.baselineHeartbeats ? 'every activity has a heartbeat timeout of 10 s, on both sides' : 'only ours has heartbeat timeouts',
    `one worker process per kind, same settings${Object.keys(options.overrides).length > 0 ? `, with ${JSON.stringify(options.overrides)}` : ''}`,
  ];
  console.log(['', ...describeMachine(environment.versions, settings).map((line) => `- ${line}`)].join('\n'));
  console.log(`\n${renderVerdicts(reports.flatMap(judge))}`);
  console.log(`\n${renderMeasurements(reports)}`);
  for (const each of reports) console.log(`\n${renderEventTypes(each)}`);
}

function toJson({ scenario, measurements, eventTypes }: ScenarioReport): unknown {
  const counts = Object.fromEntries(Object.entries(eventTypes).map(([side, types]) => [side, Object.fromEntries(types)]));
  return { scenario: scenario.name, measurements, eventTypes: counts };
}

function say(line: string): void {
  console.error(`bench: ${line}`);
}
