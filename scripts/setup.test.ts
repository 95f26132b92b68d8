import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..');
const configs = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'bin/vapora.js'];
const scripts = ['setup.mjs', 'build.mjs', 'build-state.mjs', 'file-lock.mjs'].map((name) => `scripts/${name}`);

jest.setTimeout(120_000);

let project: string;

/** A small project with the real scripts: enough to build, quick to build. */
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'vapora-setup-'));
  for (const file of [...configs, ...scripts]) cpSync(join(root, file), join(project, file));
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  // The link leads to the real folder: an install through it would empty that.
  write('no-npm.js', 'console.error("node_modules is not what package-lock.json says: npm run setup"); process.exit(1);');
  write('core/plan/a.ts', 'export const a = 1;\n');
  write('cli/main.ts', 'import { a } from "../core/plan/a";\nconsole.log(`a is ${a}`);\n');
});

afterEach(() => rmSync(project, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(join(project, file, '..'), { recursive: true });
  writeFileSync(join(project, file), text);
}

function run(args: string[], env: Record<string, string> = {}): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, {
    cwd: project,
    encoding: 'utf8',
    env: { ...process.env, npm_execpath: join(project, 'no-npm.js'), ...env },
  });
}

const setUp = (...args: string[]) => run(['scripts/setup.mjs', ...args]);
const vapora = () => run(['bin/vapora.js']);

test('builds what is not built, and then has nothing to do', () => {
  expect(setUp()).toMatchObject({ status: 0, stdout: expect.stringContaining('build: done'), stderr: '' });
  expect(vapora()).toMatchObject({ status: 0, stdout: 'a is 1\n', stderr: '' });
  expect(setUp()).toMatchObject({ status: 0, stdout: 'setup: dependencies and build are up to date\n' });
  expect(setUp('--quiet-if-done')).toMatchObject({ status: 0, stdout: '', stderr: '' });
});

test('builds again after a change, not after a mere touch', () => {
  setUp();
  write('core/plan/a.ts', 'export const a = 2;\n');
  expect(setUp('--quiet-if-done').stdout).toContain('build: done');
  expect(vapora().stdout).toBe('a is 2\n');
  const later = new Date(Date.now() + 60_000);
  utimesSync(join(project, 'core/plan/a.ts'), later, later);
  expect(setUp('--quiet-if-done').stdout).toBe('');
});

test('removes the output of a source that is gone, and leaves tests out', () => {
  write('core/plan/old.ts', 'export const old = 1;\n');
  write('core/plan/a.test.ts', 'export const t = 1;\n');
  write('db/queries/find.sql', 'select 1');
  setUp();
  expect(existsSync(join(project, 'dist/core/plan/old.js'))).toBe(true);
  expect(existsSync(join(project, 'dist/core/plan/a.test.js'))).toBe(false);
  expect(readFileSync(join(project, 'dist/db/queries/find.sql'), 'utf8')).toBe('select 1');
  rmSync(join(project, 'core/plan/old.ts'));
  setUp();
  expect(existsSync(join(project, 'dist/core/plan/old.js'))).toBe(false);
  expect(existsSync(join(project, 'dist/core/plan/a.js'))).toBe(true);
});

test('says where a source does not compile, and does not take that for a build', () => {
  write('core/plan/a.ts', 'export const a: string = 1;\n');
  const result = setUp();
  expect(result.status).toBe(1);
  expect(result.stdout).toContain('core/plan/a.ts(1,14): error TS2322');
  expect(result.stderr).toBe('setup: the sources do not compile (see above)\n');
  write('core/plan/a.ts', 'export const a = 1;\n');
  expect(setUp().stdout).toContain('build: done');
});

test('two at once build once', async () => {
  const results = await Promise.all(
    [1, 2].map(
      () =>
        new Promise<{ code: number | null; output: string }>((resolve) => {
          const child = spawn(process.execPath, ['scripts/setup.mjs'], { cwd: project });
          let output = '';
          child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
          child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
          child.on('close', (code) => resolve({ code, output }));
        }),
    ),
  );
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  const outputs = results.map(({ output }) => output).join('');
  expect(outputs.match(/build: done/g)).toHaveLength(1);
});

test('takes over the lock of a process that died', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  for (const lock of ['setup', 'build']) write(`.vapora/locks/${lock}.lock`, String(dead));
  expect(setUp()).toMatchObject({ status: 0, stdout: expect.stringContaining('build: done') });
});

test('says so when Node is too old', () => {
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { engines: { node: string } };
  manifest.engines.node = '>=99.1';
  write('package.json', JSON.stringify(manifest));
  expect(setUp()).toMatchObject({ status: 1, stderr: expect.stringMatching(/^setup: Node 99\.1 or newer is needed, this is \d+\.\d+/) });
});

describe('dependencies', () => {
  /** Stands in for npm: notes how it was called and installs by linking. */
  const npm = (exitCode: number) => {
    write(
      'npm.js',
      `const fs = require('node:fs');
       fs.appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
       if (${exitCode} === 0) { fs.rmSync('node_modules', { recursive: true, force: true }); fs.symlinkSync(${JSON.stringify(join(root, 'node_modules'))}, 'node_modules'); }
       process.exit(${exitCode});`,
    );
    return { npm_execpath: join(project, 'npm.js') };
  };
  const calls = () => (existsSync(join(project, 'npm.log')) ? readFileSync(join(project, 'npm.log'), 'utf8').trim().split('\n') : []);

  test('are installed when missing, once', () => {
    rmSync(join(project, 'node_modules'));
    const env = npm(0);
    expect(run(['scripts/setup.mjs'], env)).toMatchObject({ status: 0, stdout: expect.stringContaining('dependencies installed') });
    run(['scripts/setup.mjs'], env);
    expect(calls()).toEqual([expect.stringMatching(/^ci /)]);
  });

  test('are installed when they are not what the lock says', () => {
    const installed = JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    rmSync(join(project, 'node_modules'));
    installed.packages['node_modules/yaml']!.version = '1.0.0';
    write('node_modules/.package-lock.json', JSON.stringify(installed));
    run(['scripts/setup.mjs'], npm(0));
    expect(calls()).toHaveLength(1);
  });

  test('that cannot be installed end the set-up with a reason', () => {
    rmSync(join(project, 'node_modules'));
    const result = run(['scripts/setup.mjs'], npm(1));
    expect(result).toMatchObject({ status: 1, stderr: expect.stringContaining("setup: 'npm ci' failed (exit 1)") });
  });
});

describe('bin/vapora.js', () => {
  test('says how to build when it is not built', () => {
    expect(vapora()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining("Run 'npm run build' first") });
  });

  test('runs an outdated build, and says so', () => {
    setUp();
    const later = new Date(Date.now() + 60_000);
    write('core/plan/a.ts', 'export const a = 3;\n');
    utimesSync(join(project, 'core/plan/a.ts'), later, later);
    expect(vapora()).toMatchObject({
      status: 0,
      stdout: 'a is 1\n',
      stderr: "vapora: core/plan/a.ts changed since the last build; run 'npm run build'\n",
    });
  });
});
