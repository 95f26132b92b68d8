import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { compileAgents } from '../core/dsl/agents';
import { compileWorkflow } from '../core/dsl/compile';
import { wholeTable } from './support/cli-in-process';

const root = join(__dirname, '..');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => join('docs', name))].filter((name) => name.endsWith('.md'));

interface Block {
  at: string;
  format: 'yaml' | 'toml' | 'json';
  text: string;
}

const blocks = pages.flatMap((page): Block[] => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(yaml|yml|toml|json)\n([\s\S]*?)^```$/gm)].map(({ 1: language, 2: block = '', index }) => ({
    at: `${page}:${text.slice(0, index).split('\n').length}`,
    format: language === 'yml' ? 'yaml' : (language as Block['format']),
    text: block,
  }));
});

const isAgentsFile = ({ text }: Block): boolean => /^(agents:|\[\[?agents\b)/m.test(text) && !isWorkflow(text);
const isWorkflow = (text: string): boolean =>
  /^(\[?workflow\b|steps:|\[\[?(workflow\.)?steps\b|phases:|\[\[?(workflow\.)?phases\b)/im.test(text);

const sources = blocks.filter(({ format }) => format !== 'json');
const workflows = sources.filter(({ text }) => isWorkflow(text));
const registries = sources.filter(isAgentsFile);

test('there are examples to check', () => {
  expect(workflows.length).toBeGreaterThan(0);
  expect(registries.length).toBeGreaterThan(1);
});

test.each(workflows.map((block) => [block.at, block] as const))('the workflow at %s compiles', (_, { text, format }) => {
  const { plan, diagnostics } = compileWorkflow(text, { format: format as 'yaml' | 'toml' });
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(plan).not.toBeNull();
});

test.each(registries.map((block) => [block.at, block] as const))('the agents at %s compile', (_, { text, format }) => {
  const { agents, diagnostics } = compileAgents(text, { format: format as 'yaml' | 'toml' });
  expect(diagnostics).toEqual([]);
  expect(agents).not.toBeNull();
});

test.each(blocks.filter(({ format }) => format === 'json').map((block) => [block.at, block] as const))(
  'the JSON at %s is JSON',
  (_, { text }) => {
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  },
);

interface WrittenCommand {
  at: string;
  words: string[];
}

/** `vapora …` in shell blocks, continued lines joined; what follows `temporal` belongs to another program. */
const commands = pages.flatMap((page): WrittenCommand[] => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```(?:sh|bash|shell)\n([\s\S]*?)^```$/gm)].flatMap(({ 1: block = '', index }) =>
    block
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => /^(npx )?vapora /.test(line))
      .map((line) => ({
        at: `${page}:${text.slice(0, index).split('\n').length}`,
        words: line
          .replace(/^npx /, '')
          .replace(/\s#.*$/, '')
          .replaceAll(/"[^"]*"|'[^']*'/g, 'TEXT')
          .trim()
          .split(/\s+/)
          .slice(1),
      })),
  );
});

test('there are commands to check', () => {
  expect(commands.length).toBeGreaterThan(20);
});

test.each(commands.map(({ at, words }) => [`${at}: ${words.join(' ')}`, words] as const))(
  '%s is a command with these options',
  async (_, words) => {
    const entry = wholeTable.find(({ path }) => path.every((word, n) => words[n] === word));
    expect(entry?.path).toBeDefined();
    if (entry === undefined || entry.passThrough === true) return;
    const known = new Command();
    (await entry.load()).configure(known);
    const flags = new Set([...known.options.flatMap(({ long, short }) => [long, short]), '--json', '--debug', '--help']);
    const unknown = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.split('=')[0]);
    expect(unknown.filter((word) => !flags.has(word))).toEqual([]);
  },
);

test('links to other pages lead somewhere', () => {
  const broken = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
    return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)\s]+)\)/g)]
      .map(({ 1: link = '' }) => link.split('#')[0] ?? '')
      .filter((link) => !existsSync(join(root, page, '..', link)))
      .map((link) => `${page}: ${link}`);
  });
  expect(broken).toEqual([]);
});
