import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(__dirname, '..');

jest.setTimeout(120_000);

/** A project with our configuration and only the given files. */
function createProject(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'vapora-rules-'));
  for (const config of ['.dependency-cruiser.cjs', 'eslint.config.mjs', 'tsconfig.json', 'package.json']) {
    cpSync(join(root, config), join(folder, config));
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  return folder;
}

function run(folder: string, bin: string, args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', bin), ...args], { cwd: folder, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return stdout;
}

describe('import rules', () => {
  /** What each folder may import and must be able to. */
  const clean: Record<string, string> = {
    'core/contract/names.ts': 'export const name: string = "a";',
    'core/plan/graph.ts': 'import { name } from "../contract/names"; export const graph = name;',
    'core/dsl/read.ts': 'import { parse } from "yaml"; import { graph } from "../plan/graph"; export const read = [parse, graph];',
    'core/dsl/read.test.ts':
      'import { readFileSync } from "node:fs"; import { read } from "./read"; export const used = [readFileSync, read];',
    'core/engine/engine.ts': 'import { graph } from "../plan/graph"; export const engine = graph;',
    'db/connect.ts': 'import pg from "pg"; import { name } from "../core/contract/names"; export const connect = [pg, name];',
    'activities/run.ts':
      'import { connect } from "../db/connect"; import { engine } from "../core/engine/engine"; export const run = [connect, engine];',
    'workflows/index.ts':
      'import { proxyActivities } from "@temporalio/workflow"; import { engine } from "../core/engine/engine"; export default [proxyActivities, engine];',
    'workers/start.ts':
      'import { run } from "../activities/run"; import { Worker } from "@temporalio/worker"; export const start = [run, Worker];',
    'embedded/postgres.ts': 'import { connect } from "../db/connect"; import fs from "node:fs"; export const postgres = [connect, fs];',
    'client/index.ts': 'import { connect } from "../db/connect"; export const client = connect;',
    'cli/status.ts': 'import { client } from "../client/index"; export const status = client;',
    'cli/dev.ts':
      'import type { postgres } from "../embedded/postgres"; export type P = typeof postgres; export const dev = () => import("../embedded/postgres");',
    'scripts/demo.ts': 'import { start } from "../workers/start"; export const demo = start;',
    'test/integration/a.test.ts': 'import { start } from "../../workers/start"; export const used = start;',
  };

  /** Each file breaks the rules named. */
  const broken: Record<string, { text: string; rules: string[] }> = {
    'core/dsl/cycle-a.ts': { text: 'import { b } from "./cycle-b"; export const a: number = b;', rules: ['no-cycles'] },
    // A cycle is told once, at its first file.
    'core/dsl/cycle-b.ts': { text: 'import { a } from "./cycle-a"; export const b: number = a;', rules: [] },
    'core/dsl/sibling.ts': { text: 'import { engine } from "../engine/engine"; export const sibling = engine;', rules: ['core-imports'] },
    'core/plan/upward.ts': { text: 'import { connect } from "../../db/connect"; export const upward = connect;', rules: ['core-imports'] },
    'core/learning/impure.ts': { text: 'import fs from "node:fs"; export const impure = fs;', rules: ['core-is-pure'] },
    'core/learning/database.ts': { text: 'import pg from "pg"; export const database = pg;', rules: ['core-packages'] },
    'core/learning/temporal.ts': {
      text: 'import { workflowInfo } from "@temporalio/workflow"; export const temporal = workflowInfo;',
      rules: ['core-packages'],
    },
    'workflows/direct.ts': {
      text: 'import type { run } from "../activities/run"; export type Run = typeof run;',
      rules: ['workflows-imports', 'workflows-reach-no-side-effects'],
    },
    'workflows/builtin.ts': {
      text: 'import { createHash } from "node:crypto"; export const hash = createHash;',
      rules: ['workflows-reach-no-builtin'],
    },
    'workflows/far.ts': {
      text: 'import { impure } from "../core/learning/impure"; export const far = impure;',
      rules: ['workflows-reach-no-builtin'],
    },
    'workflows/package.ts': { text: 'import { pino } from "pino"; export const log = pino;', rules: ['workflows-packages'] },
    'activities/worker.ts': {
      text: 'import { start } from "../workers/start"; export const again = start;',
      rules: ['activities-imports'],
    },
    'workers/workflow.ts': { text: 'import workflow from "../workflows/index"; export const w = workflow;', rules: ['workers-imports'] },
    'db/client.ts': { text: 'import { client } from "../client/index"; export const again = client;', rules: ['db-imports'] },
    'embedded/plan.ts': { text: 'import { graph } from "../core/plan/graph"; export const g = graph;', rules: ['embedded-imports'] },
    'client/activities.ts': { text: 'import { run } from "../activities/run"; export const r = run;', rules: ['client-imports'] },
    'cli/list.ts': { text: 'import { connect } from "../db/connect"; export const list = connect;', rules: ['cli-imports'] },
    'cli/worker.ts': {
      text: 'import { start } from "../workers/start"; export const worker = start;',
      rules: ['cli-parts-by-dynamic-import'],
    },
    'cli/db.ts': { text: 'export const db = () => import("../activities/run");', rules: ['cli-parts-only-what-they-run'] },
    'cli/script.ts': { text: 'import { demo } from "../scripts/demo"; export const s = demo;', rules: ['cli-imports'] },
    'dashboard/web/app.ts': {
      text: 'import { graph } from "../../core/plan/graph"; export const app = graph;',
      rules: ['dashboard-web-imports'],
    },
    'dashboard/server/app.ts': {
      text: 'import { connect } from "../../db/connect"; export const app = connect;',
      rules: ['dashboard-server-imports'],
    },
    'client/missing.ts': { text: 'import { nothing } from "./not-there"; export const n = nothing;', rules: ['no-unresolvable'] },
    'client/dev-package.ts': { text: 'import fc from "fast-check"; export const f = fc;', rules: ['no-dev-packages-in-product'] },
  };

  function findViolations(files: Record<string, string>): Record<string, string[]> {
    const folder = createProject(files);
    try {
      const folders = [...new Set(Object.keys(files).map((file) => file.split('/')[0]!))];
      const output = run(folder, 'dependency-cruiser/bin/dependency-cruise.mjs', [
        '-c',
        '.dependency-cruiser.cjs',
        '-T',
        'json',
        ...folders,
      ]);
      const { summary } = JSON.parse(output) as { summary: { violations: { from: string; rule: { name: string } }[] } };
      const found: Record<string, string[]> = {};
      for (const { from, rule } of summary.violations) found[from] = [...new Set([...(found[from] ?? []), rule.name])].sort();
      return found;
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('allow what the design allows', () => {
    expect(findViolations(clean)).toEqual({});
  });

  test('find each breach, and nothing else', () => {
    const files = { ...clean, ...Object.fromEntries(Object.entries(broken).map(([file, { text }]) => [file, text])) };
    const expected = Object.entries(broken).filter(([, { rules }]) => rules.length > 0);
    expect(findViolations(files)).toEqual(Object.fromEntries(expected.map(([file, { rules }]) => [file, rules])));
  });
});

describe('lint rules', () => {
  const cases: [rule: string, file: string, text: string][] = [
    ['@typescript-eslint/no-floating-promises', 'client/a.ts', 'export function a(): void { Promise.resolve(1); }'],
    [
      '@typescript-eslint/no-misused-promises',
      'client/b.ts',
      'export const b = (xs: number[]) => { xs.forEach(async (x) => { await Promise.resolve(x); }); };',
    ],
    [
      '@typescript-eslint/switch-exhaustiveness-check',
      'client/c.ts',
      'export function c(x: "p" | "q"): number { let n = 0; switch (x) { case "p": n = 1; break; } return n; }',
    ],
    ['@typescript-eslint/consistent-type-imports', 'client/d.ts', 'import { E } from "./e"; export const d = (e: E) => e;'],
    ['@typescript-eslint/no-explicit-any', 'client/f.ts', 'export const f = (x: any): number => (x === 1 ? 1 : 2);'],
    ['@typescript-eslint/no-unsafe-return', 'client/g.ts', 'export const g = (x: string): number => JSON.parse(x);'],
    ['@typescript-eslint/await-thenable', 'client/h.ts', 'export const h = async (x: number) => { await x; };'],
    ['max-params', 'client/i.ts', 'export const i = (a: 1, b: 1, c: 1, d: 1, e: 1, f: 1) => [a, b, c, d, e, f];'],
    ['no-restricted-syntax', 'client/j.ts', 'export enum J { a }'],
    ['no-restricted-syntax', 'client/k.ts', 'export default 1;'],
    ['no-restricted-syntax', 'core/plan/l.ts', 'export const l = () => new Date();'],
    ['no-restricted-properties', 'core/plan/m.ts', 'export const m = () => Date.now() + Math.random();'],
    ['no-restricted-globals', 'core/plan/n.ts', 'export const n = () => process.env;'],
    [
      '@typescript-eslint/return-await',
      'client/o.ts',
      'export async function o(p: Promise<number>) { try { return p; } catch { return 0; } }',
    ],
    ['no-undef', 'scripts/p.mjs', 'export const p = window;'],
  ];
  const clean = ['client/e.ts', 'workflows/index.ts', 'core/plan/q.test.ts'];
  let messages: Record<string, string[]>;

  beforeAll(() => {
    const folder = createProject({
      ...Object.fromEntries(cases.map(([, file, text]) => [file, text])),
      'client/e.ts': 'export interface E { id: string }',
      'workflows/index.ts': 'export default function run(): number { return 1; }',
      'core/plan/q.test.ts': 'test("now", () => { expect(Date.now()).toBeGreaterThan(0); });',
    });
    try {
      const results = JSON.parse(run(folder, 'eslint/bin/eslint.js', ['-f', 'json', '.'])) as {
        filePath: string;
        messages: { ruleId: string | null; message: string }[];
      }[];
      messages = Object.fromEntries(
        results.map((result) => [
          result.filePath.slice(folder.length + 1),
          result.messages.map(({ ruleId, message }) => ruleId ?? message),
        ]),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(cases)('%s is found in %s', (rule, file) => {
    expect(messages[file]).toContain(rule);
  });

  test.each(clean)('%s is clean', (file) => {
    expect(messages[file]).toEqual([]);
  });
});
