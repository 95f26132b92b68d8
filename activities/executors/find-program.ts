import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

export type FoundProgram = { ok: true; path: string } | { ok: false; reason: string; remedy: string };

/**
 * Finds a program as `execvp` would, before anything is started: the launcher that runs it would report a missing one as an exit
 * code of its own, which no message could explain.
 */
export async function findProgram(name: string, { path, cwd }: { path: string; cwd: string }): Promise<FoundProgram> {
  if (name.includes('/')) {
    const file = isAbsolute(name) ? name : resolve(cwd, name);
    const state = await stateOf(file);
    if (state === 'runnable') return { ok: true, path: file };
    if (state === 'missing') return { ok: false, reason: `there is no program ${file}`, remedy: "correct the path in the executor's argv" };
    return { ok: false, reason: `${file} is not executable`, remedy: `run 'chmod +x ${file}', or name its interpreter first in argv` };
  }
  for (const folder of path.split(delimiter)) {
    const file = join(folder === '' ? cwd : folder, name);
    if ((await stateOf(file)) === 'runnable') return { ok: true, path: file };
  }
  return {
    ok: false,
    reason: `the program "${name}" is not on the PATH of this worker`,
    remedy: `install it on this machine, or write its full path in the executor's argv`,
  };
}

async function stateOf(file: string): Promise<'runnable' | 'missing' | 'not executable'> {
  try {
    if (!(await stat(file)).isFile()) return 'not executable';
    await access(file, constants.X_OK);
    return 'runnable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'not executable' : 'missing';
  }
}
