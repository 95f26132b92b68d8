/** What integration tests use of the servers that globalSetup started. One database and one namespace or queue per file. */
import { randomUUID } from 'node:crypto';

import { Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Client } from 'pg';

import { ensureSearchAttributes } from '../../client/search-attributes';

export interface TestDatabase {
  name: string;
  /** As the owner. */
  adminUrl: string;
  /** As the app's role. */
  databaseUrl: string;
  /** Disconnects whoever is left, and drops it. */
  drop(): Promise<void>;
}

/** A fresh database with all migrations applied. Call `drop` in afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runAsAdmin(`create database ${name} template ${read('VAPORA_TEST_TEMPLATE')}`);
  return {
    name,
    adminUrl: withDatabase(read('VAPORA_TEST_ADMIN_URL'), name),
    databaseUrl: withDatabase(read('VAPORA_TEST_DATABASE_URL'), name),
    drop: () => runAsAdmin(`drop database if exists ${name} with (force)`),
  };
}

/** `host:port` of the run's Temporal server. */
export function testTemporalAddress(): string {
  return read('VAPORA_TEST_TEMPORAL_ADDRESS');
}

/** The `temporal` CLI that belongs to it. */
export function testTemporalBinary(): string {
  return read('VAPORA_TEST_TEMPORAL_BIN');
}

/** A task queue no other test polls. */
export function createTestTaskQueue(): string {
  return `test-${randomUUID()}`;
}

/** A namespace of its own, with vapora's search attributes, ready for use. It ends with the server. */
export async function createTestNamespace(): Promise<string> {
  const namespace = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address: testTemporalAddress() });
  try {
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } });
    await ensureSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
  return namespace;
}

/**
 * A Temporal server in which a 24-hour timer takes a moment (time stands still while an activity is pending). Its
 * process outlives a careless caller: call `teardown` in afterAll or finally, or use `withTimeSkippingEnvironment`.
 */
export async function startTimeSkippingEnvironment(): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: read('VAPORA_TEST_TIME_SKIPPING_BIN') } },
  });
}

/** Runs `use` with a time-skipping server that ends with it. */
export async function withTimeSkippingEnvironment<T>(use: (environment: TestWorkflowEnvironment) => Promise<T>): Promise<T> {
  const environment = await startTimeSkippingEnvironment();
  try {
    return await use(environment);
  } finally {
    await environment.teardown();
  }
}

function read(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`${variable} is not set: this test needs test/support/global-setup.ts as Jest's globalSetup`);
  return value;
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function runAsAdmin(statement: string): Promise<void> {
  const client = new Client({ connectionString: withDatabase(read('VAPORA_TEST_ADMIN_URL'), 'postgres') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
