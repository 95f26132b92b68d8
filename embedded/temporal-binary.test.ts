import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { findTemporalBinary, resolveTemporalBinary, resolveTestServerBinary, temporalProgram } from './temporal-binary';

let dir: string;

beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'vapora-binary-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function makeTemporal(path: string, version: string): void {
  const file = join(dir, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho 'temporal version ${version} (Server 1.32.0, UI 2.54.1)'\n`);
  chmodSync(file, 0o755);
}

interface Case {
  configured?: string;
  files: Record<string, string>;
  expected: { path: string; source: string; version: string } | undefined;
}

const cachedName = `temporal-${temporalProgram.version}`;
const cached = { path: `project/${cachedName}`, source: 'cache', version: temporalProgram.version };

test.each<[string, Case]>([
  ['nothing anywhere', { files: {}, expected: undefined }],
  [
    'VAPORA_TEMPORAL_BIN before PATH',
    {
      configured: 'own/t',
      files: { 'own/t': '1.0.0', 'path/temporal': '1.9.1' },
      expected: { path: 'own/t', source: 'VAPORA_TEMPORAL_BIN', version: '1.0.0' },
    },
  ],
  [
    'PATH before the caches',
    {
      files: { 'path/temporal': '1.10.2', [`project/${cachedName}`]: '1.9.1' },
      expected: { path: 'path/temporal', source: 'PATH', version: '1.10.2' },
    },
  ],
  [
    'one on PATH that is too old is passed over',
    { files: { 'path/temporal': '1.3.9', [`project/${cachedName}`]: '1.9.1' }, expected: cached },
  ],
  [
    "the project's cache before the user's",
    { files: { [`project/${cachedName}`]: '1.9.1', [`home/vapora/bin/${cachedName}`]: '1.9.1' }, expected: cached },
  ],
  [
    "the user's cache",
    { files: { [`home/vapora/bin/${cachedName}`]: '1.9.1' }, expected: { ...cached, path: `home/vapora/bin/${cachedName}` } },
  ],
  ['another version in the cache is not it', { files: { 'project/temporal-1.0.0': '1.0.0' }, expected: undefined }],
])('%s', (_name, { configured, files, expected }) => {
  for (const [path, version] of Object.entries(files)) makeTemporal(path, version);
  const environment = {
    PATH: `${join(dir, 'path')}:/nonexistent`,
    XDG_CACHE_HOME: join(dir, 'home'),
    ...(configured === undefined ? {} : { VAPORA_TEMPORAL_BIN: join(dir, configured) }),
  };
  const found = findTemporalBinary({ binDir: join(dir, 'project'), environment });
  expect(found).toEqual(expected === undefined ? undefined : { ...expected, path: join(dir, expected.path) });
});

test('a VAPORA_TEMPORAL_BIN that does not run is an error, not passed over', () => {
  expect(() => findTemporalBinary({ binDir: dir, environment: { VAPORA_TEMPORAL_BIN: '/bin/true' } })).toThrow(
    expect.objectContaining({ code: 'unavailable', message: expect.stringContaining('/bin/true') as string }) as Error,
  );
});

describe('where nothing can be downloaded', () => {
  const { PIP_NO_INDEX: before } = process.env;
  beforeEach(() => (process.env['PIP_NO_INDEX'] = '1'));
  afterEach(() => {
    if (before === undefined) delete process.env['PIP_NO_INDEX'];
    else process.env['PIP_NO_INDEX'] = before;
  });

  test.each([
    ['temporal CLI', resolveTemporalBinary],
    ['time-skipping Temporal server', resolveTestServerBinary],
  ])('who needs the %s is told what is missing', async (what, resolve) => {
    const environment = { PATH: '/nonexistent', XDG_CACHE_HOME: join(dir, 'home') };
    await expect(resolve({ binDir: join(dir, 'project'), environment })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(new RegExp(`^no ${what} here, and it could not be downloaded: `)) as string,
      hint: expect.any(String) as string,
    });
  });
});
