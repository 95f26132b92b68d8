import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readEnvironmentFile, writeEnvironmentFile, type EnvironmentFile } from './environment-file';
import { identifyProcess, type ProcessIdentity } from './process-identity';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vapora-file-'));
  mkdirSync(join(dir, '.vapora'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const self = identifyProcess(process.pid) as ProcessIdentity;
const base: EnvironmentFile = {
  schemaVersion: 1,
  state: 'ready',
  projectDir: '/p',
  startedAt: '2020-01-01T00:00:00Z',
  owner: self,
  processes: [],
};
const server = { ...self, name: 'server', stopSignal: 'SIGTERM' as const };

test.each<[string, EnvironmentFile, boolean]>([
  ['ready, all there', { ...base, processes: [server] }, true],
  ['still starting', { ...base, state: 'starting' }, false],
  ['its owner gone', { ...base, owner: { ...self, startedAt: 'before' } }, false],
  ['a server gone', { ...base, processes: [{ ...server, pid: 999_999_999 }] }, false],
])('%s: found from below', (_name, environment, alive) => {
  const path = join(dir, '.vapora', 'dev.json');
  writeEnvironmentFile(path, environment);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  mkdirSync(join(dir, 'a', 'b'), { recursive: true });
  expect(readEnvironmentFile(join(dir, 'a', 'b'))).toEqual({ path, environment, alive });
});

test.each(['', '{', 'null', '[]', '{"schemaVersion": 2}', '{"schemaVersion": 1}'])('%j is nobody', (content) => {
  writeFileSync(join(dir, '.vapora', 'dev.json'), content);
  expect(readEnvironmentFile(dir)).toBeUndefined();
});
