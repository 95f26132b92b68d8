/**
 * Jest's globalSetup of the integration tests: one PostgreSQL and one Temporal dev server for the whole run, on free
 * ports, in a temporary folder. Their addresses reach the tests through process.env (test/support/environment.ts).
 */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { Client } from 'pg';

import { ensureSearchAttributes } from '../../client/search-attributes';
import { migrateDatabase } from '../../db/migrate';
import { startEnvironment, type Environment } from '../../embedded/environment';
import { environmentPaths } from '../../embedded/paths';
import { resolveTemporalBinary, resolveTestServerBinary } from '../../embedded/temporal-binary';
import { bundleOptions } from '../../workers/bundle';
import { testRunVariable } from './processes';

/** What globalTeardown, loaded apart, needs to undo this. */
export interface TestRun {
  mark: string;
  rootDir: string;
  environment: Environment;
}

const templateDatabase = 'vapora_template';

export default async function globalSetup(): Promise<void> {
  const rootDir = mkdtempSync(join(tmpdir(), 'vapora-test-'));
  chmodSync(rootDir, 0o755); // the user PostgreSQL runs as must get in
  const mark = randomUUID();
  process.env[testRunVariable] = mark;
  let environment: Environment | undefined;
  try {
    environment = await startEnvironment({
      projectDir: rootDir,
      usualPorts: false,
      durable: false,
      migrate: migrateDatabase,
      registerSearchAttributes: async ({ temporalAddress, temporalNamespace }) => {
        const connection = await Connection.connect({ address: temporalAddress });
        await ensureSearchAttributes(connection, temporalNamespace).finally(() => connection.close());
      },
    });
    await makeTemplate(environment.adminDatabaseUrl);
    const workflowBundle = join(rootDir, 'workflow-bundle.js');
    const { code } = await bundleWorkflowCode({ ...bundleOptions, logger: new DefaultLogger('WARN') });
    writeFileSync(workflowBundle, code);
    const { binDir } = environmentPaths(rootDir);
    Object.assign(process.env, {
      VAPORA_TEST_ADMIN_URL: environment.adminDatabaseUrl,
      VAPORA_TEST_DATABASE_URL: environment.databaseUrl,
      VAPORA_TEST_TEMPLATE: templateDatabase,
      VAPORA_TEST_WORKFLOW_BUNDLE: workflowBundle,
      VAPORA_TEST_TEMPORAL_ADDRESS: environment.temporalAddress,
      VAPORA_TEST_TEMPORAL_BIN: (await resolveTemporalBinary({ binDir })).path,
      VAPORA_TEST_TIME_SKIPPING_BIN: await resolveTestServerBinary({ binDir }),
    });
    (globalThis as { vaporaTestRun?: TestRun }).vaporaTestRun = { mark, rootDir, environment };
  } catch (error) {
    // Jest calls no teardown after a failed setup.
    await environment?.stop();
    rmSync(rootDir, { recursive: true, force: true });
    throw error;
  }
}

/** The migrated database as a template: cloning it takes tens of milliseconds, migrating again would take longer. */
async function makeTemplate(adminUrl: string): Promise<void> {
  const url = new URL(adminUrl);
  const migrated = url.pathname.slice(1);
  url.pathname = '/postgres';
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(`create database ${templateDatabase} template ${client.escapeIdentifier(migrated)}`);
    // Nobody may connect: a connection to its template makes CREATE DATABASE fail.
    await client.query(`alter database ${templateDatabase} with is_template true allow_connections false`);
  } finally {
    await client.end();
  }
}
