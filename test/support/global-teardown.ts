/** Jest's globalTeardown: stops what globalSetup started, then looks for anything the run left behind. */
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import type { TestRun } from './global-setup';
import { findMarkedProcesses, type ListedProcess } from './processes';

const leakTimeoutMs = 5_000;

export default async function globalTeardown(): Promise<void> {
  const run = (globalThis as { vaporaTestRun?: TestRun }).vaporaTestRun;
  if (run === undefined) return;
  try {
    await run.environment.stop();
  } finally {
    rmSync(run.rootDir, { recursive: true, force: true });
  }
  const leaked = process.platform === 'linux' ? await findLeaks(run) : [];
  if (leaked.length > 0) {
    throw new Error(`the tests left processes running:\n${leaked.map(({ pid, commandLine }) => `  ${pid} ${commandLine}`).join('\n')}`);
  }
}

/** What is still there after a moment; a process that was just told to end may need one. */
async function findLeaks(run: TestRun): Promise<ListedProcess[]> {
  const deadline = Date.now() + leakTimeoutMs;
  for (;;) {
    const leaked = [run.mark, run.rootDir].flatMap(findMarkedProcesses).filter(({ commandLine }) => !isJestWorker(commandLine));
    if (leaked.length === 0 || Date.now() > deadline) return leaked;
    await delay(100);
  }
}

/** Jest ends its own workers after this. */
function isJestWorker(commandLine: string): boolean {
  return /jest-worker\/.*processChild/.test(commandLine);
}
