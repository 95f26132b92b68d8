import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Profiles the main thread from now on; the returned function stops and writes a .cpuprofile (Chrome's and VS Code's format). */
export async function startCpuProfile(): Promise<(file: string) => Promise<void>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return async (file) => {
    const { profile } = await session.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(profile));
    session.disconnect();
  };
}
