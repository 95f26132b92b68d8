import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileWorkflow } from '../core/dsl/compile';
import { noticeChannels, noticeEvents } from '../core/contract/notice';
import { EngineDriver } from './support/engine-driver';

const page = readFileSync(join(__dirname, '..', 'docs/notifications.md'), 'utf8');
const block = (language: string): string => new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? '';

/** The names in a document, with those inside of them. */
function keysOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, `${path}.${key}`));
}

test('the document of docs/notifications.md is what the workflow there makes, and so is the text', () => {
  const { plan } = compileWorkflow(block('yaml'));
  const run = { id: 'release-7', runId: '019d2c8e', rootRunId: '019d2c8e', definition: 'release' };
  const { notices } = new EngineDriver(plan!, { behave: () => ({ result: { summary: '1.4.0 is ready' } }), engine: { run } }).run();
  const found = notices.find(({ channel }) => channel.channel === 'webhook')!.notice;
  expect(keysOf(JSON.parse(block('json'))).sort()).toEqual(keysOf(found).sort());
  expect(JSON.parse(block('json'))).toMatchObject({ title: found.title, gate: { commands: found.gate?.commands } });
  const shown = `${found.title}\n${found.text}\n`.replace(/Until: .*/, '').split('\n');
  expect(
    block('text')
      .replace(/Until: .*/, '')
      .split('\n'),
  ).toEqual(shown);
});

test('every event and every channel is described', () => {
  expect([...noticeEvents, ...noticeChannels].filter((name) => !page.includes(`\n| \`${name}\` |`))).toEqual([]);
});
