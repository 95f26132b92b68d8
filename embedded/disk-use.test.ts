import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataFolders } from '../core/contract/data-folders';
import { checkDiskUse } from './disk-use';
import { environmentPaths } from './paths';

let project: string;
beforeEach(() => (project = mkdtempSync(join(tmpdir(), 'vapora-disk-'))));
afterEach(() => rmSync(project, { recursive: true, force: true }));

const detailOf = (name: string): string | undefined =>
  checkDiskUse(environmentPaths(project)).find((finding) => finding.name === name)?.detail;

test('what workspaces and logs take, over all runs', () => {
  expect([detailOf('workspaces'), detailOf('agent logs')]).toEqual(['none', 'none']);
  for (const [run, size] of [
    ['run-1', 1_200_000],
    ['run-2', 34_000],
  ] as const) {
    const folder = join(project, '.vapora', dataFolders.workspaces, run, 'build_1-0', 'deep');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'file'), Buffer.alloc(size));
  }
  const logs = join(project, '.vapora', dataFolders.agentLogs, 'run-1');
  mkdirSync(logs, { recursive: true });
  writeFileSync(join(logs, 'build.jsonl'), Buffer.alloc(999));
  expect(detailOf('workspaces')).toMatch(/^1\.23 MB of 2 runs in .*\.vapora\/workspaces: /);
  expect(detailOf('agent logs')).toMatch(/^999 bytes of 1 run in .*\.vapora\/log\/runs: /);
});
