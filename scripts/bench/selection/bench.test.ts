import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { main } from '../main';
import { measureSelection, measureVariant, standingOf } from './bench';
import { parseOutcomes } from './outcomes';
import { createSeeded } from './seeded';
import { variants } from './worlds';

/** 9 agents, 60 tasks of two types: the later an agent stands, the better it is. */
function generateOutcomes(): string {
  const draw = createSeeded(5);
  const rows = Array.from({ length: 9 * 60 }, (_, n) => {
    const [agent, task] = [Math.floor(n / 60), n % 60];
    return `agent-${agent},type-${task % 2},task-${task},${draw() < (agent + 0.5) / 9 ? 1 : 0}`;
  });
  return ['agent,task_type,instance,resolved', ...rows].join('\n');
}

const folder = mkdtempSync(join(tmpdir(), 'selection-'));
const file = join(folder, 'outcomes.csv.gz');
beforeAll(() => writeFileSync(file, gzipSync(generateOutcomes())));
afterAll(() => rmSync(folder, { recursive: true }));

test('the command prints every policy and every variant', async () => {
  const jsonFile = join(folder, 'out.json');
  const text = await measureSelection({ repetitions: 1, dataFile: file, jsonFile }, { say: () => undefined });
  for (const { name } of variants) expect(text).toMatch(new RegExp(`^\\| ${name} `, 'm'));
  for (const name of ['explore', 'exploit', 'load-only', 'random', 'UCB1', 'discounted UCB', 'Thompson', 'Thompson, pooled'])
    expect(text).toMatch(new RegExp(`^\\| ${name} `, 'm'));
  expect(JSON.parse(readFileSync(jsonFile, 'utf8'))).toHaveLength(variants.length);
});

test('an interrupt is heard of while it computes', async () => {
  const interrupt = new AbortController();
  const say = (line: string): void => (line.includes('change') ? interrupt.abort() : undefined);
  await expect(measureSelection({ repetitions: 1, dataFile: file }, { signal: interrupt.signal, say })).rejects.toMatchObject({
    name: 'AbortError',
  });
});

test('the same seeds give the same numbers', async () => {
  const few = variants.filter(({ name }) => name === 'few' || name === 'waves');
  const measure = () => Promise.all(few.map((variant) => measureVariant(variant, parseOutcomes(generateOutcomes()), { seeds: 2 })));
  expect(await measure()).toEqual(await measure());
});

test('where all agents are equal there is nothing to lose', async () => {
  const equal = variants.find(({ name }) => name === 'equal');
  if (equal === undefined) throw new Error('the variant is gone');
  expect(standingOf(await measureVariant(equal, parseOutcomes(generateOutcomes()), { seeds: 2 })).standing).toBe('nothing to lose');
});

test.each(variants.map((variant) => [variant.name, variant] as const))('the world %s comes of its seed', (_, variant) => {
  const table = parseOutcomes(generateOutcomes());
  const world = variant.create(table, 7);
  expect(variant.create(table, 7)).toEqual(world);
  expect(variant.create(table, 8)).not.toEqual(world);
  const times = world.tasks.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const sizes = new Set(world.tasks.map(({ prospects }) => prospects.length));
  expect(sizes).toEqual(new Set(variant.name === 'newcomers' ? [6, 8] : [8]));
});

test.each<[string, string, RegExp]>([
  ['other columns', 'agent,score\na,1', /need the columns agent,task_type,instance,resolved, not agent,score/],
  ['no outcome', 'agent,task_type,instance,resolved\na,t,i,maybe', /line 2 of the outcomes is not/],
  ['a hole', 'agent,task_type,instance,resolved\na,t,i,1\na,t,j,1\nb,t,i,0', /lack b on j/],
])('%s: refused', (_, csv, message) => {
  expect(() => parseOutcomes(csv)).toThrow(message);
});

test('without outcomes the command says where they are looked for and how to name others', async () => {
  const said = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const codeBefore = process.exitCode;
  try {
    await main(['selection', '--data', join(folder, 'absent.csv')]);
    expect(process.exitCode).toBe(2);
    expect(said.mock.calls.join('\n')).toMatch(/there are no outcomes to replay at .*absent\.csv\n--data FILE names/);
  } finally {
    process.exitCode = codeBefore;
    said.mockRestore();
  }
});
