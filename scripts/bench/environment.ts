import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { ensureSearchAttributes } from '../../client/search-attributes';
import { migrateDatabase } from '../../db/migrate';
import { startEnvironment } from '../../embedded/environment';
import type { Environment } from '../../embedded/environment';
import { environmentPaths } from '../../embedded/paths';

export interface BenchEnvironment extends Environment {
  /** Process ids of the servers, for their CPU time. */
  temporalPid: number | undefined;
  postgresPid: number | undefined;
}

/** Servers of the bench's own in a fresh folder, so that every run of it begins with the same empty databases. */
export async function startBenchEnvironment({ durable, signal }: { durable: boolean; signal: AbortSignal }): Promise<BenchEnvironment> {
  const projectDir = mkdtempSync(join(tmpdir(), 'vapora-bench-'));
  // Root's Postgres runs as another user, who must be able to enter.
  chmodSync(projectDir, 0o755);
  const { relocatedDir } = environmentPaths(projectDir);
  const removeFolders = (): void => {
    for (const folder of [projectDir, relocatedDir]) if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  };
  try {
    const environment = await startEnvironment({
      projectDir,
      durable,
      usualPorts: false,
      signal,
      migrate: migrateDatabase,
      registerSearchAttributes: ({ temporalAddress, temporalNamespace }) => registerSearchAttributes(temporalAddress, temporalNamespace),
    });
    const [postgres, temporal] = environment.processes;
    const stop = async (): Promise<void> => {
      await environment.stop();
      removeFolders();
    };
    return { ...environment, postgresPid: postgres?.pid, temporalPid: temporal?.pid, stop };
  } catch (error) {
    removeFolders();
    throw error;
  }
}

export async function registerSearchAttributes(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await ensureSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
}
